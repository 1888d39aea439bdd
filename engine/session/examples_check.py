"""Whether the examples that a person names are there: asked where they are entered, not when they are read."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.session.form_input import InputDoubt, InputError, examples_named


def check_examples(text: str) -> str:
    """Nothing if there is such a file or folder, and where a data set is. Takes seconds for a name on the hub.

    Raises InputError if there is neither, and InputDoubt if only the hub could say.
    """
    if not text.strip():
        return ""
    named = examples_named(text)
    if Path(named).exists():
        return ""
    # Imports the hub's library, which only such names need.
    from tuneproof.engine.models.hub_lookup import HubSilent, look_up_data_set

    try:
        look_up_data_set(named)
    except HubSilent as error:
        raise InputDoubt(str(error)) from None
    except CaseError as error:
        raise InputError(str(error)) from None
    return "on the hub"
