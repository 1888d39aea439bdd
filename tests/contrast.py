"""The contrast of colours, as WCAG 2.2 defines it."""

from __future__ import annotations

from collections.abc import Iterable


def contrast_ratio(one: Iterable[int], other: Iterable[int]) -> float:
    """The contrast ratio of two colours of red, green and blue from 0 to 255; from 1 to 21."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Iterable[int]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
