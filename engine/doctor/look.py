"""All lines about this machine, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor

from tuneproof.engine.doctor.cluster import slurm_line
from tuneproof.engine.doctor.extras import extra_lines
from tuneproof.engine.doctor.gpu import gpu_lines
from tuneproof.engine.doctor.hub import hub_lines
from tuneproof.engine.doctor.line import Group, Line
from tuneproof.engine.doctor.machine import machine_lines, program_lines
from tuneproof.engine.doctor.torch_facts import ask_torch

LOOKS: dict[Group, Callable[[], Iterator[Line]]] = {
    Group.PROGRAM: program_lines,
    Group.GPU: lambda: gpu_lines(ask_torch()),
    Group.MACHINE: machine_lines,
    Group.CLUSTER: lambda: iter((slurm_line(),)),
    Group.HUB: hub_lines,
    Group.EXTRAS: extra_lines,
}
"""What looks at each group. The terminal is not the engine's."""


def look(groups: Collection[Group] = tuple(LOOKS)) -> list[Line]:
    """Looks at this machine; takes seconds, most of them for the process that imports torch and for a hub that does not answer."""
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda group: list(LOOKS[group]()), [group for group in LOOKS if group in groups])
        return [line for each in looks for line in each]
