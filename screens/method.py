"""Step 6: what can be trained on this base, what each way costs, and which one to take."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.card.markdown import length_line
from tuneproof.engine.card.plan_text import DIVIDED, gb, memory_line, ways_line
from tuneproof.engine.case.training import Sharding
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.methods.forecast import Forecast
from tuneproof.engine.methods.plan import AUTO, make_plan, setting_sources
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run.artifacts import CatalogueEntry
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.session.steps import Step
from tuneproof.screens.ask import AskChoice, AskLine
from tuneproof.screens.step import StepScreen
from tuneproof.tui.widgets.memoized_static import MemoizedStatic

SETTINGS = {
    "epochs": "how often each example is seen",
    "learning_rate": "how far one step goes; too high: the loss jumps",
    "batch_size": "examples in one step",
    "rank": "how much an adapter can learn, and its size",
    "alpha": "how strongly an adapter counts",
    "virtual_tokens": "how long the learned prompt is; every request pays for it",
    "warmup": "the share of the steps in which the rate rises",
    "max_length": "longer rows are not trained on; none is ever cut",
    "max_steps": "end after so many steps at the latest",
    "probe_every": "steps between two looks at validation",
}


class MethodScreen(StepScreen):
    """The catalogue as a table for this base, the choice and its reason, and the settings."""

    STEP = Step.METHOD
    HELP_TEXT = """
**How much of the model has to change?** The less, the cheaper, and the less that can be forgotten.

- **LoRA** leaves the model as it is and trains two small matrices beside every linear layer. It costs a few percent of the parameters,
  and the result is a small file, the *adapter*, that is loaded on top of the base. **full** changes every weight, and the result is a
  whole model. The others lie between, or train less still; what the marked one is good for stands below the list.
- **Quantised** methods hold the base in 4 or 8 bits, to fit a model that would not fit otherwise. **Merging** puts an adapter into the
  weights, so that it costs nothing to run.
- **PEFT's comparison** is the one published measurement with all of them alike: one model, one task, one seed. Where two intervals
  overlap it does not tell which is better, and your task is another.
- **Parameters** are the numbers that training changes; the **share** is their part of all the model's numbers.
- **GB** is the memory that training is predicted to take with the settings below; **!** is more than there is, less a tenth. On a CPU it
  is coarse. A large training is tried for a step before it begins, and the card holds the two against each other.
- **auto** takes the lightest method that changes a habit of the model, and says why.
- **Learning rate, epochs, batch size, rank**: what is not set here takes the documented default, which is shown and goes on the card.

enter takes the marked method, a takes auto, t changes a setting. Once training has begun the method is fixed for this run.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "auto", "Auto"),
        Binding("t", "change_setting", "Settings"),
        Binding("g", "train_all_the_same", "Train all the same"),
    ]

    _forecasts: Mapping[str, Forecast] = MappingProxyType({})

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="methods")
        with VerticalScroll(id="why-method", classes="panel"):
            yield MemoizedStatic(id="why-text")
        with VerticalScroll(id="settings", classes="panel fill"):
            yield MemoizedStatic(id="settings-text")

    def on_mount(self) -> None:
        listed = self.query_one("#methods", OptionList)
        listed.border_title = "What can be trained on this base"
        for name in METHODS:
            listed.add_option(Option("", id=name))
        self.query_one("#why-method").border_title = "The choice"
        self.query_one("#settings").border_title = "Settings: t changes one; what is not set takes its default"
        listed.focus()
        names = list(METHODS)
        chosen = self.session.draft.content.method.name
        listed.highlighted = names.index(chosen) if chosen in names else 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "train_all_the_same":
            return self._against() is not None
        return not (action in ("auto", "change_setting") and self._is_fixed)

    @property
    def _is_fixed(self) -> bool:
        return self.state.tuned.started is not None

    def show(self) -> None:
        entries = {entry.name: entry for entry in self.session.catalogue}
        self._forecasts = self.session.forecasts()
        listed = self.query_one("#methods", OptionList)
        chosen = self.session.draft.content.method.name
        for name, method in METHODS.items():
            mark = "▸" if name == chosen or (chosen == AUTO and name == self._plan_name) else " "
            entry = entries.get(name)
            told = f"{name:<13} {_size(entry)} {_takes(self._forecasts.get(name))}  {method.trains}"
            listed.replace_option_prompt(name, Content(f"{mark} {told}"))
        listed.border_subtitle = "trained parameters, share of all, memory predicted"
        self.query_one("#why-text", Static).update(self._why())
        self.query_one("#settings-text", Static).update(self._settings())
        self._say_how_it_stands()
        self.refresh_bindings()

    @property
    def _plan_name(self) -> str:
        content = self.session.draft.content
        return make_plan(content.method, content.training).method

    def _why(self) -> Content:
        content = self.session.draft.content
        try:
            chosen = make_plan(content.method, content.training)
        except TuneproofError as error:
            return Content.styled(str(error), "bold")
        asked = f"{AUTO} → {chosen.method}" if content.method.name == AUTO else chosen.method
        lines = [Content.assemble((asked, "bold"), f": {chosen.why}"), *self._marked()]
        against = self._against()
        if against is not None:
            insisted = content.method.even_if_met or content.method.even_if_routed_elsewhere
            lines.append(
                Content.styled(
                    f"{against}. {'You train all the same.' if insisted else 'Training is skipped; g trains all the same.'}", "bold"
                )
            )
        return Content("\n").join(lines)

    def _marked(self) -> list[Content]:
        """What there is to know of the method under the cursor."""
        at = self.query_one("#methods", OptionList).highlighted
        method = METHODS[list(METHODS)[at or 0]]
        told = [Content.assemble((method.name, "bold"), f" trains {method.trains}; good for {method.good_for}")]
        refused = self.session.refused(method.name)
        if refused is not None:
            told.append(Content.styled(f"not here: {refused}", "bold"))
        if (forecast := self._forecasts.get(method.name)) is not None:
            told.append(_forecast(forecast))
        if method.published:
            told.append(Content(f"published: {method.published.summary}"))
        if method.unsupported:
            told.append(Content(f"cannot: {'; '.join(f'{ability.value} ({why})' for ability, why in method.unsupported.items())}"))
        return told

    def _against(self) -> str | None:
        """What the evidence says against training, in words."""
        met = self.session.arms_that_meet_the_target()
        if met:
            return f"{met[0]} already meets the target"
        route = self.session.route()
        from tuneproof.engine.case.route import Route

        return None if route in (None, Route.FINE_TUNING) else f"the route is `{route}`"

    def _settings(self) -> Content:
        content = self.session.draft.content
        try:
            chosen = make_plan(content.method, content.training)
        except TuneproofError:
            return Content("")
        where = setting_sources(content.method, content.training)
        lines = []
        for name, meaning in SETTINGS.items():
            if name not in chosen.settings:
                continue
            own = getattr(content.training, name)
            value = own if own is not None else getattr(chosen, name)
            shown = "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
            kind, told = ("default", where.get(name, meaning)) if own is None else ("yours  ", meaning)
            lines.append(Content.assemble(f"{name:<14}", (f"{shown:>8}", "bold"), f"  {kind}  ", (told, "dim")))
        if self.session.trained_length is not None:
            lines.append(Content(length_line(self.session.trained_length)))
        return Content("\n").join(lines)

    def _say_how_it_stands(self) -> None:
        if self._is_fixed:
            self.say("training has begun: method and settings are fixed for this run; c goes to it")
        elif self.state.status is RunStatus.RUNNING:
            self.say(f"the worker is at work: {self.state.stage}")
        else:
            self.say("c goes on to training; nothing starts before you say so there")

    @on(OptionList.OptionHighlighted, "#methods")
    def _marked_another(self) -> None:
        self.query_one("#why-text", Static).update(self._why())

    @on(OptionList.OptionSelected, "#methods")
    def _taken(self, event: OptionList.OptionSelected) -> None:
        name = str(event.option.id)
        refused = self.session.refused(name)
        if refused is not None:
            self.complain(f"{name} cannot be trained here: {refused}")
            return
        self._choose_method(name=name)

    def action_auto(self) -> None:
        self._choose_method(name=AUTO)

    def action_train_all_the_same(self) -> None:
        method = self.session.draft.content.method
        key = "even_if_met" if self.session.arms_that_meet_the_target() else "even_if_routed_elsewhere"
        self._choose_method(**{key: not getattr(method, key)})

    def _choose_method(self, **changes: Any) -> None:
        if self._is_fixed:
            self.complain("training has begun: the method is fixed for this run")
            return
        self._choose(method=self.session.draft.content.method.model_copy(update=changes))

    def action_change_setting(self) -> None:
        self.app.push_screen(
            AskChoice("Which setting?", "What is not set takes the default of the method.", self._own_settings()), self._ask_value
        )

    def _own_settings(self) -> list[tuple[str, str]]:
        content = self.session.draft.content
        known = make_plan(content.method, content.training).settings
        return [(name, meaning) for name, meaning in SETTINGS.items() if name in known]

    def _ask_value(self, name: str | None) -> None:
        if name is None:
            return
        own = getattr(self.session.draft.content.training, name)
        asked = AskLine(name, f"{SETTINGS[name]}. Empty: the default.", "" if own is None else f"{own:g}")
        self.app.push_screen(asked, lambda text: self._take_value(name, text))

    def _take_value(self, name: str, text: str | None) -> None:
        if text is None:
            return
        try:
            value = float(text) if text.strip() else None
        except ValueError:
            self.complain(f"{name} is a number")
            return
        whole = value is not None and value.is_integer() and name not in ("epochs", "learning_rate", "warmup")
        training = self.session.draft.content.training.model_dump() | {name: int(value) if whole and value is not None else value}
        self._choose(training=training)

    def _choose(self, **sections: Any) -> None:
        try:
            self.session.draft.choose(**sections)
        except TuneproofError as error:
            self.attempt("Method", error)
        self.refresh_all()


def _takes(forecast: Forecast | None) -> str:
    """The memory that a method is predicted to take, marked where it does not fit; as wide where that is not known."""
    if forecast is None:
        return " " * 9
    return f"{gb(forecast.memory.total):>8}{' ' if forecast.fits else '!'}"


def _forecast(forecast: Forecast) -> Content:
    there = f"{gb(round(forecast.available.total))} ({forecast.available.source})"
    ways = ways_line(forecast.option)
    told = f"memory predicted: {memory_line(forecast.memory, there)}{f'; {ways}' if ways and forecast.fits else ''}"
    if forecast.option.sharding is Sharding.FULL:
        told += f"; for processes {DIVIDED}"
    return Content(told) if forecast.fits else Content.styled(f"does not fit. {told}", "bold")


def _size(entry: CatalogueEntry | None) -> str:
    """How much the method trains of this base, and the share of all; as wide where that is not known."""
    if entry is None or entry.trained_parameters is None or not entry.all_parameters:
        return f"{'cannot adapt this base' if entry else '':<21}"
    return f"{entry.trained_parameters:>13,} {100 * entry.trained_parameters / entry.all_parameters:5.2f} %"
