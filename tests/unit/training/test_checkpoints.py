"""Only whole checkpoints are resumed from or chosen; the best and the newest stay."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.training.checkpoints import (
    ProbeResult,
    best_checkpoint,
    drop_broken_checkpoints,
    prune_checkpoints,
    seal_checkpoint,
    sealed_checkpoints,
)


def checkpoint(folder: Path, step: int, correct: float | None, *, valid: float = 1.0, loss: float = 0.1) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "adapter_model.safetensors").write_bytes(bytes([step % 256]) * 64)
    seal_checkpoint(path, step, None if correct is None else ProbeResult(n=10, format_valid=valid, correct=correct, loss=loss))
    return path


def test_the_best_has_the_most_exact_answers_then_the_most_valid_then_the_lowest_loss_then_comes_first(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10, 0.5)
    checkpoint(tmp_path, 20, 0.9, valid=0.9)
    checkpoint(tmp_path, 30, 0.9, valid=1.0, loss=0.3)
    checkpoint(tmp_path, 40, 0.9, valid=1.0, loss=0.2)
    checkpoint(tmp_path, 50, 0.9, valid=1.0, loss=0.2)
    assert best_checkpoint(sealed_checkpoints(tmp_path)).seal.step == 40


def test_the_best_is_the_best_in_the_metric_that_decides_where_that_is_not_the_share_of_correct_answers() -> None:
    most_correct = ProbeResult(n=10, format_valid=1.0, correct=0.9, loss=0.1, score=0.4)
    best_score = ProbeResult(n=10, format_valid=1.0, correct=0.5, loss=0.1, score=0.6)
    assert best_score.quality > most_correct.quality


def test_what_is_torn_or_altered_is_not_used_and_dropped_with_the_reason(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10, 0.5)
    altered = checkpoint(tmp_path, 20, 0.9) / "adapter_model.safetensors"
    altered.write_bytes(b"\0" * 64)
    (checkpoint(tmp_path, 30, 0.9) / "adapter_model.safetensors").unlink()
    (checkpoint(tmp_path, 40, 0.9) / "seal.json").unlink()
    checkpoint(tmp_path, 15, 0.4)
    assert [c.seal.step for c in sealed_checkpoints(tmp_path)] == [10, 15]
    assert drop_broken_checkpoints(tmp_path) == [
        "checkpoint-20 was dropped: its file adapter_model.safetensors has changed since it was written",
        "checkpoint-30 was dropped: its file adapter_model.safetensors is missing",
        "checkpoint-40 was dropped: it was not written to its end",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-15"]


def test_pruning_keeps_the_best_and_the_newest(tmp_path: Path) -> None:
    for step, correct in ((10, 0.5), (20, 0.9), (30, 0.7), (35, None)):
        checkpoint(tmp_path, step, correct)
    prune_checkpoints(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-20", "checkpoint-35"]


def test_without_the_best_training_goes_back_before_it_and_not_on_to_another_result(tmp_path: Path) -> None:
    for step, correct in ((10, 0.5), (20, 0.9), (30, 0.7)):
        checkpoint(tmp_path, step, correct)
    (tmp_path / "checkpoint-20" / "adapter_model.safetensors").unlink()
    dropped = drop_broken_checkpoints(tmp_path)
    assert dropped[-1] == "checkpoint-30 was dropped: one before it is lost, and it may have been the best"
    assert [c.seal.step for c in sealed_checkpoints(tmp_path)] == [10]


def test_one_that_was_not_the_best_can_be_lost(tmp_path: Path) -> None:
    for step, correct in ((10, 0.9), (20, 0.5), (30, 0.7)):
        checkpoint(tmp_path, step, correct)
    (tmp_path / "checkpoint-20" / "adapter_model.safetensors").unlink()
    assert len(drop_broken_checkpoints(tmp_path)) == 1
    assert [c.seal.step for c in sealed_checkpoints(tmp_path)] == [10, 30]
