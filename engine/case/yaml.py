"""Data as YAML text that parses back to the same data."""

from __future__ import annotations

import re
from typing import Any

import yaml

# YAML treats these as line breaks, and PyYAML writes them unescaped.
_UNUSUAL_LINE_BREAKS = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, which here quotes strings that have unusual line breaks."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _UNUSUAL_LINE_BREAKS.search(text) else None)


_Dumper.add_representer(str, _string)


def yaml_text(value: Any) -> str:
    """The value as YAML, its keys in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
