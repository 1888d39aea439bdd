"""Signing a file with an SSH key, and checking such a signature, by the program `ssh-keygen` of OpenSSH 8.2 or later."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.errors import GateClosed, UsageError, VerifyFailed

PROGRAM = "ssh-keygen"
MAGIC = b"SSHSIG"
VERSION_BYTES = 4
"""The version that follows the magic: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig"""

LENGTH_BYTES = 4
"""Every string of the SSH protocol begins with its length, big-endian (RFC 4251, section 5)."""

PUBLIC = (b"ssh-", b"ecdsa-", b"sk-")
"""How the file of a public key begins: with the kind of the key."""

MOST_SECONDS = 60
"""For what asks nobody for anything."""


@dataclass(frozen=True)
class SignatureKey:
    """The public key that is in a signature."""

    kind: str
    """Such as `ssh-ed25519`."""
    fingerprint: str
    """Such as `SHA256:…`, as `ssh-keygen -l` shows it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint}"


def is_installed() -> bool:
    """Whether the program is on the path."""
    return shutil.which(PROGRAM) is not None


def sign(text: str, key: Path, namespace: str) -> str:
    """The armoured signature of a text. `key` is a private key, or a public one whose private key is in the agent.

    ssh-keygen asks for a passphrase in the terminal, if there is one. Raises UsageError for a file that is no key, GateClosed if nothing is
    signed: no ssh-keygen, a passphrase and no terminal, no agent.
    """
    _require_program()
    if not key.is_file():
        raise UsageError("there is no such key", where=str(key), fix="make one with: ssh-keygen -t ed25519")
    if _run("-l", "-f", str(key)).returncode != 0:
        raise UsageError(
            "this is not an SSH key", where=str(key), fix="give a private key such as ~/.ssh/id_ed25519, or a key of the agent as .pub"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signed"
        path.write_text(text, encoding="utf-8", newline="")
        words = [PROGRAM, "-Y", "sign", "-f", str(key), "-n", namespace, str(path)]
        at_terminal = sys.stdin.isatty()
        # In a session of its own it finds no terminal to ask in, and does not wait for one.
        done = subprocess.run(
            words,
            capture_output=not at_terminal,
            stdin=None if at_terminal else subprocess.DEVNULL,
            text=True,
            start_new_session=not at_terminal,
        )
        signature = path.with_name(f"{path.name}.sig")
        if done.returncode == 0 and signature.is_file():
            return signature.read_text(encoding="utf-8")
    raise _not_signed(key, done.stderr or "", at_terminal)


def check_signature(text: str, signature: Path, namespace: str) -> SignatureKey:
    """The key that has signed a text. Raises VerifyFailed if the signature is none of this text, GateClosed without ssh-keygen."""
    _require_program()
    if _run("-Y", "check-novalidate", "-n", namespace, "-s", str(signature), text=text).returncode != 0:
        raise VerifyFailed("the signature is not one of the list of files beside it", where=str(signature))
    return key_of(signature.read_text(encoding="utf-8"))


def names_of_signer(text: str, signature: Path, namespace: str, signers: Path, identity: str | None) -> list[str]:
    """The names that a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS) gives the key of a signature, which is already checked.

    With `identity`, only that name. Raises UsageError if there is no such file, VerifyFailed if it does not allow the key to sign.
    """
    if not signers.is_file():
        raise UsageError(
            "there is no such file of allowed signers", where=str(signers), fix="it has lines of a name, a key type and a public key"
        )
    found = _run("-Y", "find-principals", "-s", str(signature), "-f", str(signers))
    names = [identity] if identity is not None else found.stdout.splitlines()
    allowed = [name for name in names if _allows(name, text, signature, namespace, signers)]
    if not allowed:
        key = key_of(signature.read_text(encoding="utf-8"))
        whom = identity if identity is not None else "anybody"
        what = f"signed with the key {key}, which {signers} does not allow {whom} to sign runs with"
        raise VerifyFailed(
            what, where=str(signature), fix="ask for the run as it was signed, or add the key to the allowed signers if you trust it"
        )
    return allowed


def key_of(armoured: str) -> SignatureKey:
    """The public key in a signature. Raises VerifyFailed if it is none."""
    try:
        lines = armoured.strip().splitlines()
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        public = _string(blob, len(MAGIC) + VERSION_BYTES)
        kind = _string(public, 0).decode("ascii")
    except ValueError:
        raise VerifyFailed("this is not a signature of ssh-keygen") from None
    digest = base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")
    return SignatureKey(kind, f"SHA256:{digest}")


def _string(blob: bytes, at: int) -> bytes:
    """The string of the SSH protocol at a place. Raises ValueError if the bytes end before it does."""
    begin = at + LENGTH_BYTES
    size = int.from_bytes(blob[at:begin], "big")
    if len(blob) < begin + size or size == 0:
        raise ValueError("the bytes end within a string")
    return blob[begin : begin + size]


def _allows(name: str, text: str, signature: Path, namespace: str, signers: Path) -> bool:
    words = ("-Y", "verify", "-f", str(signers), "-I", name, "-n", namespace, "-s", str(signature))
    return _run(*words, text=text).returncode == 0


def _not_signed(key: Path, said: str, at_terminal: bool) -> GateClosed:
    """Why there is no signature, found out by what the key is: what ssh-keygen says is only passed on."""
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    told = f": {last}" if last else ""
    if key.read_bytes().startswith(PUBLIC):
        return GateClosed(
            f"the agent has not signed with this key{told}", where=str(key), fix="add its private key to the agent with ssh-add"
        )
    opens_without_passphrase = _run("-y", "-P", "", "-f", str(key)).returncode == 0
    if not at_terminal and not opens_without_passphrase:
        fix = f"add it to the agent with ssh-add and give {key}.pub, or run this in a terminal"
        return GateClosed("the key has a passphrase, and there is no terminal to ask for it", where=str(key), fix=fix)
    return GateClosed(f"ssh-keygen has not signed{told}", where=str(key), fix="try it: ssh-keygen -Y sign -n test -f KEY FILE")


def _run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Runs ssh-keygen where it can ask nobody; messages in English."""
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        [PROGRAM, *words],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        env=environment,
        timeout=MOST_SECONDS,
    )


def _require_program() -> None:
    if not is_installed():
        fix = "install OpenSSH (Debian and Ubuntu: apt install openssh-client)"
        raise GateClosed("ssh-keygen is not installed, which makes and checks signatures", fix=fix)
