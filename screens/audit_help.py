"""What the help of the audit step says."""

from __future__ import annotations

AUDIT_HELP = """
**Is the data good enough to train on and to measure with?** Every check looks at every row.

- ■ **block**: the gate is closed until you fix the rows in the file, leave them out, or accept the finding. ▲ **warn**: shown on the
  card. · **info**: for your information. ✓: you have decided; such findings are at the end of the list.
- **Leakage**: a training row that is also an eval row. The score would then measure memory, not skill.
- **Conflict**: the same request with two different answers. Whatever the model answers, one of the rows counts it as wrong.
- **Duplicate**: a request that occurs twice counts double.
- **Format**: an answer in another format than the task asks for teaches the drift that you want to cure.
- **Leave out** (x): this case does not use the rows that the check found. enter goes to the rows: there, x leaves out the highlighted row
  alone, and o the row that it is compared with, so that of a conflict or a leak only the wrong side goes.
- **Keep together** (t): for rows that belong together, such as those of one conversation. The split puts them all into one part.
- **Put back** (b): nothing is decided about the finding, or the row, any more. **Undo** (u): takes back the last decision, and the one
  before, as far as this case was opened.
- **Set aside** (w): leaves the rows out, and writes a copy of them beside the data (the *quarantine* file), for you to look at and fix.
  Your file is never edited.
  **Accept** (a): you keep the rows and give a reason, which the card shows.
- **Again** (r): reads and checks the files again, after you have fixed them.
- Private data and secrets are masked on the screen.

i explains the highlighted check with one of your rows. escape goes back from the rows to the findings.
"""
