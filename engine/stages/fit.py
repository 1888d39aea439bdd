"""Fitting a plan to some rows, in this process or in several: what the tuned model and the variants besides it share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.arms.token_lengths import answer_budget
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.data.example import Example
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.limits import is_out_of_memory
from tuneproof.engine.run.node_rendezvous import rendezvous_file
from tuneproof.engine.run.reporting import WorkReport
from tuneproof.engine.run.store import EVENTS
from tuneproof.engine.run.training_seconds import seconds_so_far
from tuneproof.engine.run.training_sink import TrainingSink
from tuneproof.engine.run.work import Work
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.oom_fallback import increase_accumulation
from tuneproof.engine.stages.run_context import RunContext

if TYPE_CHECKING:
    from tuneproof.engine.training.result import TrainingResult
    from tuneproof.engine.training.validation_probe import ValidationProbe


def fit(
    run: RunContext, model: ModelContext, examples: Sequence[Example], plan: Plan, folder: Path, sink: TrainingSink, *, anew: bool = False
) -> TrainingResult:
    """Trains the plan on the examples, probed on validation cases, into the folder; `anew` if it was dropped with other settings.

    Raises RestartWorker if memory ran out, now or by the death of the process before, and a step can be run in smaller parts, and
    OutOfMemory if it cannot.
    """
    run.store.check_there()
    if run.killed is not None and not anew and run.killed.for_memory and run.killed.place.model == sink.model:
        raise increase_accumulation(run.store, run.log, plan)
    # Ended by the event that the training has begun.
    WorkReport(run.log, Work.PREPARING, sink.model).begin()
    with large_imports():
        # TRL takes seconds to import, and most commands never train.
        from tuneproof.engine.training.distributed.launch import train_in_processes
        from tuneproof.engine.training.label_faults import check_rows
        from tuneproof.engine.training.tokenize import encode_rows

        if plan.processes == 1:
            from tuneproof.engine.training.run import train

    base, tuned = model.base, TUNED_ARMS[ArmName.TUNED](model.setting)
    probe = validation_probe(model, plan)
    earlier = seconds_so_far(run.store.path / EVENTS, sink.model)
    log = replace(sink, earlier_seconds=earlier)
    encoded = encode_rows(base, tuned, examples)
    check_rows(base, encoded)
    given = (base, encoded, probe, plan, folder, log, run.stop)
    try:
        with run.stop.until_saved():
            if plan.processes == 1:
                result = train(*given)
            else:
                result = train_in_processes(*given, rendezvous_file(run.store.path) if plan.nodes > 1 else None)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise increase_accumulation(run.store, run.log, plan) from None
    return replace(result, seconds=round(result.seconds + earlier, 3))


def validation_probe(model: ModelContext, plan: Plan) -> ValidationProbe:
    """The probe of the validation cases that the plan has answered during training."""
    from tuneproof.engine.training.tokenize import encode_rows
    from tuneproof.engine.training.validation_probe import ValidationProbe

    base, tuned = model.base, TUNED_ARMS[ArmName.TUNED](model.setting)
    probed = model.rows.probe_cases(plan.probe_cases, plan.seed)
    cases = [example for _, example in probed]
    return ValidationProbe(
        base=base,
        measure=model.measure,
        cases=probed,
        prompts=[base.prompt(tuned.messages(case)) for case in cases],
        encoded=encode_rows(base, tuned, cases),
        # At first a model does not end its answers, and writes until the limit.
        max_new_tokens=answer_budget(model.lengths, cases),
        ends_with_document=tuned.ends_with_document,
        script=model.script,
    )
