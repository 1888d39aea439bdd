"""Choosing a file: a path to type, and below it the files of the current folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DirectoryTree, Input, Static

from tuneproof.screens.ask import AskLine, Check, LineInput
from tuneproof.screens.overlay import Overlay
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content


class FilteredTree(DirectoryTree):
    """The subfolders of a folder and its files with certain endings, without hidden ones."""

    # Textual's own emoji are one cell wide in some terminals and two in others.
    ICON_NODE, ICON_NODE_EXPANDED, ICON_FILE = "▸ ", "▾ ", "  "

    def __init__(self, folder: Path, endings: Sequence[str]) -> None:
        super().__init__(folder)
        self._endings = tuple(endings)

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if not path.name.startswith(".") and (path.is_dir() or path.name.lower().endswith(self._endings))]

    def render_label(self, node, base_style, style):  # type: ignore[no-untyped-def]
        label = super().render_label(node, base_style, style)
        shown = sanitize(label.plain, one_line=True)
        if shown != label.plain:
            label.plain = shown
        return label


class PickScreen(Overlay[Path | None]):
    """Asks for a file, with `folders` also for a folder; returns None if the user presses escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", priority=True),
        Binding("f2", "other_field", "Path / list"),
        Binding("f3", "parent_folder", "Parent folder"),
    ]

    def __init__(self, title: str, endings: Sequence[str], *, folders: bool = False, folder: Path | None = None) -> None:
        super().__init__()
        self._title, self._endings, self._folders, self._folder = title, endings, folders, (folder or Path.cwd()).resolve()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = sanitized_content(self._title, one_line=True)
            yield LineInput(placeholder="type a path, or choose below with the arrow keys and enter")
            yield FilteredTree(self._folder, self._endings)
            yield Static("", id="wrong", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(FilteredTree).focus()

    @on(DirectoryTree.FileSelected)
    def _selected(self, event: DirectoryTree.FileSelected) -> None:
        self.dismiss(event.path)

    @on(DirectoryTree.DirectorySelected)
    def _folder_selected(self, event: DirectoryTree.DirectorySelected) -> None:
        # A run folder is chosen as a whole instead of being opened.
        if self._folders and (event.path / "manifest.json").is_file():
            self.dismiss(event.path)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        path = path if path.is_absolute() else self._folder / path
        if path.is_file() or (self._folders and path.is_dir()):
            self.dismiss(path)
        else:
            self.query_one("#wrong", Static).update(f"there is no such file: {sanitize(str(path), one_line=True)}")

    @on(LineInput.SeveralLines)
    def _several_lines(self, message: LineInput.SeveralLines) -> None:
        self.query_one("#wrong", Static).update(f"{message.lines} lines were pasted, and a path has one: nothing was pasted")

    def action_other_field(self) -> None:
        self.focus_next()

    def action_take_folder(self) -> None:
        """Takes the highlighted folder, or that of the highlighted file."""
        node = self.query_one(FilteredTree).cursor_node
        path = node.data.path if node is not None and node.data is not None else self._folder
        self.dismiss(path if path.is_dir() else path.parent)

    def action_parent_folder(self) -> None:
        self._folder = self._folder.parent
        self.query_one(FilteredTree).path = self._folder


class PickFolder(PickScreen):
    """Asks for a folder; the files in it are listed, so that the right one is recognised."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "take_folder", "Take this folder")]

    def __init__(self, title: str, endings: Sequence[str]) -> None:
        super().__init__(title, endings, folders=True)


class AskFolder(AskLine):
    """Asks for a folder by its path, which can be picked from a list as well."""

    HINT = "enter saves, f3 lists the folders, escape cancels, f1 explains"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f3", "pick", "List", priority=True)]

    def __init__(self, title: str, why: str, value: str, check: Check, endings: Sequence[str]) -> None:
        super().__init__(title, why, value, check=check)
        self._endings = endings

    def action_pick(self) -> None:
        self.app.push_screen(PickFolder(self._title, self._endings), self._picked)

    def _picked(self, path: Path | None) -> None:
        field = self.query_one(LineInput)
        if path is not None:
            field.value = str(path)
        field.focus()
