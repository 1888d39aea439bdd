"""A script metric as a person enters it: the text of the script, or the file that has it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.session.form_input import InputError

FIRST_SCRIPT = '''def score(output, row):
    """The score of an answer, from 0 to 1, or several of them by name; row has the input, the expected output and other columns."""
    return {"same": float(output.strip() == row["output"].strip())}
'''
"""The script that the field begins with."""


def script_text(task: Task) -> str:
    """The script of a task as it is edited."""
    return task.metric.script if isinstance(task.metric, ScriptMetric) else FIRST_SCRIPT


def script_entered(text: str, folder: Path, now: Task) -> ScriptMetric:
    """The metric with the script that was entered and the limits as they are; a file name starts at `folder`.

    Raises InputError for what is neither a file nor a script that defines its function.
    """
    limits = {"seconds": now.metric.seconds, "memory_gb": now.metric.memory_gb} if isinstance(now.metric, ScriptMetric) else {}
    if not text.strip():
        raise InputError("type a script, or the name of its file")
    try:
        return ScriptMetric(script=text.strip() + "\n" if "\n" in text.strip() else text.strip(), **limits).with_text(folder, "task.metric")
    except ValidationError as error:
        raise InputError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    except CaseError as error:
        raise InputError(f"{error.what}; {error.fix}" if error.fix else error.what) from None
