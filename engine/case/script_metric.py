"""`task.metric` with a script: a Python function of the user's that scores an answer."""

from __future__ import annotations

import ast
from pathlib import Path

from pydantic import Field, field_validator

from tuneproof.engine.case.section import CaseSection
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.text_file import TextFileError, read_text_file

FUNCTION = "score"
"""The name of the function that a script defines."""

MOST_BYTES = 1 << 18
"""Bytes of a script."""


class ScriptMetric(CaseSection):
    """A metric of your own: a Python file that defines `score(output, row)`."""

    script: str = Field(min_length=1)
    """The file, or its text. A loaded case has the text itself, which its digests cover."""
    seconds: float = Field(default=10, gt=0, le=3600)
    """Time limit for one answer."""
    memory_gb: float = Field(default=2, gt=0, le=100_000)
    """Memory that the process of the script may take, in GB of 10⁹ bytes."""

    @field_validator("script")
    @classmethod
    def defines_the_function(cls, script: str) -> str:
        if not names_a_file(script):
            check_script(script)
        return script

    def with_text(self, folder: Path, where: str) -> ScriptMetric:
        """The same with the text of the script; a file name starts at `folder`. Raises CaseError for a file that is no such script."""
        if not names_a_file(self.script):
            return self
        fix = f"give a Python file that defines `{FUNCTION}(output, row)`; paths are relative to the case file"
        try:
            text = read_text_file(folder / self.script, MOST_BYTES)
            check_script(text)
        except FileNotFoundError:
            raise CaseError(f"`task.metric.script`: there is no file {folder / self.script}", where=where, fix=fix) from None
        except TextFileError as error:
            raise CaseError(f"`task.metric.script` cannot be read: {error}", where=where, fix=error.fix or fix) from None
        except ValueError as error:
            raise CaseError(f"`task.metric.script`: {self.script}: {error}", where=where, fix=fix) from None
        return self.model_copy(update={"script": text})


def names_a_file(script: str) -> bool:
    """Whether the value is the name of a file rather than a script's own text, which has a definition and so more than one line."""
    return "\n" not in script.strip() and not script.lstrip().startswith("def ")


def check_script(text: str) -> None:
    """Raises ValueError for a text that is not Python, or that does not define the function; nothing of it is run."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise ValueError(f"not Python{line}: {error.msg if isinstance(error, SyntaxError) else error}") from None
    if not any(FUNCTION in _names_bound_by(statement) for statement in tree.body):
        raise ValueError(f"it does not define `{FUNCTION}(output, row)`")


def _names_bound_by(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef():
            return [statement.name]
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name for alias in statement.names]
        case ast.Assign():
            return [target.id for target in statement.targets if isinstance(target, ast.Name)]
        case ast.If() | ast.Try():
            return [name for inner in statement.body for name in _names_bound_by(inner)]
    return []
