"""What a card suggests to try next: runs that differ from this one in one value, so that a difference has one cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tuneproof.engine.card.schema import Card, MethodSection
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.engine.session.task_form import Sections, split_of, with_split

MOST = 3

SEEDS = 3
"""Trainings that show how much of a gain is luck: with fewer the spread cannot be estimated."""

LATE = 0.95
EARLY = 0.5
"""Shares of the training: a best checkpoint after the first is as good as the last one, one before the second came early."""

MORE_EVAL = 0.15
"""The share of the rows that moves from train into eval."""


@dataclass(frozen=True)
class NextRun:
    """A run that differs in one value."""

    key: str
    """The key of the case file that changes."""
    now: str
    then: str
    why: str
    sections: Sections
    """The changed section, as a draft takes it."""

    @property
    def change(self) -> str:
        """The change in a few words."""
        return f"{self.key}: {self.now} → {self.then}"


def next_runs(content: DraftCase, card: Card) -> list[NextRun]:
    """The two or three changes that would tell most, likeliest to help first."""
    candidates = _after_training(content, card, card.method) if card.method and card.method.best_step else _before_training(content, card)
    return list(islice(candidates, MOST))


def _after_training(content: DraftCase, card: Card, method: MethodSection) -> Iterator[NextRun]:
    verdict, steps = card.verdict, method.steps or 1
    progress = (method.best_step or 0) / steps
    if verdict.answer is VerdictAnswer.INCONCLUSIVE:
        yield from _more_eval_cases(content)
    if verdict.answer is VerdictAnswer.TUNE and content.evaluate.seeds < SEEDS:
        yield _seeds(content)
    if progress >= LATE:
        yield from _scaled(content, method, "epochs", 2, "the last checkpoint was the best one: it was still learning")
    elif progress <= EARLY:
        why = f"the best checkpoint was step {method.best_step} of {steps}: a smaller rate may go further before it overfits"
        yield from _scaled(content, method, "learning_rate", 0.5, why)
    if verdict.target is TargetStatus.NOT_MET and not content.evaluate.learning_curve:
        why = "trains on a quarter and on half of the rows as well: it shows whether more labels would help"
        yield _evaluate(content, "learning_curve", "no", "yes", True, why)
    if verdict.answer is VerdictAnswer.TUNE:
        yield from _scaled(content, method, "rank", 0.5, "is half the size enough? Then the adapter is smaller, and learns less by heart")
    else:
        yield from _scaled(content, method, "rank", 2, "an adapter of twice the size can learn more")
        yield from _scaled(content, method, "learning_rate", 0.5, "a smaller rate changes the model more gently")


def _before_training(content: DraftCase, card: Card) -> Iterator[NextRun]:
    measured = {arm.arm for arm in card.arms}
    if not measured:
        return
    if card.verdict.target is TargetStatus.MEASURED:
        yield from _more_eval_cases(content)
    for arm, why in _UNTRIED.items():
        if arm in measured or (arm is ArmName.RETRIEVAL and (content.data is None or content.data.documents is None)):
            continue
        chosen = [*content.baselines, arm.value]
        yield NextRun("baselines", ", ".join(content.baselines), f"also {arm}", why, {"baselines": chosen})
    if card.method is not None and card.method.skipped and card.verdict.target is TargetStatus.SHOWN and not content.method.even_if_met:
        why = "would tuning be better still? The card would compare the two"
        sections = {"method": content.method.model_copy(update={"even_if_met": True})}
        yield NextRun("method.even_if_met", "no", "yes", why, sections)


_UNTRIED = {
    ArmName.FEW_SHOT: "examples in the prompt often show what an instruction cannot say",
    ArmName.CONSTRAINED: "a grammar makes every complete answer valid",
    ArmName.FEW_SHOT_CONSTRAINED: "examples and a grammar together are the best prompt that needs no search",
    ArmName.RETRIEVAL: "the documents may have the answers",
}
"""Arms that cost no training, and what each could show."""


def _scaled(content: DraftCase, method: MethodSection, key: str, by: float, why: str) -> Iterator[NextRun]:
    """A setting of the training times a factor, if the method has it and a whole number stays one."""
    now = method.settings.get(key)
    if now is None or (isinstance(now, int) and int(now * by) < 1):
        return
    then = int(now * by) if isinstance(now, int) else now * by
    sections = {"training": content.training.model_copy(update={key: then})}
    yield NextRun(f"training.{key}", f"{now:g}", f"{then:g}", why, sections)


def _seeds(content: DraftCase) -> NextRun:
    why = "is the gain there with other seeds, too? The interval then covers the luck of training"
    return _evaluate(content, "seeds", str(content.evaluate.seeds), str(SEEDS), SEEDS, why)


def _evaluate(content: DraftCase, key: str, now: str, then: str, value: bool | int, why: str) -> NextRun:
    return NextRun(f"evaluate.{key}", now, then, why, {"evaluate": content.evaluate.model_copy(update={key: value})})


def _more_eval_cases(content: DraftCase) -> Iterator[NextRun]:
    """More cases to score on, if they are cut from the same file as train. The new eval set is another one."""
    shares = split_of(content)
    if content.data is None or content.data.eval is not None or shares.train - MORE_EVAL < MORE_EVAL:
        return
    scored = round(shares.eval + MORE_EVAL, 4)
    why = "more cases show smaller differences; the two runs then have different eval sets"
    sections = with_split(content, train=round(shares.train - MORE_EVAL, 4), eval=scored)
    yield NextRun("data.split.eval", f"{shares.eval:g}", f"{scored:g}", why, sections)
