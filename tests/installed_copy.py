"""Runs the program as it is installed in a folder, not as the editable install has it: `python installed_copy.py FOLDER --version`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    folder, *words = sys.argv[1:]
    # Without the link tree of the editable install and the folder of this file, only the copy can be found.
    sys.path = [folder, *(path for path in sys.path[1:] if "__editable__" not in path)]

    from tuneproof.tui import cli

    assert cli.__file__.startswith(folder), cli.__file__
    sys.exit(cli.main(words))
