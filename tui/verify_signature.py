"""What `tuneproof verify` signs and checks of a signature, and how it says so."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.run.signature import NAMESPACE, SIGNATURE, Signature, check_run_signature, is_signed, sign_run
from tuneproof.engine.run.store import RunStore

NOT_SIGNED = "not signed: a run whose answers, card and digests were all rewritten together would be verified too (--sign KEY signs a run)"


def add_signature_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that make and check a signature."""
    sign = "sign the run, once it is verified, with this SSH key: a private key, or a public one whose private key is in the agent"
    parser.add_argument("--sign", metavar="KEY", type=Path, help=sign)
    add_signature_checks(parser)


def add_signature_checks(parser: argparse.ArgumentParser) -> None:
    """The options that check a signature."""
    parser.set_defaults(sign=None)
    parser.add_argument("--signed", action="store_true", help="exit code 5 if the run is not signed")
    signers = "the run must be signed by somebody whom this file of allowed signers names (the format of ssh-keygen and git)"
    parser.add_argument("--signers", metavar="FILE", type=Path, help=signers)
    parser.add_argument("--identity", metavar="NAME", help="with --signers: the run must be signed by this one of them")


def check_signature_options(options: argparse.Namespace) -> None:
    """Raises UsageError for options that do not go together."""
    if options.identity is not None and options.signers is None:
        raise UsageError("--identity needs --signers", fix="name the file that says whose key is whose")
    if options.sign is not None and (options.signed or options.signers is not None):
        raise UsageError("--sign makes a signature, and --signed and --signers check one", fix="sign first, then check")


def signature_of(store: RunStore, options: argparse.Namespace) -> Signature | None:
    """Signs a verified run or checks its signature, as the options say; None if it has none and needs none."""
    if options.sign is not None:
        return sign_run(store, options.sign)
    must_check = options.signed or options.signers is not None
    if not must_check and not is_signed(store):
        return None
    return check_run_signature(store, signers=options.signers, identity=options.identity, must_check=must_check)


def signature_document(signature: Signature | None) -> dict[str, object]:
    """The signature for `--json`."""
    if signature is None:
        return {"signed": False}
    if signature.key is None:
        return {"signed": True, "checked": False}
    key = signature.key
    return {
        "signed": True,
        "checked": True,
        "files": signature.files,
        "key_type": key.kind,
        "key": key.fingerprint,
        "names": signature.names,
    }


def signature_line(signature: Signature | None, signs: bool) -> str:
    """What the signature shows, in one line."""
    if signature is None:
        return NOT_SIGNED
    if signature.key is None:
        return "signed, but the signature was not checked: ssh-keygen is not installed here"
    if signs:
        return f"signed: {signature.files} files, with the key {signature.key}; the signature is {SIGNATURE}, for the namespace {NAMESPACE}"
    who = f"by {sanitize(', '.join(signature.names), one_line=True)} " if signature.names else ""
    whose = "" if signature.names else "; whose key that is was not checked (--signers FILE checks it)"
    return f"signed: {signature.files} files are as they were signed {who}with the key {signature.key}{whose}"
