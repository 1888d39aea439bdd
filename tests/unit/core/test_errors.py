"""An error says where, what and what to do, and survives the way from one process to another."""

from __future__ import annotations

import pickle

import pytest

from tuneproof.engine.core.errors import CaseError, ExitCode, GateClosed, TuneproofError


def test_an_error_reads_as_place_then_problem_then_fix() -> None:
    assert str(CaseError("not YAML", where="case.yaml:3", fix="close the bracket")) == "case.yaml:3: not YAML; close the bracket"
    assert str(CaseError("not YAML")) == "not YAML"


@pytest.mark.parametrize("error", [GateClosed("too few rows", where="data", fix="add some"), CaseError("not YAML")])
def test_an_error_from_another_process_keeps_its_parts_and_exit_code(error: TuneproofError) -> None:
    received = pickle.loads(pickle.dumps(error))
    assert type(received) is type(error) and str(received) == str(error)
    assert (received.what, received.where, received.fix, received.exit_code) == (error.what, error.where, error.fix, error.exit_code)


def test_exit_codes_are_the_documented_numbers() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "DEFECT": 1,
        "USAGE": 2,
        "REFUSED": 3,
        "FAILED": 4,
        "DIFFERS": 5,
        "INTERRUPTED": 130,
    }
