"""A trace as plain text of 80 columns, in sections that the command prints and the wizard shows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, chop_cells, set_cell_size

from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.trace.report import AnswerPosition, NextTokens, TokenAttention, TracedAnswer, TracedToken, TraceReport

WIDTH = 80
INDENT = "  "
MOST_LINES = 8
"""Lines of a text or of the tokens before the rest is folded."""
SURE = 0.9
"""The probability from which a right first choice needs no line of its own."""
TOKEN_WIDTH = 7
VISIBLE = str.maketrans({" ": "·", "\n": "↵", "\t": "→", "\r": "␍"})


@dataclass(frozen=True)
class Section:
    """One part of a trace: what it is, the sentence that explains it, and its lines."""

    title: str
    sentence: str
    lines: list[str] = field(default_factory=list)


def trace_text(report: TraceReport, token: int | None, *, whole: bool) -> str:
    """The whole trace; `whole` folds nothing, `token` is the position whose attention is shown."""
    parts = [heading(report)]
    for number, section in enumerate(trace_sections(report, token, whole=whole), start=1):
        sentence = textwrap.wrap(section.sentence, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
        parts.append("\n".join([f"{number} {section.title}", *sentence, *section.lines]))
    return "\n\n".join(parts)


def heading(report: TraceReport) -> str:
    """Which row of what this is."""
    row = report.row
    named = f"row {row.number}, " if row.number is not None else ""
    part = f", in the {row.part} part" if row.part is not None else ""
    identity = f", id {row.case_id}" if row.case_id is not None else ""
    models = f"base {report.base}, tuned by {report.tuned}" if report.tuned is not None else f"base {report.base}, no tuned model"
    return sanitize("\n".join(_wrapped(f"{named}{row.place}{part}{identity}: {models}", indent="")))


def trace_sections(report: TraceReport, token: int | None, *, whole: bool) -> Iterator[Section]:
    """The sections, from the text to what commonly breaks."""
    yield Section("Text", "What a person wrote, and what the answer should be. No model sees it in this form.", _text(report, whole))
    own = "" if report.own_template else " This base has no template of its own: it is asked in plain turns."
    said = "The chat template puts the text into the form in which this model was taught to be spoken to. It ends where the answer begins."
    yield Section("Prompt", said + own, _folded(report.prompt.replace("\n", "↵\n"), whole))
    said = "The tokenizer cuts prompt and answer into pieces of a fixed vocabulary; the model reads their numbers, not the letters. text:id"
    yield Section("Tokens", said, _tokens(report, whole))
    yield Section("Context", "Prompt and answer share one context: what does not fit in cannot be read.", _context(report))
    said = (
        "A model gives every piece of its vocabulary a probability of coming next. Generation takes the likeliest, puts it behind the "
        "prompt and asks again, until the end token. Training makes the expected token likelier at each of these positions."
    )
    yield Section("Next tokens, after the prompt and the expected answer so far", said, _positions(report, whole))
    said = "To choose a token, a model weighs the tokens before it. The weights say where it looked, not why it chose."
    yield Section("Attention", said, _attention(report, token))
    said = "Generated answers are decoded by a fixed rule and graded by the rules of the case."
    yield Section("Answers and score", said, list(_answers(report, whole)))
    said = "What commonly goes wrong between text and tokens:" if report.faults else "Nothing of what commonly goes wrong was found."
    yield Section("What breaks", said, _faults(report))


def visible(text: str) -> str:
    """The text of a token with its white space as signs."""
    return sanitize(text.translate(VISIBLE), one_line=True)


def percent(probability: float) -> str:
    """A probability in per cent; only exactly 1 is 100."""
    return "99.9" if 0.9995 <= probability < 1 else f"{100 * probability:.1f}"


def likeliest_line(expected: NextTokens) -> str:
    """The likeliest next tokens of one model with their probabilities in per cent."""
    cells = (f"{percent(each.probability):>5} {set_cell_size(visible(each.text), TOKEN_WIDTH)}" for each in expected.likeliest)
    return " ".join(cells).rstrip()


def made_likely(position: AnswerPosition) -> str:
    """How likely the models make the expected token of a position."""
    models = [("base", position.base), *([("tuned", position.tuned)] if position.tuned is not None else [])]
    return ", ".join(f"{name} {percent(each.expected)} % ({_rank(each.rank)})" for name, each in models)


def attention_lines(report: TraceReport, found: TokenAttention) -> list[str]:
    """The positions that a token's choice looked at most."""
    tokens = report.tokens
    lines = [f"{INDENT}  position  token           last layer  all layers"]
    for each in found.attended:
        text = set_cell_size(visible(tokens[each.position - 1].text), 14)
        lines.append(f"{INDENT}{each.position:>10}  {text}  {percent(each.last_layer):>8} %  {percent(each.all_layers):>8} %")
    return lines


def _text(report: TraceReport, whole: bool) -> list[str]:
    row = report.row
    parts = [("system", row.system), *(("before", turn) for turn in row.history), ("request", row.request), ("expected", row.expected)]
    lines = []
    for name, text in parts:
        if text or name == "expected":
            lines += [f"{INDENT}{name}", *_folded(text or "(nothing)", whole, indent=INDENT * 2)]
    return lines


def _tokens(report: TraceReport, whole: bool) -> list[str]:
    prompt = [token for token in report.tokens if not token.in_loss]
    answer = [token for token in report.tokens if token.in_loss]
    return [
        f"{INDENT}{len(prompt)} tokens of the prompt: read, and masked in the loss",
        *_fold(_flow(prompt), whole, "lines of tokens"),
        f"{INDENT}{len(answer)} tokens of the answer: these alone the loss sees",
        *_fold(_flow(answer), whole, "lines of tokens"),
    ]


def _flow(tokens: Sequence[TracedToken]) -> list[str]:
    """The tokens as text and id, as many as fit into each line, which begins with the position of its first one."""
    lines: list[str] = []
    for token in tokens:
        cell = f" {_cut(visible(token.text), 24)}:{token.id}"
        if not lines or cell_len(lines[-1]) + cell_len(cell) > WIDTH:
            lines.append(f"{INDENT}{token.position:>6} ")
        lines[-1] += cell
    return lines


def _context(report: TraceReport) -> list[str]:
    use = report.context
    said = f"{use.prompt_tokens:,} of the prompt and {use.answer_tokens:,} of the answer are {use.total:,} of {use.limit:,} tokens, "
    said += f"{100 * use.total / use.limit:.1f} % of {use.limit_is}."
    if use.over:
        lost = min(use.over, use.answer_tokens)
        said += (
            f" {use.over:,} do not fit. Nothing is cut: the row is left out of training. Cut at the limit, it would lose {lost:,} of "
            f"the {use.answer_tokens:,} tokens of its answer, the end token first."
        )
    return _wrapped(f"{said} A generated answer may take {use.answer_room:,}.")


def _positions(report: TraceReport, whole: bool) -> list[str]:
    if not report.positions:
        return _wrapped(report.attention.why_none)
    shown = [each for each in report.positions if whole or not _is_sure(each) or each.position == report.hardest]
    lines = [f"{INDENT}the five likeliest, in per cent"]
    for each in shown:
        token = report.tokens[each.position - 1]
        lines.append(f"{INDENT}{each.position:>4} {_cut(visible(token.text), 20)}: {made_likely(each)}")
        lines += [f"{INDENT}  {name:<5} {likeliest_line(found)}" for name, found in _models(each)]
    left = len(report.positions) - len(shown)
    if left:
        models = "both models" if report.tuned is not None else "the base"
        lines += _wrapped(f"… at the other {left} positions the expected token is the first choice of {models}, at 90 % or more (--all)")
    return lines


def _models(position: AnswerPosition) -> Iterator[tuple[str, NextTokens]]:
    yield "base", position.base
    if position.tuned is not None:
        yield "tuned", position.tuned


def _is_sure(position: AnswerPosition) -> bool:
    return all(each.rank == 1 and each.expected >= SURE for _, each in _models(position))


def _attention(report: TraceReport, token: int | None) -> list[str]:
    position = token or report.hardest
    found = report.attention_of(position) if position is not None else None
    if found is None:
        return _wrapped(report.attention.why_none or f"no attention was computed for token {position}")
    why = "" if token is not None else ", the least likely of the answer (--token chooses another)"
    said = f"token {found.position}, {_cut(visible(report.tokens[found.position - 1].text), 20)}{why}: where {report.attention.model} looked "
    said += f"when it chose it, mean over {report.attention.heads} heads of the last of {report.attention.layers} layers, and of all"
    return [*_wrapped(said), *attention_lines(report, found)]


def _answers(report: TraceReport, whole: bool) -> Iterator[str]:
    if not report.answers:
        yield from _wrapped("no answer: the prompt leaves no room for one")
    full = next((each for each in report.answers if each.arm == "tuned"), report.answers[0] if report.answers else None)
    for each in report.answers:
        yield from _wrapped(f"{'✓' if each.correct else '✗'} {each.arm}: {each.reason}", hang=2)
        yield from _folded(each.output or "(nothing)", whole or each is full, indent=INDENT * 3, most=2)
        if whole or each is full:
            yield from _wrapped(_how(each), indent=INDENT * 2)


def _how(answer: TracedAnswer) -> str:
    where = "stored in the run" if answer.stored else "decoded now"
    return f"{where}; {'; '.join(answer.decoded)}; {answer.prompt_tokens} tokens of prompt, {answer.output_tokens} of answer"


def _faults(report: TraceReport) -> list[str]:
    lines: list[str] = []
    for each in report.faults:
        lines += _wrapped(f"{'■' if each.breaks_here else '▲'} {each.fault}: {each.sentence}", hang=2)
        lines += _wrapped(f"→ {each.fix}", indent=INDENT * 2, hang=2)
    return lines


def _folded(text: str, whole: bool, *, indent: str = INDENT, most: int = MOST_LINES) -> list[str]:
    """A text of data in lines that fit, the rest folded away."""
    width = WIDTH - len(indent)
    lines = [f"{indent}{piece}" for line in sanitize(text).split("\n") for piece in chop_cells(line, width) or [""]]
    return _fold(lines, whole, "lines", most, indent)


def _fold(lines: list[str], whole: bool, what: str, most: int = MOST_LINES, indent: str = INDENT) -> list[str]:
    """The first and the last of many lines, and how many are between them."""
    if whole or len(lines) <= most + 1:
        return lines
    first, last = most - most // 3, most // 3
    return [*lines[:first], f"{indent}… {len(lines) - most} {what} more (--all shows them) …", *lines[len(lines) - last :]]


def _wrapped(text: str, *, indent: str = INDENT, hang: int = 0) -> list[str]:
    """A sentence in lines that fit; what of it comes from data has no line ends."""
    shown = sanitize(text, one_line=True)
    return textwrap.wrap(shown, WIDTH, initial_indent=indent, subsequent_indent=indent + " " * hang) or [indent]


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def _rank(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th") if number < 20 else f"rank {number:,}"
