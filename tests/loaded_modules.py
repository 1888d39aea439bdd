"""Runs a command of the program, then prints the top-level modules that it loaded: `python -m tests.loaded_modules --version`."""

from __future__ import annotations

import sys
from contextlib import suppress

from tuneproof.tui.cli import main

if __name__ == "__main__":
    with suppress(SystemExit):
        main(sys.argv[1:])
    print("LOADED", *sorted({name.split(".")[0] for name in sys.modules}))
