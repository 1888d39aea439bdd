"""A signed run: whoever changes it afterwards, with every digest made to fit, is noticed, and who signed it is known."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manifests import CARD, forge_digests
from tests.replay.test_earlier_version import RECORDED
from tuneproof.engine.core.errors import GateClosed, UsageError, VerifyFailed
from tuneproof.engine.run.signature import SIGNATURE, SIGNED_LIST, check_run_signature, sign_run
from tuneproof.engine.run.store import MANIFEST, RunStore
from tuneproof.tui.cli import main

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


def make_key(path: Path, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(path)], check=True)
    return path


def allow(name: str, *keys: Path, options: str = "") -> str:
    """Lines of a file of allowed signers."""
    return "".join(f"{name} {options} {key.with_suffix('.pub').read_text()}" for key in keys)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys of two people, and one with a passphrase."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("alice", "bob"):
        make_key(folder / name)
    make_key(folder / "locked", "secret")
    return folder


@pytest.fixture(scope="module")
def signed_once(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Path:
    run = Path(shutil.copytree(RECORDED, tmp_path_factory.mktemp("signed") / "run"))
    sign_run(RunStore(run), keys / "alice")
    return run


@pytest.fixture
def run(signed_once: Path, tmp_path: Path) -> RunStore:
    """A run that alice has signed, to break."""
    return RunStore(Path(shutil.copytree(signed_once, tmp_path / "run")))


def difference(run: RunStore) -> VerifyFailed:
    with pytest.raises(VerifyFailed) as caught:
        check_run_signature(run)
    return caught.value


def test_one_command_signs_and_another_says_who_signed(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = str(shutil.copytree(RECORDED, tmp_path / "run"))
    signers = tmp_path / "allowed"
    signers.write_text(allow("bob@x.org", keys / "bob") + allow("alice@x.org", keys / "alice"))
    assert main(["verify", copy]) == 0
    assert "not signed: a run whose answers, card and digests were all rewritten together would be verified too" in capsys.readouterr().out
    assert main(["verify", copy, "--signed"]) == 5
    assert "the run is not signed" in capsys.readouterr().err
    assert main(["verify", copy, "--sign", str(keys / "alice")]) == 0
    assert main(["verify", copy, "--signers", str(signers), "--json"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["signature"]["names"] == ["alice@x.org"] and document["signature"]["key_type"] == "ssh-ed25519"
    assert SIGNATURE not in document["not_read"]


def test_a_card_rewritten_with_its_manifest_is_noticed(run: RunStore) -> None:
    run.write("card.md", run.read("card.md").replace("tune", "do not tune", 1))
    forge_digests(run, CARD)
    found = difference(run)
    assert found.where == "card.md" and "not the one that was signed" in found.what


def test_a_list_rewritten_with_the_run_has_no_signature(run: RunStore) -> None:
    run.write("card.md", "tune\n")
    forge_digests(run, CARD)
    listed = subprocess.run(["sha256sum", *sorted([MANIFEST, *run.manifest.written()])], cwd=run.path, capture_output=True, text=True)
    run.write(SIGNED_LIST, listed.stdout)
    assert "not one of the list of files" in difference(run).what


def test_a_run_signed_by_somebody_else_afterwards_is_noticed_by_the_allowed_signers(run: RunStore, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text(allow("alice", keys / "alice"))
    assert check_run_signature(run, signers=tmp_path / "allowed").names == ["alice"]
    sign_run(run, keys / "bob")
    with pytest.raises(VerifyFailed, match="does not allow anybody"):
        check_run_signature(run, signers=tmp_path / "allowed")


def test_only_the_identity_that_is_asked_for_will_do(run: RunStore, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text(allow("alice", keys / "alice") + allow("bob", keys / "bob"))
    assert check_run_signature(run, signers=tmp_path / "allowed", identity="alice").names == ["alice"]
    with pytest.raises(VerifyFailed, match="does not allow bob"):
        check_run_signature(run, signers=tmp_path / "allowed", identity="bob")


def test_a_key_that_may_only_sign_something_else_is_not_allowed(run: RunStore, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text(allow("alice", keys / "alice", options='namespaces="git"'))
    with pytest.raises(VerifyFailed, match="does not allow"):
        check_run_signature(run, signers=tmp_path / "allowed")


def test_a_file_that_joined_the_run_after_it_was_signed_is_named(run: RunStore) -> None:
    manifest = run.manifest
    run.write("extra.json", "{}")
    manifest.steps[CARD].files["extra.json"] = "0" * 64
    run.write(MANIFEST, manifest.as_text())
    found = difference(run)
    assert found.where == "extra.json" and "after it was signed" in found.what


def test_a_file_that_left_the_run_after_it_was_signed_is_named(run: RunStore) -> None:
    manifest = run.manifest
    del manifest.steps[CARD].files["card.md"]
    run.write(MANIFEST, manifest.as_text())
    found = difference(run)
    assert found.where == "card.md" and "no longer part of the run" in found.what


@pytest.mark.parametrize("name", [SIGNED_LIST, SIGNATURE])
def test_half_a_signature_is_a_difference(run: RunStore, name: str) -> None:
    (run.path / name).unlink()
    assert difference(run).where == name


def test_a_broken_signature_is_a_difference(run: RunStore) -> None:
    for broken in ("", "no signature", run.read(SIGNATURE)[: len(run.read(SIGNATURE)) // 2]):
        run.write(SIGNATURE, broken)
        assert "not one of the list" in difference(run).what


def test_the_list_can_be_checked_without_tuneproof(run: RunStore) -> None:
    assert subprocess.run(["sha256sum", "--quiet", "--strict", "-c", SIGNED_LIST], cwd=run.path).returncode == 0


@pytest.mark.parametrize(
    ("key", "code", "says"),
    [("nobody", 2, "there is no such key"), ("text", 2, "not an SSH key"), ("locked", 3, "has a passphrase"), ("locked.pub", 3, "agent")],
)
def test_a_key_that_does_not_sign_is_said_why(
    run: RunStore, keys: Path, key: str, code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    (keys / "text").write_text("no key")
    with pytest.raises((UsageError, GateClosed), match=says) as caught:
        sign_run(run, keys / key)
    assert caught.value.exit_code == code
    check_run_signature(run)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An agent of one's own."""
    socket = tmp_path / "agent"
    # The agent goes on behind this command, which ends when the socket is there.
    said = subprocess.run(["ssh-agent", "-a", str(socket)], capture_output=True, text=True, check=True, timeout=20).stdout
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield
    monkeypatch.setenv("SSH_AGENT_PID", said.partition("SSH_AGENT_PID=")[2].partition(";")[0])
    subprocess.run(["ssh-agent", "-k"], check=True, capture_output=True, timeout=20)


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="needs ssh-agent")
def test_a_key_in_the_agent_signs_by_its_public_half(run: RunStore, keys: Path, agent: None, tmp_path: Path) -> None:
    key = make_key(tmp_path / "in_agent")
    subprocess.run(["ssh-add", "-q", str(key)], check=True)
    key.unlink()
    assert sign_run(run, key.with_suffix(".pub")).key is not None


def test_without_ssh_keygen_that_is_said(run: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check_run_signature(run, must_check=False).key is None
    with pytest.raises(GateClosed, match="ssh-keygen is not installed"):
        check_run_signature(run)


@pytest.mark.parametrize("words", [["--identity", "a"], ["--sign", "k", "--signed"], ["--sign", "k", "--signers", "f"]])
def test_options_that_do_not_go_together_are_refused(run: RunStore, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(run.path), *words]) == 2


def test_a_file_of_signers_that_is_not_there_is_a_mistake_of_usage(run: RunStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file of allowed signers"):
        check_run_signature(run, signers=tmp_path / "none")
