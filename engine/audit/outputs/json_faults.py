"""The faults of an output that is nearly JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tuneproof.engine.scoring.json_values import parse_json

MOST_BRACKETS = 20
"""Brackets of a text at which the search tries to parse JSON."""

LONGEST = 100_000
"""Characters of the longest output that is analysed."""

_FENCE = "```"
_LANGUAGE = re.compile(r"[ \t]*[\w+-]*[ \t]*\n?")

_TOKEN = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.?)*+(?:"|\Z))
    |(?P<single>'(?:[^'\\]|\\.?)*+(?:'|\Z))
    |(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<infinity>[+-]?\b(?:NaN|Infinity)\b)
    |(?P<word>[^\W\d][\w$-]*)
    |(?P<comma>,)
    |(?P<space>\s+)
    |(?P<other>[\d.+-]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_BETWEEN_VALUES = re.compile(r"[\s,;]*")
_PYTHON = {"True": "true", "False": "false", "None": "null"}
_CURLY = str.maketrans("“”„", '"""')


def json_fault(output: str) -> str | None:
    """What is wrong with an output that is nearly JSON, in a few words; None for valid JSON, and for text that is nothing like it."""
    text = output.strip()
    if not text or len(text) > LONGEST or _is_json(text):
        return None
    if text.startswith(_FENCE) and text.endswith(_FENCE) and len(text) > 2 * len(_FENCE):
        inner = _LANGUAGE.sub("", text[len(_FENCE) : -len(_FENCE)], count=1).strip()
        return _fenced(inner)
    return _fault(text)


def _fenced(inner: str) -> str | None:
    if _is_json(inner):
        return "a Markdown fence around it"
    fault = _fault(inner) if inner else None
    return f"a Markdown fence around it, and {fault}" if fault else None


def _fault(text: str) -> str | None:
    return _several_values(text) or _repairable(text) or _cut_off(text) or _surrounded(text)


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except ValueError:
        return False
    return True


def _past(pattern: re.Pattern[str], text: str, start: int) -> int:
    """The end of what a pattern matches at a position; the position itself if it does not match."""
    found = pattern.match(text, start)
    return found.end() if found else start


def _value_at(text: str, start: int) -> int | None:
    """The end of the object or list that begins at a bracket; None if it is not valid JSON."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return end


def _several_values(text: str) -> str | None:
    ends = count = 0
    while ends < len(text):
        end = _value_at(text, ends) if text[ends] in "{[" else None
        if end is None:
            return None
        count += 1
        ends = _past(_BETWEEN_VALUES, text, end)
    return f"{count} JSON values instead of one" if count > 1 else None


@dataclass(frozen=True)
class _Repaired:
    """A text with its faults repaired, and the faults, each once and in order."""

    text: str
    faults: tuple[str, ...]


def _repairable(text: str) -> str | None:
    """The faults of a text that is JSON once they are repaired."""
    if text[0] not in "{[":
        return None
    repaired = _repair(text)
    if not _is_json(repaired.text):
        curly = _repair(text.translate(_CURLY))
        if curly.text == repaired.text or not _is_json(curly.text):
            return None
        repaired = _Repaired(curly.text, ("typographic quotes", *curly.faults))
    return ", ".join(repaired.faults) or None


def _repair(text: str) -> _Repaired:
    repaired = [_repaired_token(token, text) for token in _TOKEN.finditer(text)]
    faults = dict.fromkeys(fault for fault, _ in repaired if fault)
    return _Repaired("".join(part for _, part in repaired), tuple(faults))


def _repaired_token(token: re.Match[str], text: str) -> tuple[str, str]:
    """The fault in a token, if any, and what JSON has in its place."""
    here = token[0]
    after = _past(_SPACE, text, token.end())
    follows = text[after : after + 1]
    match token.lastgroup:
        case "double" if "\n" in here:
            return "line breaks inside strings", here.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
        case "single":
            return "single quotes for double quotes", _double_quoted(here)
        case "comment":
            return "comments", " "
        case "infinity":
            return "NaN or Infinity, which JSON does not have", "null"
        case "word" if follows == ":":
            return "keys without quotes", json.dumps(here)
        case "word" if here in _PYTHON:
            return "Python's True, False or None", _PYTHON[here]
        case "comma" if follows in ("}", "]"):
            return "a trailing comma", ""
        case _:
            return "", here


def _double_quoted(text: str) -> str:
    closed = len(text) > 1 and text.endswith("'")
    inner = (text[1:-1] if closed else text[1:]).replace("\\'", "'")
    inner = re.sub(r'\\.|"', lambda found: found[0] if found[0] != '"' else '\\"', inner, flags=re.DOTALL)
    return f'"{inner}"' if closed else f'"{inner}'


def _surrounded(text: str) -> str | None:
    """Which side of the text the JSON in it has other text on."""
    for bracket in list(re.finditer(r"[{\[]", text))[:MOST_BRACKETS]:
        end = _value_at(text, bracket.start())
        if end is None:
            continue
        before, after = text[: bracket.start()].strip(), text[end:].strip()
        if not (before or after):
            return None
        # A footnote "[1]" in a sentence is not an answer with text around it.
        if bracket[0] == "{" or end - bracket.start() > len(before) + len(after):
            return f"text {'before and after' if before and after else 'before' if before else 'after'} the JSON"
    return None


def _cut_off(text: str) -> str | None:
    """Whether nothing but the end is missing: the first thing wrong is that the text ends."""
    if text[0] not in "{[":
        return None
    repaired = _repair(text)
    try:
        json.loads(repaired.text)
    except json.JSONDecodeError as error:
        rest = repaired.text[error.pos :].strip()
        if error.msg.startswith("Unterminated string") or re.fullmatch(r"|-|t|tr|tru|f|fa|fal|fals|n|nu|nul", rest):
            return "cut off before its end"
    except (ValueError, RecursionError):
        pass
    return None
