"""The signature of a run: over the digests of its manifest and of every file that a step wrote.

A manifest ties the files of a run together, but whoever changes a file can write another manifest. Nobody without the key can write
another signature. The list has the form of `sha256sum`, so that it can be checked without tuneproof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.run.ssh_keygen import SignatureKey, check_signature, is_installed, names_of_signer, sign
from tuneproof.engine.run.store import MANIFEST, RunStore

NAMESPACE = "tuneproof-run"
"""What the signature is for: ssh-keygen takes it for nothing else, and no other signature for this."""

SIGNED_LIST = "signature/files.sha256"
SIGNATURE = "signature/files.sha256.sig"

SIGN_AGAIN = "restore the run as it was signed; if it was changed on purpose, have it signed again with: tuneproof verify RUN --sign KEY"


@dataclass(frozen=True)
class Signature:
    """A signature that fits the run as it is."""

    files: int
    """How many files it covers."""
    key: SignatureKey | None
    """None if it could not be checked, because ssh-keygen is not installed."""
    names: list[str] = field(default_factory=list)
    """Who may sign with this key, by the file of allowed signers that was given."""


def sign_run(store: RunStore, key: Path) -> Signature:
    """Signs a run, which is verified already, and stores list and signature in it; an earlier signature is replaced.

    Raises UsageError or GateClosed if ssh-keygen does not sign with the key.
    """
    text = _list_text(_covered(store))
    armoured = sign(text, key, NAMESPACE)
    store.write(SIGNED_LIST, text)
    store.write(SIGNATURE, armoured)
    return check_run_signature(store)


def is_signed(store: RunStore) -> bool:
    """Whether the run has a signature, or a part of one."""
    return store.has(SIGNED_LIST) or store.has(SIGNATURE)


def check_run_signature(store: RunStore, *, signers: Path | None = None, identity: str | None = None, must_check: bool = True) -> Signature:
    """The signature of a run whose files have their recorded digests, by one of the allowed `signers` if they are given.

    Raises VerifyFailed if there is none, it is wrong, or the run is not as it was signed; GateClosed if it cannot be checked without
    ssh-keygen and `must_check`.
    """
    for name in (SIGNED_LIST, SIGNATURE):
        if not store.has(name):
            what = "the file is gone" if is_signed(store) else "the run is not signed"
            raise VerifyFailed(what, where=name, fix="ask for the signed run, or sign it: tuneproof verify RUN --sign KEY")
    text, now = store.read(SIGNED_LIST), _covered(store)
    if not must_check and not is_installed():
        _compare(text, now)
        return Signature(len(now), None)
    path = store.path / SIGNATURE
    key = check_signature(text, path, NAMESPACE)
    names = names_of_signer(text, path, NAMESPACE, signers, identity) if signers is not None else []
    _compare(text, now)
    return Signature(len(now), key, names)


def _covered(store: RunStore) -> dict[str, str]:
    """SHA-256 of the manifest, and as recorded in it of all other files of the run, sorted by name."""
    return dict(sorted({**store.manifest.written(), MANIFEST: sha256_file(store.path / MANIFEST)}.items()))


def _list_text(digests: dict[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())


def _compare(text: str, now: dict[str, str]) -> None:
    """Raises VerifyFailed with the first file that is not as it was signed; the manifest last, for it changes with every other file."""
    if text == _list_text(now):
        return
    signed = {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}
    for name in sorted(signed.keys() | now.keys(), key=lambda name: (name == MANIFEST, name)):
        if name not in now:
            raise VerifyFailed("the file was signed, and is no longer part of the run", where=name, fix=SIGN_AGAIN)
        if name not in signed:
            raise VerifyFailed("the file became part of the run after it was signed", where=name, fix=SIGN_AGAIN)
        if signed[name] != now[name]:
            raise VerifyFailed("the file is not the one that was signed: the run was changed or resumed since", where=name, fix=SIGN_AGAIN)
    raise VerifyFailed("the list of files is not what tuneproof writes", where=SIGNED_LIST, fix=SIGN_AGAIN)
