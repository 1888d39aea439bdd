"""`tuneproof audit`: the audit of files alone, as JSON and as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import tuneproof

TRAIN = [{"input": f"what is the capital of country number {n}", "output": f"city {n}"} for n in range(30)]


def document_of(*words: object, code: int = 0) -> dict[str, Any]:
    result = tuneproof("audit", *words, "--json")
    assert result.code == code, result.err
    document: dict[str, Any] = json.loads(result.out)
    return document


def test_clean_rows_pass_and_are_counted(write_jsonl: Any) -> None:
    result = tuneproof("audit", write_jsonl(TRAIN))
    assert result.code == 0 and "no findings" in result.out and "30 rows" in result.out
    assert "rows.jsonl: 30 rows, input/output" in result.err


def test_leaks_are_reported_with_both_rows_and_block(write_jsonl: Any) -> None:
    eval_rows = [
        {"input": "What is the capital of country number 3?", "output": "another city"},
        {"input": "tell me what is the capital of country number 5 on this map of the whole wide world today", "output": "city 5"},
        {"input": "tell me what is the capital of country number 5 on this map of the whole wide world", "output": "city 5"},
    ]
    train = write_jsonl([*TRAIN, {"input": eval_rows[1]["input"] + " please", "output": "city 5"}])
    against = write_jsonl(eval_rows, "eval.jsonl")
    document = document_of(train, "--against", against, code=3)
    blocking = {finding["check"]: finding for finding in document["findings"] if finding["severity"] == "block"}
    assert blocking.keys() == {"leakage", "near-leakage"}
    assert blocking["leakage"]["rows"] == [
        {"file": "rows.jsonl", "line": 4, "of": {"file": "eval.jsonl", "line": 1}, "note": "eval says another city"}
    ]
    assert [(row["line"], row["of"]["line"]) for row in blocking["near-leakage"]["rows"]] == [(31, 2)]
    assert document["counts"]["leaked_rows"] == {"eval.jsonl": {"raw": 0, "norm": 0, "loose": 1, "near": 3}}
    shown = tuneproof("audit", train, "--against", against)
    assert shown.code == 3 and "rows.jsonl:4 = eval.jsonl:1  eval says another city" in shown.out
    assert shown.err.splitlines()[-1].startswith("tuneproof: rows.jsonl:4: the audit blocks: leakage, near-leakage")


def test_unusable_rows_are_reported_by_kind_and_left_out(tmp_path: Path) -> None:
    unusable = [
        b'{"input": "torn',
        b'{"input": "caf\xe9s", "output": "b"}',
        b'{"prompt": "a", "completion": "b"}',
        b'{"messages": [{"role": "user", "content": "a"}]}',
    ]
    chats = [
        json.dumps({"messages": [{"role": "user", "content": r["input"]}, {"role": "assistant", "content": r["output"]}]}) for r in TRAIN
    ]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join([*unusable, *(chat.encode() for chat in chats)]))
    document = document_of(file)
    assert {f["check"]: (f["message"], [row["line"] for row in f["rows"]], f["left_out"]) for f in document["findings"]} == {
        "unreadable": ("1 row cannot be read", [1], True),
        "encoding": ("1 row is not UTF-8: probably Latin-1 or Windows-1252 in 1", [2], True),
        "mixed-shapes": ("rows.jsonl has 2 shapes: most rows are messages, 1 is prompt/completion", [3], True),
        "turns": ("1 conversation has no answer to train on", [4], True),
    }
    assert "rows.jsonl:2  not UTF-8 at byte 15 of the line: E9 is probably Latin-1 or Windows-1252: é" in tuneproof("audit", file).out


def test_near_rows_are_found_by_the_chosen_shingle(write_jsonl: Any) -> None:
    twin = "please book a table for two in the corner by the window at eight tonight"
    file = write_jsonl([{"input": twin, "output": "a"}, {"input": twin.replace("corner", "corners"), "output": "a"}, *TRAIN])
    by_words, by_characters = (document_of(file, "--near", shingle) for shingle in ("w3", "c5"))
    assert by_words["counts"]["near_pairs"] == 0
    assert by_characters["counts"]["near_pairs"] >= 1
    (finding,) = (f for f in by_characters["findings"] if f["check"] == "near-duplicate")
    assert {"file": "rows.jsonl", "line": 1} in [row["of"] for row in finding["rows"]]


@pytest.fixture
def conflicting(write_jsonl: Any) -> Path:
    path: Path = write_jsonl([*TRAIN, {"input": TRAIN[0]["input"], "output": "another city"}])
    return path


def test_a_case_says_what_is_left_out_and_what_is_accepted(conflicting: Path, write_case: Any) -> None:
    case = {"task": {"output": {"kind": "text"}}, "data": {"examples": "rows.jsonl"}}
    assert next(f["check"] for f in document_of(conflicting, "--case", write_case(case), code=3)["findings"]) == "conflict"
    case["data"] = {"examples": "rows.jsonl", "leave_out": ["conflict"]}
    assert len(document_of(conflicting, "--case", write_case(case))["left_out"]) == 2
    case["data"] = {"examples": "rows.jsonl", "accept": {"conflict": "both cities are right"}}
    (finding, *_) = document_of(conflicting, "--case", write_case(case))["findings"]
    assert finding["accepted"] == "both cities are right" and not finding["left_out"]


@pytest.mark.parametrize(
    ("words", "code", "shown"),
    [
        ([], 2, "FILE"),
        (["nowhere.jsonl"], 3, "there is no such file"),
        (["rows.jsonl", "--near", "w4"], 2, "w4"),
        (["rows.jsonl", "--case", "nowhere.yaml"], 2, "nowhere.yaml"),
    ],
)
def test_a_mistake_is_one_line(conflicting: Path, words: list[str], code: int, shown: str) -> None:
    result = tuneproof("audit", *words, cwd=conflicting.parent)
    assert result.code == code and shown in result.err and "Traceback" not in result.err
    assert result.err.count("tuneproof: ") == 1


def test_text_of_rows_cannot_move_the_cursor_and_private_data_is_masked(write_jsonl: Any) -> None:
    address = "mary.jones" + "@" + "elsewhere.org"
    request = "who \x1b[2J wrote this letter"
    rows = [
        {"input": request, "output": address},
        {"input": request, "output": "none \x1b[2J"},
    ]
    result = tuneproof("audit", write_jsonl(rows))
    assert result.code == 3
    assert "\x1b" not in result.out and address not in result.out


def test_columns_are_named_without_a_case(write_jsonl: Any) -> None:
    rows = write_jsonl([{"id": n, "body": {"text": row["input"]}, "label": row["output"]} for n, row in enumerate(TRAIN)])
    assert document_of(rows, "--columns", "input=body.text,output=label")["counts"]["rows"] == 30
    result = tuneproof("audit", rows, "--columns", "body,label")
    assert result.code == 2 and "does not name the input" in result.err and "input=text,output=label" in result.err
