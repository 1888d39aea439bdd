"""Regular expressions for dates and times, because llguidance's own formats allow values that validators reject.

llguidance allows 23:55:60 and 2023-02-29. RFC 3339 allows a leap second only at the end of a UTC day, and no 29 February 2023.
"""

from __future__ import annotations

import re
from typing import Any

_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DATE = (
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEAR}-02-29)"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"

PATTERNS = {"date": f"^{_DATE}$", "time": f"^{_TIME}$", "date-time": f"^{_DATE}T{_TIME}$"}
"""RFC 3339 without leap seconds, lower-case letters and fractions finer than a microsecond."""


def exact_format(node: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """A `pattern` to replace the `format` of a schema node; empty if it has its own pattern, or if one of `values` would not match."""
    pattern = PATTERNS.get(str(node.get("format")))
    if pattern is None or "pattern" in node:
        return {}
    return {"pattern": pattern} if all(re.match(pattern, value) for value in values if isinstance(value, str)) else {}
