"""`tuneproof audit --on ray`: shards on a real Ray cluster give the same report as one process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.conftest import tuneproof
from tests.unit.audit.defect_factory import DEFECTS, DefectiveRows
from tuneproof.engine.audit_runs.ray.session import ray_started
from tuneproof.tui.cli import main

SHARDS = 3
TEXTS = (
    *(
        "empty",
        "placeholder",
        "outer-white-space",
        "control-characters",
        "mojibake",
        "chat-tokens",
        "refusal",
        "echo",
        "repetition",
        "script",
    ),
    *("private-data", "secret", "answer-in-prompt", "duplicate", "conflict", "leakage", "near-leakage", "near-duplicate", "boilerplate"),
    *("group-leakage", "empty-on-purpose"),
)
LABELS = ("rare-label", "unseen-label", "near-conflict", "label-error")


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[None]:
    with ray_started():
        yield


def files_of(folder: Path, sets: Sequence[DefectiveRows], more: Sequence[str] = ()) -> list[str]:
    """The rows of all sets, dealt to the shards in turn, and the eval file, as words of the command."""
    train = [row_of(e) for world in sets for e in world.examples] + list(more)
    held_out = [row_of(e) for world in sets for e in world.eval]
    shards = [folder / f"shard-{number}.jsonl" for number in range(SHARDS)]
    for number, shard in enumerate(shards):
        shard.write_text("\n".join(train[number::SHARDS]) + "\n")
    (folder / "eval.jsonl").write_text("\n".join(held_out) + "\n")
    return [*map(str, shards), "--against", str(folder / "eval.jsonl")]


def row_of(example: Any) -> str:
    return json.dumps({"input": example.input, "output": example.output, **example.metadata})


def reports(words: Sequence[str], capfd: pytest.CaptureFixture[str]) -> tuple[str, set[str]]:
    """The report of the command in one process, which must equal that on Ray, and the checks with findings."""
    results = []
    for where in ("here", "ray"):
        code = main(["audit", *words, "--json", "--on", where])
        captured = capfd.readouterr()
        # How often the progress is said depends on how long it takes.
        said = [line for line in captured.err.splitlines() if " rows, input/output" in line or line.startswith("tuneproof: ")]
        results.append((code, captured.out, said))
    assert results[1] == results[0]
    document = results[0][1]
    return document, {finding["check"] for finding in json.loads(document)["findings"]}


@pytest.mark.long
def test_texts_in_shards_are_audited_as_in_one_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sets = [DEFECTS[name](Random(name), 3) for name in TEXTS]
    broken = ["no JSON", json.dumps({"prompt": "who?", "completion": "you"}), json.dumps({"messages": []})]
    document, found = reports(files_of(tmp_path, sets, broken), capfd)
    assert found >= {*TEXTS, "unreadable", "mixed-shapes"} - {"empty-on-purpose", "script"}
    assert json.loads(document)["profile"]["inputs"]["different_known"] > 0


@pytest.mark.long
def test_labels_in_shards_are_audited_as_in_one_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sets = [DEFECTS[name](Random(name), 3) for name in LABELS]
    case = tmp_path / "case.yaml"
    case.write_text("name: x\ntask: {output: {kind: choice}}\ndata: {examples: unused.jsonl, accept: {near-conflict: it is so}}\n")
    _, found = reports([*files_of(tmp_path, sets), "--near", "c5", "--case", str(case)], capfd)
    assert found >= {"near-conflict", "near-duplicate"}


@pytest.mark.long
def test_json_in_shards_are_audited_as_in_one_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    case = tmp_path / "case.yaml"
    schema = "{type: object, properties: {name: {type: string}, count: {type: integer}}, required: [name, count]}"
    case.write_text(f"name: x\ntask: {{output: {{kind: json, schema: {schema}}}}}\n")
    sets = [DEFECTS[name](Random(name), 3) for name in ("format", "json-style")]
    _, found = reports([*files_of(tmp_path, sets), "--case", str(case)], capfd)
    assert {"format", "json-style"} <= found


@pytest.mark.long
def test_parts_of_a_folder_in_shards_are_audited_as_in_one_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [json.dumps({"input": f"Where is parcel number {at}?", "output": f"shelf {at}"}) for at in range(12)]
    for name, part in (("train", rows), ("test", rows[:2]), ("validation", rows[3:5])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(part) + "\n")
    (tmp_path / "more.xml").write_text("<a/>")
    _, found = reports([str(tmp_path)], capfd)
    assert found >= {"named-parts", "not-read", "leakage"}


def test_leaving_out_rows_of_findings_is_refused_on_shards(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    case = tmp_path / "case.yaml"
    case.write_text("name: x\ndata: {examples: unused.jsonl, leave_out: [secret]}\n")
    words = files_of(tmp_path, [DEFECTS["secret"](Random(1), 1)])
    assert main(["audit", *words, "--case", str(case), "--on", "ray"]) == 2
    assert "`secret` cannot be left out of shards" in capfd.readouterr().err


def test_without_ray_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError\n")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"input": "a", "output": "b"}\n')
    result = tuneproof("audit", rows, "--on", "ray", env={"PYTHONPATH": str(tmp_path)})
    assert result.code == 2 and "pip install 'tuneproof[scale]'" in result.err
