"""Keeping other libraries' notices out of what people read, in a process that is about to load a model."""

from __future__ import annotations

import os
import warnings


def quiet_libraries() -> None:
    """To be called before transformers is imported: no progress bars, and no notices to programmers."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    # Nothing here needs a progress bar, and the log is read by people.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
