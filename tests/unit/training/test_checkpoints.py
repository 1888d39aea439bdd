"""Only whole checkpoints are resumed from or chosen; the best and the newest stay."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.training.checkpoints import ProbeResult, best_checkpoint, prune_checkpoints, seal_checkpoint, sealed_checkpoints


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


def test_what_is_torn_or_altered_is_not_used(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10, 0.5)
    altered = checkpoint(tmp_path, 20, 0.9) / "adapter_model.safetensors"
    altered.write_bytes(b"\0" * 64)
    (checkpoint(tmp_path, 30, 0.9) / "adapter_model.safetensors").unlink()
    (checkpoint(tmp_path, 40, 0.9) / "seal.json").unlink()
    assert [c.seal.step for c in sealed_checkpoints(tmp_path)] == [10]
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-10"]


def test_pruning_keeps_the_best_and_the_newest(tmp_path: Path) -> None:
    for step, correct in ((10, 0.5), (20, 0.9), (30, 0.7), (35, None)):
        checkpoint(tmp_path, step, correct)
    prune_checkpoints(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-20", "checkpoint-35"]
