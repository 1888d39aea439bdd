"""All commands, in the order in which a user meets them. Help, completion, the nearest command and the contract are made from this list."""

from __future__ import annotations

from tuneproof.tui.commands.attach import ATTACH
from tuneproof.tui.commands.audit import AUDIT
from tuneproof.tui.commands.command import Command
from tuneproof.tui.commands.completion import completion_command
from tuneproof.tui.commands.doctor import DOCTOR
from tuneproof.tui.commands.export import EXPORT
from tuneproof.tui.commands.gate import GATE
from tuneproof.tui.commands.help import help_command
from tuneproof.tui.commands.judge import JUDGE
from tuneproof.tui.commands.plan import PLAN
from tuneproof.tui.commands.reproduce import REPRODUCE
from tuneproof.tui.commands.runs import RUNS
from tuneproof.tui.commands.sample_model import SAMPLE_MODEL
from tuneproof.tui.commands.schema import SCHEMA
from tuneproof.tui.commands.trace import TRACE
from tuneproof.tui.commands.verify import VERIFY
from tuneproof.tui.commands.wizard import WIZARD

COMMANDS: dict[str, Command] = {}
"""The commands by their first word, in the order of the help."""


def _register(*commands: Command) -> None:
    COMMANDS.update({command.name: command for command in commands})


_register(
    ATTACH,
    RUNS,
    PLAN,
    AUDIT,
    JUDGE,
    TRACE,
    VERIFY,
    REPRODUCE,
    GATE,
    EXPORT,
    SAMPLE_MODEL,
    DOCTOR,
    SCHEMA,
)
# These two are about the others, so they come last and are given the list.
_register(help_command(WIZARD, COMMANDS), completion_command(WIZARD, COMMANDS))
