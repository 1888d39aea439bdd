"""Data files with faults of every kind, for tests that feed many of them to the readers."""

from __future__ import annotations

import gzip
import json

import pyarrow
from hypothesis import strategies as st

from tests.unit.data.row_files import encoded

ENDINGS = [ending + packed for ending in (".jsonl", ".json", ".csv", ".tsv", ".parquet") for packed in ("", ".gz", ".zst")]

SEEDS = {ending: encoded(ending) for ending in (".jsonl", ".json", ".csv", ".tsv", ".parquet")}

FRAGMENTS = [
    *(
        b"\0",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\\ud800",
        b'"',
        b"{",
        b"[",
        b"]",
        b"}",
        b",",
        b"\n",
        b"\r",
        b"\t",
        b"\\",
        b":",
    ),
    *(
        b"NaN",
        b"1e999",
        b"9" * 4500,
        b"[" * 2000,
        b'{"a":' * 300,
        b"null",
        b"true",
        b'"input"',
        b'"output"',
        b'"messages"',
        b'{"role": "user"}',
    ),
]
"""What mutations put into a file: characters that mean something, and values that no other parser takes."""

WORDS = st.text(max_size=12) | st.sampled_from(["user", "assistant", "system", "\ud800", "\0", "<think>"])
VALUES = st.recursive(
    WORDS | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["input", "output", "instruction", "system", "prompt", "completion", "messages", "conversations", "metadata", "x"])
TURNS = st.lists(st.dictionaries(st.sampled_from(["role", "content", "from", "value", "tool_calls"]), VALUES, max_size=3), max_size=4)
ROWS = st.lists(st.dictionaries(KEYS, VALUES | TURNS, max_size=4) | VALUES, max_size=4)


@st.composite
def mutated_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """The ending and content of a file that was right before a few bytes were changed."""
    ending = draw(st.sampled_from(ENDINGS))
    base = ending.removesuffix(".gz").removesuffix(".zst")
    content = _mutated(draw, SEEDS[base]) if draw(st.booleans()) else _rows(draw, base)
    content = _packed(content, ending)
    return ending, _mutated(draw, content) if draw(st.integers(0, 9)) == 0 else content


def _rows(draw: st.DrawFn, base: str) -> bytes:
    rows = [json.dumps(row) for row in draw(ROWS)]
    return ("[" + ",".join(rows) + "]" if base == ".json" else "\n".join(rows)).encode()


def _mutated(draw: st.DrawFn, content: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.sampled_from([0, 0, 1, 1, 4, 40, 10_000])))
        content = content[:at] + draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=6)) + content[end:]
    return content


def _packed(content: bytes, ending: str) -> bytes:
    if ending.endswith(".gz"):
        return gzip.compress(content, 1)
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True)) if ending.endswith(".zst") else content
