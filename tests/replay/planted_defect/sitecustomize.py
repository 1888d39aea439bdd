"""Python imports this module on start if its folder is on PYTHONPATH; it replaces the function named in TEST_DEFECT by one that raises."""

from __future__ import annotations

import importlib
import os
from typing import NoReturn


def _raise(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError("planted")


module_name, _, function_name = os.environ["TEST_DEFECT"].partition(":")
module = importlib.import_module(module_name)
assert callable(getattr(module, function_name))
setattr(module, function_name, _raise)
