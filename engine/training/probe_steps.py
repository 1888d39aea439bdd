"""After which steps a training is probed on validation cases."""

from __future__ import annotations

PROBES = 6
"""Probes of a training, unless the case sets `training.probe_every`: two an epoch in three epochs."""


def is_probe_step(step: int, steps: int, every: int | None) -> bool:
    """Whether a probe follows this of so many steps: every `every` steps and the last, or `PROBES` evenly spread ones if it is None."""
    if every is not None:
        return step % every == 0 or step == steps
    return step * PROBES // steps > (step - 1) * PROBES // steps


def next_probe(step: int, steps: int, every: int | None) -> int | None:
    """The first step after `step` that a probe follows; None once the last step is taken."""
    if step >= steps:
        return None
    if every is not None:
        return min(steps, (step // every + 1) * every)
    return -(-(step * PROBES // steps + 1) * steps // PROBES)


def count_probes(steps: int, every: int | None) -> int:
    """The probes of a training of so many steps, the last one included."""
    return min(steps, PROBES) if every is None else -(-steps // every)
