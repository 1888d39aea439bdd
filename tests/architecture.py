"""The picture of the layers, drawn from the imports into `docs/architecture.svg`: `python -m tests.architecture`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import grimp

from tests.conftest import ROOT

PICTURE = ROOT / "docs" / "architecture.svg"
ENGINE = "tuneproof.engine"
ROOTS = (ENGINE, "tuneproof.screens", "tuneproof.tui", "tuneproof.sample_cases")

WIDTH, MARGIN = 1000, 40
ROW, BOX = 84, 30
"""Pixels from the top of one row to the top of the next, and the height of a box."""

STYLE = """
  text { font-family: ui-sans-serif, system-ui, sans-serif; font-size: 14px; fill: #1f2933; text-anchor: middle; }
  .note { font-size: 12px; fill: #52606d; text-anchor: start; }
  .frame { fill: #f5f7fa; stroke: #cbd2d9; }
  .layer { fill: #e9eef4; }
  .box { fill: #ffffff; stroke: #3e4c59; }
  .arrow { fill: none; stroke: #3e4c59; stroke-width: 1.3; marker-end: url(#tip); }
  .implied { fill: none; stroke: #cbd2d9; stroke-width: 1; }
"""


@dataclass(frozen=True)
class Drawing:
    """Rows of modules from top to bottom, and which module imports which, without imports inside a module."""

    rows: list[list[str]]
    arrows: set[tuple[str, str]]

    def row_of(self, module: str) -> int:
        """The row that the module is in, from 0 at the top."""
        return next(number for number, row in enumerate(self.rows) if module in row)

    def pointing_up(self) -> set[tuple[str, str]]:
        """Arrows that do not lead to a lower row."""
        return {(source, target) for source, target in self.arrows if self.row_of(target) <= self.row_of(source)}

    def implied(self) -> set[tuple[str, str]]:
        """Arrows whose target is also reached through other modules."""
        return {(source, target) for source, target in self.arrows if any(self._leads(a, target) for s, a in self.arrows if s == source)}

    def _leads(self, source: str, target: str) -> bool:
        return any(a == source and (b == target or self._leads(b, target)) for a, b in self.arrows)


@cache
def import_graph() -> grimp.ImportGraph:
    """All imports inside the program."""
    return grimp.build_graph(*ROOTS, cache_dir=None)


def engine_drawing() -> Drawing:
    """The layers of the engine, as the import contract lists them, with the imports that are there."""
    [contract] = [each for each in contracts() if each.get("containers") == [ENGINE]]
    return drawing([[f"{ENGINE}.{name.strip()}" for name in layer.split("|")] for layer in contract["layers"]])


def shell_drawing() -> Drawing:
    """The layers from the command line down to the engine, which is one module here."""
    [contract] = [each for each in contracts() if each["type"] == "layers" and ENGINE in each["layers"]]
    return drawing([[name.strip() for name in layer.split("|")] for layer in contract["layers"]])


def drawing(rows: list[list[str]]) -> Drawing:
    """The rows with the imports among their modules; a module includes everything inside it."""
    graph, listed = import_graph(), {module for row in rows for module in row}
    arrows = set()
    for module in graph.modules:
        source = _listed_as(module, listed)
        for imported in graph.find_modules_directly_imported_by(module):
            target = _listed_as(imported, listed)
            if source and target and source != target:
                arrows.add((source, target))
    return Drawing(rows, arrows)


def contracts() -> list[dict[str, Any]]:
    """The import contracts of `pyproject.toml`."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def svg() -> str:
    """The picture: the shell, and below it the engine in its frame."""
    shell, engine = shell_drawing(), engine_drawing()
    above = Drawing(shell.rows[:-1], {arrow for arrow in shell.arrows if arrow[1] != ENGINE})
    top = MARGIN + len(above.rows) * ROW
    height = top + 40 + len(engine.rows) * ROW
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
            '<path d="M 0 0 L 8 4 L 0 8 z" fill="#3e4c59"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<rect class="frame" x="12" y="{top - 12}" width="{WIDTH - 24}" height="{height - top}" rx="10"/>',
            f'<text class="note" x="26" y="{top + 10}">engine/: {len(engine.rows)} layers</text>',
            '<text class="note" x="26" y="28">tui/ and screens/: each may also import the engine</text>',
            *_drawn(above, MARGIN),
            *_bands(engine, top + 28),
            *_drawn(engine, top + 28),
            "</svg>\n",
        ]
    )


def _drawn(picture: Drawing, top: int) -> Iterable[str]:
    places = {module: place for number, row in enumerate(picture.rows) for module, place in _placed(row, number)}
    implied = picture.implied()
    for source, target in sorted(picture.arrows, key=lambda arrow: (arrow not in implied, arrow)):
        (x1, row1), (x2, row2) = places[source], places[target]
        y1, y2 = top + row1 * ROW + BOX, top + row2 * ROW
        bend = min(60, (y2 - y1) // 2)
        kind = "implied" if (source, target) in implied else "arrow"
        yield f'<path class="{kind}" d="M {x1} {y1} C {x1} {y1 + bend}, {x2} {y2 - bend}, {x2} {y2}"/>'
    for module, (x, row) in places.items():
        name = module.removeprefix(f"{ENGINE}.").removeprefix("tuneproof.")
        wide = 8 * len(name) + 28
        yield f'<rect class="box" x="{x - wide // 2}" y="{top + row * ROW}" width="{wide}" height="{BOX}" rx="6"/>'
        yield f'<text x="{x}" y="{top + row * ROW + 20}">{escape(name)}</text>'


def _bands(picture: Drawing, top: int) -> Iterable[str]:
    for number in range(len(picture.rows)):
        y = top + number * ROW
        yield f'<rect class="layer" x="22" y="{y - 8}" width="{WIDTH - 44}" height="{BOX + 16}" rx="6"/>'
        yield f'<text class="note" x="34" y="{y + 20}">{number + 1}</text>'


def _placed(row: Sequence[str], number: int) -> Iterable[tuple[str, tuple[int, int]]]:
    """Each module with the middle of its box and its row; rows of few modules move left and right in turn, so that arrows pass beside."""
    share = (WIDTH - 2 * MARGIN) / len(row)
    shift = (-1) ** number * share / 8
    for place, module in enumerate(row):
        yield module, (round(MARGIN + share * (place + 0.5) + shift), number)


def _listed_as(module: str, listed: set[str]) -> str | None:
    parts = module.split(".")
    return next((name for length in range(len(parts), 0, -1) if (name := ".".join(parts[:length])) in listed), None)


def main() -> None:
    """Writes the picture."""
    PICTURE.write_text(svg(), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
