"""The skeleton of an output keeps its structure and leaves out its values."""

from __future__ import annotations

import time

from tuneproof.engine.audit.outputs.skeletons import is_structured, skeleton


def test_a_skeleton_keeps_keys_and_names() -> None:
    assert skeleton('{"a": "x: \\"y\\"", "b": [1, -2.5e3, null]}') == skeleton('{"a":  "z", "b": [7, 8, true]}')
    assert skeleton('{"a": 1}') != skeleton('{"b": 1}')
    assert skeleton("SELECT T1.a FROM T1") != skeleton("SELECT T2.a FROM T1")
    assert all(map(is_structured, ["select a from b", "[1, 2]", "f(x, y)", "def f(x): pass", "x^2 + 3 = 7", "=SUM(A1:A3)"]))
    assert not any(map(is_structured, ["A sentence (with brackets).", "42", "yes", "a and/or b are what we want", "update the app set"]))


def test_a_long_answer_costs_no_more_than_its_length() -> None:
    began = time.perf_counter()
    assert not is_structured("<<48/2=24>> " * 200 + "?") and skeleton('"' * 20_000)
    assert time.perf_counter() - began < 1
