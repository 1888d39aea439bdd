"""Data as YAML text that parses back to the same data, also by readers of YAML 1.1."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tuneproof.engine.case.scalars import is_plain_text

# YAML treats these as line breaks, and PyYAML writes them unescaped.
_UNUSUAL_LINE_BREAKS = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, which here writes every value out and quotes more texts."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # PyYAML quotes what YAML 1.1 reads as another type; `2e-4` is a number only in YAML 1.2.
    quoted = _UNUSUAL_LINE_BREAKS.search(text) or not is_plain_text(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if quoted else None)


_Dumper.add_representer(str, _string)


class _BlockDumper(_Dumper):
    """Writes texts of several lines as blocks, as a person would."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|") if "\n" in text else _string(dumper, text)


_BlockDumper.add_representer(str, _block)


def yaml_text(value: Any, *, blocks: bool = False) -> str:
    """The value as YAML, its keys in their order; with `blocks`, texts of several lines keep them, to be edited."""
    dumper = _BlockDumper if blocks else _Dumper
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
