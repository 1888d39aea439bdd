"""The encoding that a file which is not UTF-8 probably has, so that the user can convert it. Nothing is converted here: it is a guess."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.content import open_content
from tuneproof.engine.data.reading_limits import MIB, ReadingLimits

LEAST_BYTES = 4
"""Bytes beyond ASCII from which an encoding can be told."""

WESTERN = "cp1252"

NAMES = {
    "cp932": "Shift-JIS",
    "shift_jis": "Shift-JIS",
    "euc_jp": "EUC-JP",
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp949": "EUC-KR",
    "euc_kr": "EUC-KR",
    "koi8_r": "KOI8-R",
    "mac_roman": "MACINTOSH",
}
"""Names that iconv and people know, where Python has another; `cp1251` is Windows-1251 for all of them."""


def likely_encoding(path: Path, compression: str) -> str:
    """The name of the encoding of a file with lines that are not UTF-8; empty if it cannot be told, or if other lines are UTF-8."""
    try:
        with open_content(path, compression, ReadingLimits.none()) as content:
            read = content.read(MIB)
    except (DataRefused, OSError):
        return ""
    lines = read.splitlines()
    # Where the reading stopped, a line and a character may be cut off.
    foreign = [line for line in (lines[:-1] if len(read) == MIB else lines) if not line.isascii()]
    if any(map(_is_utf8, foreign)):
        return ""
    return name_of(b"\n".join(foreign))


def name_of(content: bytes) -> str:
    """The name of the encoding that a text probably has; empty if it is too short to tell."""
    if sum(byte > 0x7F for byte in content) < LEAST_BYTES:
        return ""
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    if best is None:
        return ""
    # Western text is often valid in its neighbours too, and they are rarer.
    encoding = WESTERN if WESTERN in best.could_be_from_charset else best.encoding
    if encoding.startswith("cp125"):
        return f"Windows-{encoding[2:]}"
    return NAMES.get(encoding, encoding.replace("iso8859_", "ISO-8859-").replace("_", "-").upper())


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
