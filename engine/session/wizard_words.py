"""Messages as the wizard says them: those of the engine name options of the command line and keys of the case file."""

from __future__ import annotations

import re
from functools import lru_cache

from tuneproof.engine.core.errors import TuneproofError

OPTIONS = (
    (r"continue with --resume --run-dir .*?(?=, |; |$)", "press r to resume"),
    (r"add --resume to continue( that run)?", "press r to resume"),
    (r"add --resume", "press r to resume"),
    (r"(start the run on a larger disk|choose another folder) with --run-dir", r"start tuneproof in a folder on another disk"),
    (r"add --allow-large \(in a case: (.*?)\)", r"set \1"),
    (r"to train (?:anyway|all the same), set method\.\w+: \w+", "to train anyway, press e on step 8, and g on step 1 of the new run"),
    (r" or on Ray \(--on ray\)", ""),
    (r"name the columns in the case: data\.columns: \{[^}]*\}", "press s on the data step to choose the columns"),
)
"""What messages say of the command line, as patterns, and what a person does in the wizard."""

ANY = re.compile(r"--[a-z]|[a-z_]\.[a-z_]")
"""What every text that has to be changed contains."""

ALL_KEYS = "k lists all keys"


def in_wizard(text: str, *, says_where: bool = True) -> str:
    """The text for the screen: a key of the case file without its section, and the wizard's keys in place of options.

    `says_where` adds how keys are reached, which a panel that has their field need not say.
    """
    if not ANY.search(text):
        return text
    for pattern, said in OPTIONS:
        text = re.sub(pattern, said, text)
    plain, changed = _dotted_keys().subn(lambda found: found[0].rpartition(".")[2], text)
    return f"{plain}; {ALL_KEYS}" if changed and says_where and ALL_KEYS not in plain else plain


def error_in_wizard(error: TuneproofError) -> str:
    """What is wrong, where, and what to do, for the screen."""
    return in_wizard(str(error))


@lru_cache
def _dotted_keys() -> re.Pattern[str]:
    """Every key of the case file with its sections."""
    from tuneproof.engine.case.schema import DraftCase
    from tuneproof.engine.session.case_keys import case_keys

    paths = [key.path for key in case_keys(DraftCase(name="any"))]
    names = {".".join(path[:end]) for path in paths for end in range(2, len(path) + 1)}
    # Inside a section its own key may be named without the sections above it.
    names |= {".".join(path[-2:]) for path in paths if len(path) > 2}
    any_name = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    # With more dots it may be the name of a file, unless it is quoted.
    return re.compile(rf"(?<![\w./-])(?:{any_name})(?![\w/-]|\.\w)|(?<=`)(?:{any_name})(?:\.\w+)+(?=`)")
