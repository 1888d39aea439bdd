"""Style is compared property by property on the same requests; what did not change is not said to have."""

from __future__ import annotations

from collections.abc import Callable

from tuneproof.engine.behaviour.drift import DriftFacts, DriftResult, StyleAnswer, StyleChange, StyleName, StylePair, drift_of
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.behaviour.style import repeated_pairs, type_token_ratio, words_of

WORDS = [f"{first}{second}" for first in ("ba", "ki", "lo", "mu", "ne") for second in ("ra", "ti", "so", "pu", "de", "va", "gi", "zo")]
FACTS = DriftFacts(version="1", sha256="0", cases=200, max_new_tokens=96, seconds=1.0)


def plain(at: int) -> str:
    """An answer of 20 to 29 words, all of them distinct."""
    return " ".join(WORDS[(at + step) % len(WORDS)] for step in range(20 + at % 10))


def answer(text: str, base_nats: float = 40.0, tuned_nats: float = 40.0) -> StyleAnswer:
    return StyleAnswer(output=text, truncated=False, tokens=max(1, len(text.split())), base_nats=base_nats, tuned_nats=tuned_nats)


def drift(
    tuned: Callable[[int], StyleAnswer], base: Callable[[int], StyleAnswer] = lambda at: answer(plain(at)), n: int = 200
) -> DriftResult:
    pairs = [StylePair(id=str(at), prompt="?", base=base(at), tuned=tuned(at)) for at in range(n)]
    return drift_of(FACTS, pairs, {"bara", "kira"}, 0.05, 0.25)


def change(result: DriftResult, name: StyleName) -> StyleChange:
    return next(each for each in result.changes if each.name is name)


def test_the_same_answers_show_no_drift_in_any_property() -> None:
    found = drift(lambda at: answer(plain(at)))
    assert not found.drifted and all(each.outcome is RiskOutcome.NO_WORSE for each in found.changes), found.changes


def test_longer_answers_are_seen_and_nothing_else() -> None:
    found = drift(lambda at: answer(plain(at) + " " + " ".join(f"w{step}" for step in range(20)), base_nats=80.0))
    assert {each.name for each in found.drifted} == {StyleName.LENGTH, StyleName.TOKENS}
    longer = change(found, StyleName.LENGTH).change
    assert longer is not None and 1.7 < longer.low < longer.high < 1.9


def test_shorter_answers_are_drift_too() -> None:
    assert change(drift(lambda at: answer("bati", 2.0, 2.0)), StyleName.LENGTH).outcome is RiskOutcome.WORSE


def test_poorer_words_repetition_and_loops_are_seen() -> None:
    found = drift(lambda at: answer("lora kivo lora kivo " * 12, 40.0))
    assert {StyleName.VOCABULARY, StyleName.REPETITION, StyleName.LOOPS} <= {each.name for each in found.drifted}


def test_words_of_the_trained_answers_are_seen() -> None:
    found = drift(lambda at: answer(f"bara {' '.join(plain(at).split()[2:])} kira"))
    assert StyleName.TASK_WORDS in {each.name for each in found.drifted}


def test_answers_that_the_other_model_finds_unlikely_are_seen() -> None:
    found = drift(lambda at: answer(plain(at), base_nats=70.0 + at % 7), lambda at: answer(plain(at), 40.0, 60.0 + at % 5))
    assert {each.name for each in found.drifted} == {StyleName.UNLIKELY_TO_BASE, StyleName.UNLIKELY_TO_TUNED}


def test_a_base_without_style_and_few_requests_give_no_signal() -> None:
    for found in (drift(lambda at: answer(plain(at)), lambda at: answer("")), drift(lambda at: answer(plain(at)), n=49)):
        assert not found.drifted and all(each.outcome is RiskOutcome.NO_SIGNAL for each in found.changes)


def test_short_answers_have_no_vocabulary_at_a_fixed_length() -> None:
    assert type_token_ratio(["a"] * 19) is None and type_token_ratio(["a"] * 20 + ["b"]) == 0.05
    assert repeated_pairs(words_of("so it is")) == 0 and repeated_pairs(words_of("so it")) is None
