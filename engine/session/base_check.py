"""Whether a base that a person names can be used, and what it is: asked where it is entered, not three steps later."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.case.schema import SAMPLE
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.base_facts import checked_facts, folder_facts
from tuneproof.engine.models.custom_code import code_references
from tuneproof.engine.models.files import config_folder, local_folder
from tuneproof.engine.models.folder_check import check_named_folder
from tuneproof.engine.models.trial import trial_of
from tuneproof.engine.session.form_input import InputDoubt, InputError, base_model


def check_base(text: str) -> str:
    """What the base is, in a line; empty for an empty text. Takes seconds: a folder is tried, and the hub is asked.

    Raises InputError if the folder is not whole, if a run could not use it, or if there is no such model, and InputDoubt if only the hub
    could say.
    """
    if not text.strip():
        return ""
    base = base_model(text)
    try:
        check_named_folder(base)
        folder = local_folder(base)
        if folder is not None:
            facts = checked_facts(folder).describe()
            return ". ".join([facts, *_tried(folder, base)])
        return _on_hub(base)
    except CaseError as error:
        raise InputError(str(error)) from None


def _tried(folder: Path, base: str) -> list[str]:
    # A model with code of its own is not tried: whether the code may run is asked later. The sample model is known.
    return [] if base == SAMPLE or code_references(folder) else trial_of(folder)


def _on_hub(name: str) -> str:
    # Imports the hub's library, which only such names need.
    from tuneproof.engine.models.hub_lookup import HubSilent, look_up

    try:
        facts, is_here = look_up(name)
    except HubSilent as error:
        raise InputDoubt(str(error)) from None
    return f"{'on this machine' if is_here else 'on the hub, not downloaded yet'}: {facts.describe()}"


def describe_base(base: str) -> str:
    """What the files of a base on this machine say about it; a folder that is not whole says what is wrong with it."""
    folder = local_folder(base) or (config_folder(base) if not Path(base).is_absolute() else None)
    if folder is None:
        return "not on this machine yet: it is downloaded when it is first needed"
    try:
        return folder_facts(folder).describe()
    except (CaseError, OSError) as error:
        return str(error)
