"""Whether a base that a person names can be used, and what it is: asked where it is entered, not three steps later."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.base_facts import checked_facts, folder_facts
from tuneproof.engine.models.files import config_folder, local_folder
from tuneproof.engine.models.folder_check import check_named_folder
from tuneproof.engine.session.form_input import InputDoubt, InputError, base_model


def check_base(text: str) -> str:
    """What the base is, in a line; empty for an empty text. Takes seconds for a name on the hub, and only those that it gives up after.

    Raises InputError if the folder is not whole, or if there is no such model, and InputDoubt if only the hub could say.
    """
    if not text.strip():
        return ""
    base = base_model(text)
    try:
        check_named_folder(base)
        folder = local_folder(base)
        if folder is not None:
            return checked_facts(folder).describe()
        return _on_hub(base)
    except CaseError as error:
        raise InputError(str(error)) from None


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
