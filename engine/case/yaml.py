"""Data as YAML that reads back as it was."""

from __future__ import annotations

import re
from typing import Any

import yaml

# YAML takes these for the end of a line, and PyYAML writes them as they are.
_OTHER_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """PyYAML's, but for strings with line ends other than the usual one, which it has to escape."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _OTHER_LINE_ENDS.search(text) else None)


_Dumper.add_representer(str, _string)


def yaml_text(value: Any) -> str:
    """The value with its keys in the order they have, as text."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
