"""The judge of answers as a person enters it: a model on this machine, or a server and the model there."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from tuneproof.engine.case.judge import Judge
from tuneproof.engine.session.form_input import InputError


def judge_entered(text: str) -> dict[str, Any]:
    """The section `judge` for a folder, `sample` or a name on the hub; or for the URL of a server and the name of the model there.

    Raises InputError for anything else.
    """
    words = text.split()
    if not words:
        raise InputError("type a model folder, a name on the hub, or the URL of a server and the name of the model there")
    if "://" not in words[0]:
        return {"model": text.strip()}
    if len(words) != 2:
        raise InputError("type the name of the model after the URL of its server, as in http://localhost:8000/v1 qwen3-32b")
    section = {"endpoint": {"url": words[0], "model": words[1]}}
    try:
        Judge.model_validate(section)
    except ValidationError as error:
        raise InputError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    return section
