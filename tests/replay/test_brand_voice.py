"""A whole case of judged prose: the voice of a brand from 80 examples, with rules that every answer keeps to, and a judge."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import set_options, tuneproof
from tests.server import loopback
from tests.stub_judge import part, prefers

CASE = Path(__file__).with_name("brand_voice")


def linden(request: str, answer: str) -> float:
    """What an answer is worth to a judge who reads it by the rubric: a greeting by name, the facts, the farewell, and nothing cut off."""
    name = next((word for word in request.splitlines()[-1].split() if word.istitle()), "")
    facts = [word.strip(".,") for word in request.rpartition("Facts:")[2].split()]
    ends, sentence = answer.endswith("Warmly, Linden"), answer.partition("!")[2]
    order = 1.0 if sentence[:20].strip().startswith(("Your", "Pack", "The", "We")) else 0.0
    return 2 * answer.startswith(f"Hello {name}!") + any(fact in answer for fact in facts) + 2 * ends + order


@pytest.mark.long
def test_the_voice_of_a_brand_is_learned_from_eighty_examples_as_rules_and_a_judge_see_it(tmp_path: Path) -> None:
    shutil.copytree(CASE, tmp_path / "case")
    run = tmp_path / "run"
    with loopback() as server:
        server.rule = prefers(linden)
        at_server = set_options(f"judge.endpoint.url={server.url}")
        result = tuneproof("--replay", tmp_path / "case" / "case.yaml", "--run-dir", run, "--json", *at_server)
        assert result.code == 0, result.err
        assert all(part(body["messages"][0]["content"], "answer A") for body in server.bodies)
    card = json.loads(result.out)["card"]
    assert card["judge"]["may_decide"]
    verdict = card["verdict"]
    assert verdict["answer"] == "tune" and verdict["difference"]["judged"]
    untuned, tuned = (next(arm for arm in card["arms"] if arm["arm"] == name) for name in ("zero_shot", "tuned"))
    assert tuned["format_valid"]["rate"] > untuned["format_valid"]["rate"], "the rules are the format"
    assert tuneproof("verify", run).code == 0
