"""The command line: the one place where words become a command, and errors a line and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tuneproof.engine.core.errors import ExitCode, TuneproofError
from tuneproof.engine.core.plain_text import plain_streams, sanitize
from tuneproof.engine.core.telemetry import turn_off_telemetry
from tuneproof.tui.commands.find_case import shipped_case
from tuneproof.tui.commands.help import unknown_command
from tuneproof.tui.commands.registry import COMMANDS
from tuneproof.tui.commands.wizard import WIZARD


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code. Mistakes of the user and limits of the machine take one line, without a traceback.

    All that any command prints leaves here, as plain text.
    """
    turn_off_telemetry()
    with plain_streams():
        return _exit_code(list(sys.argv[1:] if arguments is None else arguments))


def _exit_code(words: list[str]) -> int:
    try:
        return run(words)
    except TuneproofError as error:
        print(f"tuneproof: {sanitize(str(error), one_line=True)}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("tuneproof: interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output, such as `head`, has ended.
        sys.stderr.close()
        return int(ExitCode.DONE)
    except Exception as error:
        return _show_unexpected(error)


def _show_unexpected(error: Exception) -> int:
    """Shows a limit of the machine as such, anything else as a defect of this program."""
    from tuneproof.engine.run.limits import machine_limit

    limit = machine_limit(error, Path(getattr(error, "filename", None) or "."))
    try:
        problem = str(limit) if limit else f"a defect in tuneproof; the traceback is in {_write_traceback()}"
    except OSError:
        traceback.print_exc()
        problem = "a defect in tuneproof"
    print(f"tuneproof: {problem}", file=sys.stderr)
    return int(limit.exit_code if limit else ExitCode.DEFECT)


def run(words: list[str]) -> int:
    """Runs the command that the words name. Raises a TuneproofError for any mistake of the user."""
    command = COMMANDS.get(words[0]) if words else None
    if command is not None:
        return command.run(words[1:])
    if words and _can_only_be_a_command(words[0]):
        raise unknown_command(words[0], COMMANDS)
    return WIZARD.run(words)


def _can_only_be_a_command(word: str) -> bool:
    """Whether a first word that is no command was meant to be one: it is neither an option, nor a file, nor the name of a sample case."""
    return word.isidentifier() and not Path(word).exists() and shipped_case(Path(word)) is None


def _write_traceback() -> Path:
    """Writes the current traceback to a temporary file and returns its path."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="tuneproof-defect-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(sanitize(traceback.format_exc()))
    return Path(file.name)


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
