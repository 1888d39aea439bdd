"""`tuneproof doctor`: the real command says of each thing whether it is good, limited or missing, where it is so.

No GPU was available: `stand_ins` has what NVIDIA's library and torch say on a machine with one.
"""

from __future__ import annotations

import json
import os
import pty
import resource
import select
import subprocess
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import COMMAND, ROOT, tuneproof
from tests.slurm import missing_daemon, slurm_cluster
from tuneproof.engine.doctor.extras import FOR_DEVELOPERS, USES
from tuneproof.engine.doctor.line import Condition
from tuneproof.tui import cli

STAND_INS = Path(__file__).with_name("stand_ins")
SECONDS = 60.0
OF_A_TERMINAL = ("TMUX", "STY", "NO_COLOR", "LC_ALL", "LANG", "COLORTERM", "TUNEPROOF_ASCII")


def lines_of(printed: str) -> dict[str, tuple[str, str, str]]:
    """Condition, what was found and what to do, by the name of the line."""
    lines = json.loads(printed)["lines"]
    assert all(line["todo"] or line["condition"] == Condition.GOOD for line in lines)
    return {line["name"]: (line["condition"], line["found"], line["todo"]) for line in lines}


def doctor(*groups: str, **environment: str) -> dict[str, tuple[str, str, str]]:
    """The lines that the command prints under an environment."""
    result = tuneproof("doctor", *groups, "--json", env=environment)
    assert result.code == 0, result.err
    return lines_of(result.out)


def with_stand_ins(**environment: str) -> dict[str, tuple[str, str, str]]:
    path = os.pathsep.join([str(STAND_INS), *filter(None, [os.environ.get("PYTHONPATH")])])
    return doctor("gpu", PYTHONPATH=path, **environment)


def test_a_machine_with_a_gpu_is_good_where_torch_can_use_it() -> None:
    lines = with_stand_ins()
    assert lines["GPU"] == ("good", "H100 80GB HBM3, 79 of 80 GiB free", "")
    assert lines["driver"] == ("good", "580.65.06, CUDA 13.0", "")
    assert lines["torch"] == ("good", "2.13.0+cu130, built for CUDA 13.0", "")
    assert lines["bfloat16"][0] == lines["NCCL"][0] == "good" and lines["NCCL"][1] == "2.28.3"
    assert lines["flash attention"][:2] == ("limited", "torch's own kernels, not for packed rows")
    # The stand-in computes nothing, so that quantising with it fails as with a library that was built for another CUDA.
    assert lines["bitsandbytes"][0] == "missing" and "does not work" in lines["bitsandbytes"][1]


@pytest.mark.parametrize(
    ("environment", "name", "condition", "found"),
    [
        ({"TEST_FREE_GIB": "3"}, "GPU", "limited", "3 of 80 GiB free"),
        ({"CUDA_VISIBLE_DEVICES": "", "TEST_TORCH": "driver"}, "GPU", "missing", "CUDA_VISIBLE_DEVICES hides all of them (1)"),
        ({"TEST_GPUS": "0", "TEST_TORCH": "driver"}, "GPU", "missing", "the driver finds none"),
        ({"TEST_DRIVER_CUDA": "12040"}, "driver", "limited", "CUDA 12.4, older than torch's CUDA 13.0"),
        ({"TEST_TORCH": "driver"}, "torch", "limited", "it cannot use the GPU"),
        ({"TEST_TORCH": "cpu"}, "torch", "limited", "built for the CPU: the GPU is not used"),
        ({"TEST_TORCH": "cpu"}, "NCCL", "missing", "not in this build of torch"),
        ({"TEST_TORCH": "broken"}, "torch", "missing", "libcudart.so.13: cannot open shared object file"),
        ({"TEST_TORCH": "turing"}, "bfloat16", "limited", "not computed by this GPU"),
        ({"TEST_TORCH": "turing"}, "flash attention", "missing", "not for this GPU"),
    ],
)
@pytest.mark.long
def test_a_gpu_that_cannot_be_used_says_why(environment: dict[str, str], name: str, condition: str, found: str) -> None:
    line = with_stand_ins(**environment)[name]
    assert line[0] == condition and found in line[1] and line[2]


@pytest.mark.long
def test_the_libraries_of_this_machine_are_tried() -> None:
    lines = doctor("gpu", CUDA_VISIBLE_DEVICES="")
    assert lines["GPU"][0] == "missing" and "quantises on this CPU" in lines["bitsandbytes"][1]
    assert lines["torch"][0] == "good" and lines["bfloat16"][0] == "limited" and lines["flash attention"][0] == "missing"


Here = Callable[..., dict[str, tuple[str, str, str]]]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """The lines of some groups, from the command in this process."""

    def look(*groups: str) -> dict[str, tuple[str, str, str]]:
        assert cli.main(["doctor", *groups, "--json"]) == 0
        return lines_of(capsys.readouterr().out)

    return look


def test_a_library_that_is_too_old_is_named(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert here("program")["libraries"][0] == "good"
    (tmp_path / "peft-0.1.dist-info").mkdir()
    (tmp_path / "peft-0.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: peft\nVersion: 0.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    condition, found, _ = here("program")["libraries"]
    assert condition == "missing" and found == "peft is 0.1, >=0.19 is needed"


def test_one_core_is_limited(here: Here) -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert here("machine")["cores"][:2] == ("limited", f"1 of {os.cpu_count()}")
    finally:
        os.sched_setaffinity(0, cores)


@pytest.mark.parametrize(("megabytes", "condition"), [("1000", "missing"), ("7000", "limited")])
def test_the_memory_that_counts_is_what_a_limit_leaves(here: Here, monkeypatch: pytest.MonkeyPatch, megabytes: str, condition: str) -> None:
    monkeypatch.setenv("SLURM_MEM_PER_NODE", megabytes)
    found = here("machine")["memory"]
    assert found[0] == condition and "by what Slurm gives the job" in found[1] and "raise that limit" in found[2]


def test_a_small_disk_is_missing(small_disk: Path, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small_disk)
    found = here("machine")["disk of the runs"]
    assert found[0] == "missing" and f"GB free in {small_disk}" in found[1] and "make room" in found[2]


def test_a_disk_that_takes_nothing_is_missing(here: Here) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
    try:
        found = here("machine")["disk of the runs"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found[0] == "missing" and "File too large" in found[1]


def test_a_machine_without_slurm(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert here("cluster")["Slurm"][:2] == ("missing", "no sbatch on this machine")


def test_a_cluster_whose_controller_is_silent(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sbatch", "srun", "sinfo"):
        (tmp_path / name).write_text("#!/bin/sh\necho unable to contact slurm controller >&2; exit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert here("cluster")["Slurm"][:2] == ("limited", "its controller does not answer")


@pytest.fixture
def hub() -> Iterator[str]:
    """The address of a hub that answers, and knows one token."""

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == "Bearer hf_known"
            is_user = self.path.startswith("/api/whoami")
            body = (b'{"name": "maria", "type": "user"}' if known else b"{}") if is_user else b"[]"
            self.send_response(200 if known or not is_user else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Writes nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("token", "condition", "found"),
    [
        pytest.param("", "good", "not signed in", id="no-token", marks=pytest.mark.long),
        pytest.param("hf_known", "good", "signed in as maria", id="known"),
        pytest.param("hf_other", "limited", "refuses your token", id="unknown", marks=pytest.mark.long),
    ],
)
def test_a_hub_that_answers(hub: str, tmp_path: Path, token: str, condition: str, found: str) -> None:
    for name in ("models--org--small", "models--org--large"):
        (tmp_path / "hub" / name / "snapshots" / "1").mkdir(parents=True)
        (tmp_path / "hub" / name / "snapshots" / "1" / "config.json").write_text("{}")
    lines = doctor("hub", HF_ENDPOINT=hub, HF_HOME=str(tmp_path), HF_TOKEN=token, HF_HUB_OFFLINE="0")
    assert lines["access"][0] == condition and found in lines["access"][1] and "hf_" not in str(lines)
    assert lines["cache"][0] == "good" and "org/large, org/small" in lines["cache"][1]


@pytest.mark.long
def test_a_hub_that_is_not_asked_or_does_not_answer(tmp_path: Path) -> None:
    offline = doctor("hub", HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert offline["access"][0] == "limited" and "HF_HUB_OFFLINE is set" in offline["access"][1] and offline["cache"][0] == "limited"
    silent = doctor("hub", HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path / "file" / "x"), HF_HUB_OFFLINE="0", HF_TOKEN="")
    assert silent["access"][0] == "missing" and "127.0.0.1:9 does not answer" in silent["access"][1]


class Terminal:
    """A terminal of some size in which the command runs, and which answers when it is asked for its attributes."""

    def __init__(self, attributes: bytes, size: tuple[int, int] = (120, 40)) -> None:
        self._attributes, self._size = attributes, size

    def lines(self, tmp_path: Path, **environment: str) -> dict[str, tuple[str, str, str]]:
        out = tmp_path / "out.json"
        columns, rows = self._size
        words = f"stty cols {columns} rows {rows}; exec {COMMAND} doctor terminal --json > {out}"
        whole = {name: value for name, value in os.environ.items() if name not in OF_A_TERMINAL}
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("sh", ["sh", "-c", words], whole | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environment)
        seen = b""
        try:
            while select.select([terminal], [], [], SECONDS)[0]:
                seen += os.read(terminal, 1024)
                if seen.endswith(b"\x1b[c"):
                    os.write(terminal, self._attributes)
        except OSError:
            # The other end is closed: the command has ended.
            pass
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen
        os.close(terminal)
        return lines_of(out.read_text(encoding="utf-8"))


@pytest.mark.long
def test_a_good_terminal(tmp_path: Path) -> None:
    lines = Terminal(b"\x1b[?62;22;52c").lines(tmp_path, COLORTERM="truecolor")
    assert {name: line[:2] for name, line in lines.items()} == {
        "colours": ("good", "16 million"),
        "Unicode": ("good", "shown"),
        "size": ("good", "120×40"),
        "clipboard": ("good", "taken by the terminal (OSC 52)"),
    }


def test_a_poor_terminal(tmp_path: Path) -> None:
    lines = Terminal(b"\x1b[?62;22c", (60, 20)).lines(tmp_path, NO_COLOR="1", LC_ALL="C")
    assert {name: line[0] for name, line in lines.items()} == dict.fromkeys(("colours", "Unicode", "size", "clipboard"), "limited")
    assert "NO_COLOR" in lines["colours"][1] and "60×20" in lines["size"][1] and "does not say" in lines["clipboard"][1]


@pytest.mark.long
def test_a_terminal_that_only_adds_lines_inside_tmux(tmp_path: Path) -> None:
    (tmp_path / "tmux").write_text("#!/bin/sh\necho external\n")
    (tmp_path / "tmux").chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    lines = Terminal(b"").lines(tmp_path, TERM="dumb", TMUX="/tmp/tmux-0/default,1,0", PATH=path)
    assert lines["colours"][0] == "missing"
    assert lines["clipboard"][:2] == ("limited", "not passed on by tmux, whose set-clipboard is external")


def test_no_terminal() -> None:
    command = [str(COMMAND), "doctor", "terminal", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, start_new_session=True)
    assert lines_of(done.stdout)["terminal"][:2] == ("missing", "none")


def test_every_extra_has_a_line_and_how_to_install_it(here: Here) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(USES) == set(extras) - {FOR_DEVELOPERS}
    lines = here("extras")
    assert lines and all(line[2] == ("" if line[0] == "good" else f"pip install 'tuneproof[{name}]'") for name, line in lines.items())


def test_an_extra_is_missing_without_its_library(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tuneproof-9.dist-info").mkdir()
    wanted = "Provides-Extra: slurm\nRequires-Dist: submitit-of-tomorrow>=1; extra == 'slurm'\n"
    (tmp_path / "tuneproof-9.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tuneproof\nVersion: 9\n{wanted}")
    monkeypatch.syspath_prepend(tmp_path)
    assert here("extras")["slurm"][0] == "missing"


def test_the_text_has_each_line_with_what_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "1000")
    assert cli.main(["doctor", "machine"]) == 0
    shown = capsys.readouterr().out
    assert "missing  memory" in shown and "→ raise that limit" in shown
    assert "1 missing" in shown.splitlines()[0] and max(map(len, shown.splitlines())) <= 100


@pytest.mark.parametrize("words", [["gpus"], ["--case", "x.yaml"], ["--jsno"]])
def test_usage(words: list[str]) -> None:
    assert cli.main(["doctor", *words]) == 2


@pytest.mark.long
@pytest.mark.skipif(missing_daemon() is not None, reason="SLURM IS MISSING: apt-get install slurm-wlm")
def test_a_node_of_a_cluster_is_looked_at_by_a_job(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    case = tmp_path / "case.yaml"
    case.write_text("name: x\ntraining: {launcher: slurm, slurm: {partition: all}}\n")
    with slurm_cluster(tmp_path / "cluster"):
        assert "partitions: all* (1)" in doctor("cluster")["Slurm"][1]
        result = tuneproof("doctor", "machine", "cluster", "--slurm", "--case", case, "--json", cwd=tmp_path)
        assert result.code == 0, result.err
        lines = lines_of(result.out)
        assert "this is job" in lines["Slurm"][1] and lines["cores"] and "Slurm job" in result.err
        case.write_text("name: x\ntraining: {launcher: slurm, slurm: {partition: none}}\n")
        refused = tuneproof("doctor", "--slurm", "--case", case, cwd=tmp_path)
        assert refused.code == 3 and "invalid partition" in refused.err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tuneproof-doctor")] == []
