"""A run whose creation is killed at any file operation is begun again in its folder, and starts at once do not meet in one."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import sample_case, tuneproof
from tests.unit.session.tickets import CASE, changed
from tuneproof.engine.core.errors import TuneproofError, UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.launch import launch
from tuneproof.engine.run.store import RunStore

FILE_OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.chmod", "fcntl.flock")


def in_child(do: Callable[[], object]) -> int:
    """The wait status of a child process that does this; its exit code is that of the error if there is one."""
    child = os.fork()
    if child == 0:
        try:
            do()
            os._exit(0)
        except TuneproofError as error:
            os._exit(int(error.exit_code))
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def killed_before(operation: int, run: Path) -> Callable[[], object]:
    """Creates the run, and is killed before the file operation of this number."""

    def create() -> None:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in FILE_OPERATIONS:
                count += 1
                if count > operation:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        RunStore.create(run, CASE)

    return create


def test_a_run_killed_at_any_file_operation_of_its_creation_is_begun_again(tmp_path: Path) -> None:
    killed = 0
    while os.WIFSIGNALED(in_child(killed_before(killed, tmp_path / f"run-{killed}"))):
        run = tmp_path / f"run-{killed}"
        killed += 1
        if not (run / "manifest.json").exists():
            assert RunStore.was_killed_while_created(run) or not run.exists()
            RunStore.create(run, changed(name="again"))
        assert RunStore.open(run).case.name in ("again", CASE.name)
        assert {path.name for path in run.iterdir()} == {"case.yaml", "lock", "manifest.json"}
    assert killed > 8


def test_a_run_that_was_killed_while_it_was_created_is_begun_by_resume_too(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert os.WIFSIGNALED(in_child(killed_before(7, run)))
    result = tuneproof("--replay", "route_only.yaml", "--run-dir", run, "--resume")
    assert result.code == 0, result.err
    assert tuneproof("verify", run).code == 0


@pytest.mark.parametrize("files", [["case.yaml"], ["lock", "case.yaml", "notes.txt"], [".tuneproof-0123456789abcdef.tmp"]])
def test_a_folder_of_the_users_own_is_never_swept(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).write_text("mine")
    for _ in range(2):
        with pytest.raises(UsageError, match="the folder is not empty"):
            RunStore.create(tmp_path, CASE)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(files, "mine")


def at_once(count: int, do: Callable[[int], object]) -> list[int]:
    """The exit codes of processes that all do this at the same moment."""
    ready, go = os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(ready, 1)
            os._exit(os.waitstatus_to_exitcode(in_child(partial(do, number))))
        children.append(child)
    os.close(ready)
    os.close(go)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_of_many_starts_in_one_new_folder_one_makes_the_run_and_the_others_are_told(tmp_path: Path) -> None:
    codes = at_once(20, lambda _: RunStore.create(tmp_path / "run", CASE))
    assert sorted(codes) == [0, *[2] * 19]
    assert RunStore.open(tmp_path / "run").case == CASE


def test_starts_at_once_without_a_folder_get_one_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert at_once(12, lambda _: RunStore.create_numbered(CASE)) == [0] * 12
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {f"tickets-{number}" for number in range(1, 13)}


def test_writers_at_once_do_not_take_each_others_temporary_files(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", CASE)

    def write(number: int) -> None:
        for _ in range(20):
            store.write("a.txt", str(number))

    assert at_once(12, write) == [0] * 12
    assert {path.name for path in store.path.iterdir()} == {"a.txt", "case.yaml", "lock", "manifest.json"}


def test_a_second_worker_is_refused_before_it_starts(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", CASE)
    with store.lock(), pytest.raises(UsageError, match="another process is working on this run"):
        launch(store.path, Stage.CARD)
    assert not (store.path / "worker.log").exists()


def test_resuming_a_run_that_is_worked_on_says_so(run: Path) -> None:
    with RunStore(run).lock():
        result = tuneproof("--replay", sample_case(), "--run-dir", run, "--resume")
    assert result.code == 2 and "another process is working on this run" in result.err


def test_a_run_is_for_its_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)

    def replay() -> None:
        os.umask(0)
        assert tuneproof("--replay", "route_only.yaml", "--run-dir", tmp_path / "run").code == 0

    assert in_child(replay) == 0
    assert modes(tmp_path / "run") == {0o700, 0o600}


def modes(run: Path) -> set[int]:
    """The permissions of a run folder and of everything in it."""
    return {stat.S_IMODE(path.lstat().st_mode) for path in (run, *run.rglob("*"))}


def test_what_a_worker_writes_is_for_its_user_alone(measured: Path) -> None:
    assert modes(measured) == {0o700, 0o600}
