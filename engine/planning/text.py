"""The plan as text: a page in Markdown for people who plan their first tuning, and its short form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.card.plan_text import duration_text, gb, memory_line, planned_lines
from tuneproof.engine.case.approaches import Place
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.data.parts import Part
from tuneproof.engine.methods.method import MethodName
from tuneproof.engine.methods.select import AUTO_ORDER
from tuneproof.engine.planning.page import DataPart, EvalPart, FoundInData, PlanPage, TrainingPart
from tuneproof.engine.scoring.power import ASSUMPTION, LOW_POWER

FINDINGS_SHOWN = 8
"""Findings of the audit that the page lists; the others are counted."""

DIGEST_SHOWN = 16
"""Hexadecimal digits of a digest that the page shows; `--json` has all."""

MOST_CHARACTERS = 300
"""Characters that a text from the data takes at most."""

PLACES = {Place.FIRST: "**first**", Place.THEN: "**then**", Place.ALSO: "also", Place.LATER: "later", Place.NO: "no"}


def plan_text(page: PlanPage) -> str:
    """The whole page."""
    parts = [
        [f"# Plan: {_plain(page.name)}", "", *_bullets(short_lines(page))],
        ["## 1. What to do, and why", "", *_decision(page)],
        ["## 2. The data", "", *(_data(page.data, page.run) if page.data else ["The case names no data yet."])],
        ["## 3. What the measurement can show", "", *_eval(page)],
        ["## 4. What would be trained", "", *_training(page)],
        ["## 5. What it takes", "", *_cost(page)],
        [f"## 6. {'Check it' if page.measured and page.measured.is_finished else 'Run it'}", "", *_run(page)],
        *([["## 7. What was measured", "", *_measured(page)]] if page.measured else []),
        [f"## {_section_of_missing(page) - 1}. What would change this plan", "", *_changes(page)],
        *([[f"## {_section_of_missing(page)}. What is not known yet", "", *_missing(page)]] if page.missing else []),
        ["---", "", "Words: " + "; ".join(f"**{word}**: {meaning}" for word, meaning in WORDS) + ".", "", *_footer(page)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def short_form(text: str) -> str:
    """The first lines of a page that `plan_text` wrote, which are the plan in short."""
    return text.partition("\n\n## ")[0] + "\n"


def short_lines(page: PlanPage) -> list[str]:
    """The plan in a few lines: what first, what is trained, the data, the measurement, the cost, the next command."""
    measured = page.measured
    if measured is not None and measured.is_finished:
        return [
            f"Route: {_route_name(page)}: {_lower_first(page.decision.reason)}",
            f"Measured: {measured.headline}.",
            _short_data(page),
            _short_eval(page.eval),
            f"The run is finished; check its card with: {page.to_run.command}",
        ]
    return [
        f"Route: {_route_name(page)}: {_lower_first(page.decision.reason)}",
        *([f"Do next: {step}"] if (step := _first_step(page)) else []),
        _short_training(page),
        _short_data(page),
        _short_eval(page.eval),
        _short_cost(page),
        f"Run it{_once(page)}: {page.to_run.command}",
    ]


def _once(page: PlanPage) -> str:
    return "" if page.to_run.is_whole else f", once the case has what section {_section_of_missing(page)} asks for"


def _first_step(page: PlanPage) -> str:
    """What comes before everything else: an answer, a finding that blocks, or what the route says."""
    if page.decision.unanswered:
        return f"answer: {page.decision.unanswered[0]}"
    if page.data is not None and page.data.blocking:
        first = page.data.blocking[0]
        return f"settle what blocks. {first.check}: {_plain(first.message)}: {first.action}."
    return page.decision.steps[0] if page.decision.steps else ""


def _section_of_missing(page: PlanPage) -> int:
    return 9 if page.measured else 8


def _route_name(page: PlanPage) -> str:
    return page.decision.route.value if page.decision.route else "no route yet"


def _short_training(page: PlanPage) -> str:
    training = page.training
    if training.skipped is not None:
        return f"Nothing is trained: {training.skipped}."
    what = f"{training.method} on {_plain(training.base)}" if training.base else f"{training.method}, on a base that is not named yet"
    count = "" if training.trained is None else f", {training.trained:,} parameters{_share(training)}"
    if training.is_expected:
        return f"Would be trained: {what}{count}."
    return f"Nothing is trained on this route; if it comes to that: {what}{count}."


def _short_data(page: PlanPage) -> str:
    data = page.data
    if data is None:
        return "Data: none named yet."
    if data.rows is None:
        return "Data: named, not read yet."
    if data.blocking:
        names = ", ".join(dict.fromkeys(each.check for each in data.blocking))
        return f"Data: {data.rows:,} rows; the audit blocks: {names}. Nothing is trained before that is settled."
    sizes = ", ".join(f"{part.rows:,} {part.part}" for part in data.parts)
    warnings = sum(each.severity is Severity.WARN and each.accepted is None for each in data.findings)
    found = f"{warnings} warning{'' if warnings == 1 else 's'}" if warnings else "no warnings"
    unused = f", {data.left_out + data.left_out_by_split:,} not used" if data.left_out_by_split else ""
    return f"Data: {data.rows:,} rows{f' ({sizes}{unused})' if sizes else ''}; nothing blocks, {found}."


def _short_eval(cases: EvalPart) -> str:
    target = _target(cases)
    if cases.detectable is None or cases.cases is None:
        return f"Eval: {target}; the number of eval cases is not known yet."
    about = "about " if cases.is_estimate else ""
    if cases.shows_nothing:
        return f"Eval: {target}; {about}{cases.cases:,} cases are too few to tell two arms apart."
    return f"Eval: {target}; {about}{cases.cases:,} cases show a difference of {100 * cases.detectable:.0f} points or more."


def _target(cases: EvalPart) -> str:
    metric = f"{cases.metric} " if cases.metric else ""
    if cases.not_worse_than is not None:
        return f"{metric}not more than {100 * cases.margin:g} points below {cases.not_worse_than}"
    return f"target {metric}{cases.at_least:g}" if cases.at_least is not None else "no target yet"


def _short_cost(page: PlanPage) -> str:
    needs = page.cost.needs
    if needs is None:
        return "Cost: not known yet (see the last section)."
    parts = [
        "memory not predicted" if needs.memory is None else f"{gb(needs.memory)} of {gb(needs.available_memory)} of memory",
        "disk not predicted" if needs.disk is None else f"{gb(needs.disk)} of disk",
        "hours not measured" if needs.hours is None else duration_text(needs.hours),
        f"{page.cost.usd:.2f} USD" if page.cost.usd is not None else "money not known",
    ]
    return f"Training would take: {', '.join(parts)}."


def _decision(page: PlanPage) -> list[str]:
    part = page.decision
    lines = [f"**{_route_name(page)}.** {part.reason}"]
    lines += [part.redrawn] if part.redrawn else []
    lines += ["", "Answer first:", "", *_bullets(part.unanswered)] if part.unanswered else []
    if part.advice:
        rows = [(each.approach.value, PLACES[each.place], each.why, each.use_when) for each in part.advice]
        lines += ["", *_table(("approach", "here", "because", "in general, use it when"), rows)]
    blocked = page.data is not None and bool(page.data.blocking)
    steps = [*(["Settle first what blocks; section 2 has it."] if blocked else []), *part.steps]
    lines += ["", "Next:", "", *_bullets(steps)] if steps else []
    return lines


def _data(data: DataPart, run: str | None) -> list[str]:
    files = [(_plain(each.path), each.role.value, _plain(each.shape or ""), _digest(each.sha256)) for each in data.files]
    lines = _table(("file", "for", "rows are", "sha256"), files)
    if data.parts:
        rows = [(part.part.value, f"{part.rows:,}", f"{part.file}", _digest(part.sha256), PART_USE[part.part]) for part in data.parts]
        frozen = f"They are frozen in {_plain(run)}" if run else "A run freezes them in its folder, with these digests"
        lines += ["", f"{data.rows:,} rows, {data.left_out:,} left out{_left_out_by_split(data)}. {frozen}:", ""]
        lines += _table(("part", "rows", "file", "sha256", "used"), rows)
    elif data.rows is not None:
        lines += ["", f"{data.rows:,} rows were read. They are divided once nothing blocks."]
    if data.rows is not None:
        lines += ["", *_findings(data.findings)]
    if data.to_settle:
        lines += ["", f"To go on: {data.to_settle}{_row_to_leave_out(data)}."]
    lines += ["", "Every row of every finding:", "", "```", data.to_see, "```"] if data.findings else []
    return lines


def _left_out_by_split(data: DataPart) -> str:
    count = data.left_out_by_split
    are = (
        "is not used, because it repeats or nearly repeats a row"
        if count == 1
        else "are not used, because they repeat or nearly repeat rows"
    )
    return f" by the audit; {count:,} more {are} that a later part of the split has" if count else ""


def _row_to_leave_out(data: DataPart) -> str:
    first = next((each.first for each in data.blocking if each.first), "")
    return f' (a single row is left out by data.leave_out: ["{_plain(first)}"])' if first else ""


PART_USE = {
    Part.TRAIN: "the model is trained on it, and examples of prompts come from it",
    Part.VALIDATION: "picks the checkpoint and the prompt; no result is reported on it",
    Part.EVAL: "scores every arm once; nothing is chosen on it",
}
"""What each part is used for."""


def _findings(findings: Sequence[FoundInData]) -> list[str]:
    if not findings:
        return ["The audit found nothing."]
    lines = ["The audit found, the most harmful first:", ""]
    for each in findings[:FINDINGS_SHOWN]:
        state = "left out" if each.left_out else "accepted" if each.accepted is not None else each.severity.value
        first = f" (first: {_plain(each.first)})" if each.first else ""
        what = _plain(each.accepted) if each.accepted else each.action
        lines.append(f"- **{state}** {each.check}: {_plain(each.message)}{first}. {'Reason' if each.accepted else 'What to do'}: {what}.")
    rest = len(findings) - FINDINGS_SHOWN
    return [*lines, f"- … and {rest} more, less harmful."] if rest > 0 else lines


def _eval(page: PlanPage) -> list[str]:
    cases = page.eval
    lines = [f"- Metric: {cases.metric or 'none yet, as the case has no task'}. Target: {_target(cases).removeprefix('target ')}."]
    lines.append(f"- Compared on the same eval cases: {', '.join(cases.arms)}, and the tuned model if one is trained.")
    if cases.not_worse_than is None:
        takes = f"; to show so small a gain takes about {cases.cases_for_gain:,} cases" if cases.cases_for_gain else ""
        lines.append(f"- A gain below {100 * cases.min_gain:g} points over the best prompt is not worth a model of your own{takes}.")
    if cases.cases and cases.detectable is not None:
        about = "about " if cases.is_estimate else ""
        small = " That is a small eval set: only large differences show." if cases.detectable > LOW_POWER else ""
        shown = (
            f"eval cases are too few to tell two arms apart, {ASSUMPTION}: the table says how many it takes."
            if cases.shows_nothing
            else f"eval cases show a true difference of {100 * cases.detectable:.0f} points between two arms four times in five, "
            f"{ASSUMPTION}.{small}"
        )
        lines.append(f"- {about.capitalize()}{cases.cases:,} {shown}")
    lines += _target_lines(cases)
    if cases.detectable is not None and cases.detectable > LOW_POWER:
        share = ", or a larger share of the examples: data.split: {train: 0.4, validation: 0.1, eval: 0.5}" if cases.is_cut else ""
        lines.append(f"- For more eval cases: write more of them into a file of their own, data.eval{share}.")
    rows = [(f"{100 * each.difference:.0f} points", f"{each.at_assumed:,}", f"{each.at_high:,}") for each in cases.needed]
    head = ("to show a difference of", "eval cases, if arms disagree on 20 %", "if they disagree on 40 %")
    return [*lines, "", *_table(head, rows)]


def _target_lines(cases: EvalPart) -> list[str]:
    """What it takes to show that the target is met."""
    if cases.at_least is None or cases.not_worse_than is not None:
        return []
    if cases.cases and cases.right_for_target is not None:
        all_of_them = ": not one may be wrong" if cases.right_for_target == cases.cases else ""
        right = f"{cases.right_for_target:,} of {cases.cases:,} right answers"
        return [f"- It takes {right} to show that the target of {cases.at_least:g} is met{all_of_them}."]
    if cases.cases and cases.cases_for_target is not None:
        return [
            f"- Not even {cases.cases:,} of {cases.cases:,} right answers would show that {cases.at_least:g} is reached: "
            f"it takes {cases.cases_for_target:,} cases at least."
        ]
    return []


def _training(page: PlanPage) -> list[str]:
    training = page.training
    lines = [] if training.is_expected else [f"Nothing, on the route {page.decision.route}. If it comes to that:", ""]
    lines = [f"Nothing: {training.skipped}. If it comes to that:", ""] if training.skipped is not None else lines
    base = "none is named yet" if training.base is None else _plain(training.base)
    facts = f" ({_plain(training.base_facts)})" if training.base_facts else ", not on this machine" if training.base else ""
    lines.append(f"- Base: {base}{facts}{f', {training.parameters:,} parameters' if training.parameters else ''}.")
    lines.append(f"- Method: **{training.method}**, which trains {training.trains}; {training.why}. Good for: {training.good_for}.")
    if training.trained is not None:
        lines.append(f"- Trained: {training.trained:,} parameters{_share(training)}; all others stay as they are.")
    settings = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in _shown(training))
    lines.append(f"- Settings: {settings}. `method` and `training` of the case change them.")
    lines += _held(training)
    if training.base is None or not training.is_expected:
        others = ", ".join(each.name for each in training.methods if each.name != training.method)
        return [*lines, "", f"Other methods are {others}. `method.name: auto` takes the lightest that fits: {', '.join(AUTO_ORDER)}."]
    return [*lines, "", "The other methods:", "", *_methods(training)]


NOT_SHOWN = ("seed", "probe_every", "max_steps", "max_length", "packing", "group_by_length")
"""Settings that the page leaves out as long as they have their usual value."""


def _shown(training: TrainingPart) -> list[tuple[str, float | int | None]]:
    return [(name, value) for name, value in training.settings.items() if name not in NOT_SHOWN or value]


def _share(training: TrainingPart) -> str:
    return "" if training.share is None else f" ({100 * training.share:.2g} % of all)"


def _held(training: TrainingPart) -> list[str]:
    """Why the cost drops: what each method holds, whatever the rows are."""
    if not training.held:
        return ["", "What each method would hold in memory is not known: see the last section."] if training.base else []
    rows = [
        (
            f"**{each.method}**" if each.method == training.method else each.method,
            f"{each.trained:,}",
            *(gb(size) if size else "–" for size in (each.held.weights, each.held.adapters, each.held.gradients, each.held.optimizer)),
            gb(each.held.total),
        )
        for each in training.held
    ]
    full = next((each for each in training.held if each.method == MethodName.FULL), None)
    chosen = next((each for each in training.held if each.method == training.method), None)
    lines = [
        "",
        "Why that costs less than training every weight: gradients and the two moments of AdamW are held for trained parameters only, and "
        "a base that is not trained can be kept in 16 bits, or in 4 (qlora). On a GPU, before any row is read:",
        "",
        *_table(("method", "trained", "base", "adapter", "gradients", "optimizer", "together"), rows),
    ]
    if full is not None and chosen is not None and chosen is not full:
        share = f"{100 * chosen.held.total / full.held.total:.0f} %"
        lines += ["", f"{training.method} holds {share} of what full fine-tuning holds. Activations come on top, for both."]
    return lines


def _methods(training: TrainingPart) -> list[str]:
    rows = [
        (
            each.name,
            each.trains,
            f"{each.trained:,}" if each.trained is not None else "–",
            gb(each.memory) if each.memory else "–",
            each.why_not,
        )
        for each in training.methods
        if each.name != training.method
    ]
    return _table(("method", "trains", "parameters", "memory here", "why not"), rows)


def _cost(page: PlanPage) -> list[str]:
    cost, lines = page.cost, []
    if cost.planned is not None:
        lines += [f"- {_first_upper(line)}." for line in planned_lines(cost.planned) if not line.startswith("not chosen")]
    elif cost.needs is not None:
        there = gb(cost.needs.available_memory)
        lines += [f"- Memory predicted: {memory_line(cost.memory, there)}."] if cost.memory else []
        lines += [f"- Disk predicted: {gb(cost.needs.disk)}."] if cost.needs.disk is not None else []
    if page.training.on_gpu:
        each = ", ".join(f"{one.method} {gb(one.fastest)} ({gb(one.least)} at least)" for one in page.training.on_gpu)
        lines.append(f"- On a GPU the same rows would need: {each}. At least: with everything that saves memory, which is slower.")
    if cost.needs is None:
        lines.append(f"- Memory, disk and hours: not known yet; section {_section_of_missing(page)} says what is missing.")
    if cost.usd is None and cost.usd_per_gpu_hour is not None:
        lines.append(f"- Money: the hours times {cost.usd_per_gpu_hour:g} USD an hour and GPU.")
    return lines


def _run(page: PlanPage) -> list[str]:
    run = page.to_run
    lines = (
        []
        if run.is_whole
        else [f"Once the case has what section {_section_of_missing(page)} asks for (hours and money can stay unknown):", ""]
    )
    lines += ["```", run.command, "```", "", "In this order it", "", *_bullets(run.does)]
    if run.until_costs is not None:
        lines += ["", "To stop before the training, with the prompts measured and the cost known:", "", "```", run.until_costs, "```"]
    return (
        lines
        if page.measured and page.measured.is_finished
        else [*lines, "", "How it can end:", "", *_bullets(ENDINGS if page.training.is_expected else ENDINGS[1:])]
    )


ENDINGS = (
    "**tune**: the tuned model beats every prompt by more than chance explains. Ship it; the card says in which form.",
    "**do not tune**: a prompt is shown to be enough, or tuning is shown not to be worth it. Ship the best prompt.",
    "**inconclusive**: the eval cases cannot tell the two apart. The card says how many more it would take.",
)
"""The verdicts, and what each means for the person."""

WORDS = (
    ("arm", "one system that is measured, such as a prompt (zero_shot, few_shot), a grammar (constrained) or the tuned model"),
    ("base", "the model that you start from; an adapter is trained beside it and leaves it as it is"),
    ("eval cases", "examples that are kept apart and used once, to score every arm on the same questions"),
    ("target", "the score that is good enough for you; it is shown to be met only if chance does not explain it"),
    ("route", "what to try first for answers like yours"),
)
"""The words of the page, for someone who reads them for the first time."""


def _measured(page: PlanPage) -> list[str]:
    assert page.measured is not None
    lines = [f"**{page.measured.headline}.** {page.measured.reason}", ""] if page.measured.headline else []
    rows = [(each.arm, each.score, each.correct, each.target or "none set") for each in page.measured.arms]
    return [*lines, *_table(("arm", str(page.eval.metric or "score"), "right", "target"), rows)]


def _changes(page: PlanPage) -> list[str]:
    lines = [f"- **{change.answer}** to “{change.question}” → {change.route}" for change in page.decision.changes]
    if page.measured is None and page.eval.at_least is not None:
        lines.append("- A prompt that is shown to meet the target → nothing is trained, and the prompt is what you ship")
    if page.data is not None and page.data.blocking:
        lines.append("- Findings that block stay → nothing is measured or trained")
    return lines or ["- The answers of section 1, once they are given."]


def _missing(page: PlanPage) -> list[str]:
    return [f"- {_first_upper(each.what)}: {each.how}." for each in page.missing]


def _footer(page: PlanPage) -> list[str]:
    where = f"the run {_plain(page.run)}" if page.run else "the case and its data"
    return [
        f"Written from {where}, and from what this machine had free at that time. Predictions are no measurements; `tuneproof verify` "
        "checks the card of a run, not this page."
    ]


def _digest(sha256: str | None) -> str:
    return "not read" if sha256 is None else f"{sha256[:DIGEST_SHOWN]}…"


def _bullets(lines: Iterable[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table."""
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _plain(text: str) -> str:
    """A text from the case or its data in one line, without what Markdown or a terminal would act on."""
    plain = sanitize(text, one_line=True, max_length=MOST_CHARACTERS)
    for markup, written in MARKUP:
        plain = plain.replace(markup, written)
    return plain


MARKUP = (("<", "\\<"), ("|", "\\|"), ("](", "]\\("))
"""What would be a tag, a cell of a table or a link in Markdown, and how it is written so that it is none."""


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
