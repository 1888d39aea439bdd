"""Giving answers the scores that no grader can compute, for a case whose metric is a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.case.task import OutputKind, Task
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.outside_score import OutsideScore
from tuneproof.engine.scoring.predictions import Prediction, can_be_scored, with_outside_score
from tuneproof.engine.scoring.script_process import script_process

Cases = Sequence[tuple[str, Example]]


class OutsideScorer(Protocol):
    """Scores answers in a metric that no grader can compute."""

    @property
    def inputs(self) -> Mapping[str, str]:
        """Digests of what a score depends on besides the task."""

    def scored(self, predictions: Sequence[Prediction], cases: Cases, on_progress: Callable[[int, int], None]) -> list[Prediction]:
        """The predictions with their scores; `cases` has their rows, in the same order."""

    def release(self) -> None:
        """Frees what it keeps in memory."""


@dataclass(frozen=True)
class ScriptScorer:
    """Asks the script of a case about each answer that can be scored."""

    metric: ScriptMetric
    passes_at: float
    kind: OutputKind
    grader: Grader

    @property
    def inputs(self) -> Mapping[str, str]:
        """None: the script is part of the task."""
        return {}

    def scored(self, predictions: Sequence[Prediction], cases: Cases, on_progress: Callable[[int, int], None]) -> list[Prediction]:
        """Raises CaseError, with the row, where the script gives no score; and whatever `on_progress` raises."""
        found = []
        with script_process(self.metric) as process:
            for done, (prediction, (name, case)) in enumerate(zip(predictions, cases, strict=True), 1):
                if prediction.unanswered:
                    found.append(prediction)
                else:
                    fields = {}
                    if can_be_scored(prediction, self.kind):
                        fields = process.score(answer_of(prediction.answer), row_of(name, case), f"row {name} ({case.source})")
                    found.append(with_outside_score(prediction, OutsideScore(passes_at=self.passes_at, fields=fields), self.grader))
                on_progress(done, len(predictions))
        return found

    def release(self) -> None:
        """Nothing: the process of a script ends with its answers."""

    def try_on(self, cases: Cases) -> None:
        """Asks the script about the expected answers of some rows, so that one which fails is known before any model has answered."""
        with script_process(self.metric) as process:
            for name, case in cases:
                process.score(answer_of(case.output), row_of(name, case), f"row {name} ({case.source})")


def script_scorer(task: Task, grader: Grader) -> ScriptScorer | None:
    """The scorer of a task whose metric is a script; None for another metric."""
    return ScriptScorer(task.metric, task.pass_score, task.output.kind, grader) if isinstance(task.metric, ScriptMetric) else None


def row_of(name: str, case: Example) -> Mapping[str, Any]:
    """A row as a script is given it: the other columns of the data, and the parts of the example; `output` is the expected answer."""
    return {
        **case.metadata,
        "id": name,
        "instruction": case.instruction,
        "system": case.system,
        "history": [{"role": turn.role, "content": turn.content} for turn in case.history],
        **({"tools": list(case.tool_use.tools)} if case.tool_use is not None else {}),
        "input": case.input,
        "output": answer_of(case.output),
    }
