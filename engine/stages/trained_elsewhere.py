"""A model that was trained elsewhere, in place of a training: its files become those of the run, and it is probed once.

Only the worker imports this.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tuneproof.engine.core.disk_space import require_room, room_for_files
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.methods.trained_elsewhere import TrainedElsewhere, trained_elsewhere
from tuneproof.engine.models.base_model import load_weights
from tuneproof.engine.models.weight_files import base_parameters, stored_parameters
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import part_file
from tuneproof.engine.run.trainer_log import TrainerLog, trainer_log
from tuneproof.engine.run.training_history import TRAINING_HISTORY, LossPoint, TrainingHistory
from tuneproof.engine.run.work import Work
from tuneproof.engine.stages.fit import validation_probe
from tuneproof.engine.stages.method import settled_plan
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext

STEP = StepId(StepKind.TRAIN)


def take_trained(run: RunContext, model: ModelContext, named: str) -> bool:
    """Takes the model in a folder as the tuned one, and returns whether that was done before. Raises CaseError if it does not fit."""
    given, store = trained_elsewhere(named), run.store
    inputs = store.inputs([part_file(Part.VALIDATION)], {"base": model.base.sha256, "trained": given.sha256})
    if store.is_done(STEP, inputs):
        return True
    store.check_there()
    _copy(given, store.path / artifacts.TRAINED)
    log = trainer_log(given.folder)
    facts = _facts(run, model, given, log)
    store.write(artifacts.TRAINING, facts.as_text())
    store.write(TRAINING_HISTORY, _history(log).as_text())
    files = [artifacts.TRAINING, TRAINING_HISTORY, *(f"{artifacts.TRAINED}/{name}" for name in given.files)]
    store.record_step(STEP, inputs, files)
    return False


def _copy(given: TrainedElsewhere, folder: Path) -> None:
    """The files in the run folder: the run can be verified, and is whole, when the other folder is gone."""
    require_room(folder.parent, room_for_files(*((given.folder / name).stat().st_size for name in given.files)), "the trained model")
    folder.mkdir(parents=True, exist_ok=True)
    for name in given.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(given.folder / name, folder / name)


def _facts(run: RunContext, model: ModelContext, given: TrainedElsewhere, log: TrainerLog | None) -> artifacts.TrainingFacts:
    """What is known of the training, and how the model does on the validation cases."""
    with working(run.log, Work.PREPARING), large_imports():
        probe = validation_probe(model, settled_plan(run))
    result, _ = probe.run(load_weights(model.base, run.store.path / artifacts.TRAINED))
    frozen = METHODS[given.method].frozen
    weights = [name for name in given.files if name.endswith(".safetensors")]
    return artifacts.TrainingFacts(
        examples=0,
        steps=log.global_step if log else 0,
        best_step=log.global_step if log else 0,
        validation_cases=result.n,
        validation_format_valid=result.format_valid,
        validation_correct=result.correct,
        validation_loss=result.loss,
        trained_parameters=sum(stored_parameters(given.folder / name, frozen) for name in weights),
        all_parameters=base_parameters(model.base.folder),
        seconds=None,
        elsewhere=artifacts.ElsewhereFacts(base=given.base, has_log=log is not None, evaluated=bool(log and log.eval_losses)),
    )


def _history(log: TrainerLog | None) -> TrainingHistory:
    if log is None:
        return TrainingHistory(losses=[], probes=[])
    points = [[LossPoint(step=step, loss=round(loss, 6)) for step, loss in series] for series in (log.losses, log.eval_losses)]
    return TrainingHistory(losses=points[0], probes=[], validation_losses=points[1])
