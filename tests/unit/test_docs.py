"""The documentation: its picture is the one that the imports draw."""

from __future__ import annotations

from tests.architecture import PICTURE, engine_drawing, shell_drawing, svg


def test_the_engine_has_ten_layers_and_no_import_points_up() -> None:
    drawing = engine_drawing()
    assert len(drawing.rows) == 10
    assert not drawing.pointing_up()


def test_the_shell_imports_only_what_is_below_it() -> None:
    assert not shell_drawing().pointing_up()


def test_the_picture_of_the_layers_is_current() -> None:
    assert PICTURE.read_text(encoding="utf-8") == svg(), "draw it again: python -m tests.architecture"
