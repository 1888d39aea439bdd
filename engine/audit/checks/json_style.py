"""Check: JSON outputs in different styles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.outputs.json_styles import JsonStyle, JsonStyles, NumberStyle, styles_of
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural


@check("json-style", severity=Severity.INFO)
def inconsistent_json(table: Table) -> Iterator[Finding]:
    """JSON outputs in another style than most: other white space, another order of the keys, or numbers in quotes.

    They mean the same, but the model has to guess which style is wanted. Reported if most outputs are JSON objects; keys are those of the
    outermost object, or of the first object in a list.
    """
    usual = table.count(JsonStyles)
    if 2 * usual.outputs <= table.count(Size).rows:
        return
    rows = tuple(_differing(table.once(styles_of), usual))
    if rows:
        yield Finding(
            f"{len(rows)} JSON {plural(len(rows), 'output has', 'outputs have')} another style than most",
            "write all outputs with one program and the same options",
            rows,
        )


def _differing(styles: Sequence[JsonStyle], all_styles: JsonStyles) -> Iterator[FlaggedRow]:
    spacing = next((value for value, _ in all_styles.spacing.most_common(1)), None)
    orders, numbers = all_styles.usual_orders(), all_styles.usual_numbers()
    for style in styles:
        notes = []
        if style.spacing and style.spacing is not spacing:
            notes.append(f"{style.spacing}, most are {spacing}")
        usual = orders.get(frozenset(style.keys), style.keys)
        if style.keys != usual:
            notes.append(f"keys in the order {_named(style.keys)}, most have {_named(usual)}")
        notes += [f"`{key}` is a number without quotes, most have quotes" for key in style.bare if numbers.get(key) is NumberStyle.QUOTED]
        notes += [f"`{key}` is a number in quotes, most have none" for key in style.quoted if numbers.get(key) is NumberStyle.BARE]
        if notes:
            yield FlaggedRow(style.at, note="; ".join(notes))


def _named(keys: Sequence[str]) -> str:
    return ", ".join(keys[:6]) + (", ..." if len(keys) > 6 else "")
