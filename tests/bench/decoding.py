"""How many cases a second are answered, beside a plain loop over transformers' generate: `python -m tests.bench.decoding [ROWS]`.

The sample model answers SNIPS test requests, zero-shot and with eight fixed examples, with the room for an answer that a run gives them.
The plain loop takes the prompts as they come, ROWS at a time, padded on the left, and calls `generate`; ours has at most as many rows in
its batch. Both tokenise and decode within the time taken. They take turns, and who begins changes from pair to pair; a pair's ratio is what
is compared, because other programs slow both. Rows whose tokens differ are counted, beside those in which the plain loop differs from
`generate` with one prompt at a time: what a batch holds changes how sums are rounded. Last, choices of clinc150: all labels scored in one
pass, beside greedy decoding under a grammar, once and not paired.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import torch

from tests.bench.cores import neighbours
from tests.conftest import REAL_DATA
from tuneproof.engine.arms import Arm, ArmContext
from tuneproof.engine.arms.arm import chat
from tuneproof.engine.arms.few_shot import FewShot
from tuneproof.engine.arms.grammar import grammar_of, labels_of
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.data.example import Message
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.scoring.judges import make_judge

ROWS = 16
PAIRS = 5
CASES = {"zero-shot": 96, "8-shot": 48}
CHOICES = 200

Answer: TypeAlias = tuple[str, tuple[int, ...]]
"""A text and its tokens."""


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    if not all((REAL_DATA / name).is_dir() for name in ("snips", "clinc150")):
        print("SKIPPED: no SNIPS or clinc150 here; TUNEPROOF_REAL_DATA names the folder with the data sets")
        return
    base = load_base(ModelChoice(base="sample"))
    setting, room = snips(base)
    decoder = Decoder(base, load_weights(base), rows)
    print(f"{rows} rows in a batch, {room} tokens at most an answer, {torch.get_num_threads()} threads")
    for name, arm in (("zero-shot", ZeroShot(setting)), ("8-shot", FewShot(setting, 8))):
        compare(name, decoder, prompts(base, arm, CASES[name]), room)
    choose(decoder)


def choose(decoder: Decoder) -> None:
    """The labels of clinc150, each answer the likeliest of all, against greedy decoding under the grammar that they make."""
    train, test = (read_examples(str(REAL_DATA / "clinc150" / f"{part}.jsonl")).examples for part in ("train", "test"))
    output = OutputFormat(kind=OutputKind.CHOICE)
    outputs = [example.output for example in train]
    labels, (grammar, _) = labels_of(output, outputs), grammar_of(output, outputs)
    asked = [decoder.base.prompt(chat(case, "Name the intent of the request.")) for case in test[:CHOICES]]
    scored, took = decoder.choose_labels(asked, labels)
    decoded, longer = decoder.complete(asked, 40, grammar=grammar)
    differing = sum(a.text != b.text for a, b in zip(scored, decoded, strict=True))
    print(
        f"{len(labels)} labels: {CHOICES / took:.1f} cases a second scored, {CHOICES / longer:.1f} decoded; {differing} of {CHOICES} differ"
    )


def snips(base: BaseCheckpoint) -> tuple[ArmContext, int]:
    """What arms are made from, and the tokens that an answer may take, as a run works them out."""
    task = load_case(Path(__file__).parents[1] / "real" / "snips.yaml", []).task
    assert task is not None
    train = read_examples(str(REAL_DATA / "snips" / "train.jsonl")).examples
    room = max(len(base.token_ids(example.output)) + 1 for example in train) * 5 // 4 + 16

    def fits(messages: Sequence[Message]) -> bool:
        return len(base.token_ids(base.prompt(messages))) + room <= base.context_length

    return ArmContext(task.instruction or "", make_judge(task, []), train, fits, 0, task.output), room


def prompts(base: BaseCheckpoint, arm: Arm, count: int) -> list[str]:
    cases = read_examples(str(REAL_DATA / "snips" / "test.jsonl")).examples[:count]
    return [base.prompt(request.messages) for request in arm.requests(cases)]


def compare(name: str, decoder: Decoder, asked: list[str], room: int) -> None:
    """Both ways by turns, after one turn each that does not count."""
    rows = decoder.batch_size
    assert rows is not None
    ways: dict[str, Callable[[list[str]], list[Answer]]] = {
        "ours": lambda some: [(completion.text, completion.output_ids) for completion in decoder.complete(some, room)[0]],
        "plain": lambda some: plain(decoder, some, room, rows),
    }
    for way in ways.values():
        way(asked[:rows])
    speeds: dict[str, list[float]] = {"ours": [], "plain": []}
    answers: dict[str, list[Answer]] = {}
    with neighbours():
        for number in range(PAIRS):
            for way in ("ours", "plain") if number % 2 else ("plain", "ours"):
                started = time.perf_counter()
                answers[way] = ways[way](asked)
                speeds[way].append(len(asked) / (time.perf_counter() - started))
    ratios = [ours / plainly for ours, plainly in zip(speeds["ours"], speeds["plain"], strict=True)]
    print(f"{name}: {spread(speeds['ours'])} cases a second, plain {spread(speeds['plain'])}; ratio {spread(ratios)} in {PAIRS} pairs")
    alone = plain(decoder, asked, room, 1)
    print(f"  of {len(asked)} answers differ: {differ(answers['ours'], answers['plain'])} from the plain loop's,", end=" ")
    print(f"{differ(answers['ours'], alone)} from one at a time; the plain loop's from one at a time: {differ(answers['plain'], alone)}")


@torch.inference_mode()
def plain(decoder: Decoder, asked: Sequence[str], room: int, rows: int) -> list[Answer]:
    """What a short script does: batches in the order given, padded on the left, each until its last row has ended."""
    base, answers = decoder.base, list[Answer]()
    for start in range(0, len(asked), rows):
        batch = base.tokenizer(list(asked[start : start + rows]), add_special_tokens=False, padding=True, return_tensors="pt")
        output = decoder.model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=room,
            do_sample=False,
            eos_token_id=base.eos_token_ids,
            pad_token_id=base.tokenizer.pad_token_id,
        )
        for answer in output[:, batch["input_ids"].shape[1] :].tolist():
            end = next((at for at, token in enumerate(answer) if token in base.eos_token_ids), len(answer))
            text = base.tokenizer.decode(answer[:end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
            answers.append((text, tuple(answer[: end + 1])))
    return answers


def differ(some: Sequence[Answer], others: Sequence[Answer]) -> int:
    return sum(a != b for a, b in zip(some, others, strict=True))


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    main()
