"""Speed and equality of decoding, compared with transformers: `python -m tests.bench.decoding [snips]`.

Without an argument, under 5 minutes: the sample model and a random Llama decode prompts of the sample case, zero-shot and with 8 fixed
examples, with and without a grammar. Compared are tuneproof, transformers' continuous batching (`generate_batch`) and a loop over
`generate` with batches in the order of the prompts. With `snips`, about 15 minutes: the sample model decodes SNIPS, and labels of clinc150
are scored in one pass or decoded under a grammar.

All ways have the same batch size, and tokenise within the measured time. They run in alternation, and ratios are of the same round, because
other programs slow all of them. Answers are compared with those of `generate` with one prompt at a time.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

from tests.bench.continuous_batching import continuous_batching
from tests.bench.cores import other_programs
from tests.conftest import REAL_DATA
from tuneproof.engine.arms import Arm, ArmContext
from tuneproof.engine.arms.arm import chat
from tuneproof.engine.arms.few_shot import FewShot
from tuneproof.engine.arms.grammar import grammar_of, labels_of
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.data.example import Example, Message
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.decoding.grammar import Grammar, grammar_tokenizer
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.scoring.graders import make_grader

BATCH_SIZE = 16
MAX_NEW_TOKENS = 64
ROUNDS, SNIPS_ROUNDS = 3, 5
CASES, SNIPS_CASES = {"zero-shot": 32, "8-shot": 16}, {"zero-shot": 96, "8-shot": 48}
CHOICES = 200
SAMPLE_CASES = Path(__file__).parents[2] / "sample_cases"

OutputIds = list[tuple[int, ...]]
"""For each prompt the token ids of its answer, with the end-of-sequence token."""


def main() -> None:
    base = load_base(ModelChoice(base="sample"))
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads, batches of {BATCH_SIZE}")
    if "snips" in sys.argv[1:]:
        compare_on_snips(base)
        return
    context = sample_context(base)
    grammar = Grammar(grammar_tokenizer(base, base_vocabulary(base)), grammar_of(context.output, [row.output for row in context.train])[0])
    for model_name, model in (("sample model", load_weights(base)), ("random Llama", random_llama(base))):
        for arm_name, arm in (("zero-shot", ZeroShot(context)), ("8-shot", FewShot(context, 8))):
            prompts = arm_prompts(base, arm, eval_cases()[: CASES[arm_name]])
            ways = ways_to_decode(Decoder(base, model, BATCH_SIZE), MAX_NEW_TOKENS)
            compare(f"{model_name}, {arm_name}", ways, prompts, ROUNDS, generate_alone(base, model, MAX_NEW_TOKENS))
        compare_with_grammar(model_name, Decoder(base, model, BATCH_SIZE), context, grammar)


def sample_context(base: BaseCheckpoint) -> ArmContext:
    """The task and the examples of the sample case."""
    task = load_case(SAMPLE_CASES / "support_tickets.yaml", []).task
    assert task is not None
    return arm_context(base, task, read_examples(str(SAMPLE_CASES / "support_tickets.jsonl")).examples, MAX_NEW_TOKENS)


def eval_cases() -> list[Example]:
    return read_examples(str(SAMPLE_CASES / "support_tickets_eval.jsonl")).examples


def arm_context(base: BaseCheckpoint, task: Any, train: list[Example], max_new_tokens: int) -> ArmContext:
    def fits(messages: Sequence[Message]) -> bool:
        return len(base.token_ids(base.prompt(messages))) + max_new_tokens <= base.context_length

    return ArmContext(task.instruction or "", make_grader(task, []), train, fits, 0, task.output)


def base_vocabulary(base: BaseCheckpoint) -> int:
    return len(base.tokenizer)


def random_llama(base: BaseCheckpoint) -> Any:
    """A Llama of about 6 million parameters that is not trained, so its answers rarely end."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=base_vocabulary(base),
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=base.context_length,
        initializer_range=0.1,
        pad_token_id=base.tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config).eval()


def arm_prompts(base: BaseCheckpoint, arm: Arm, cases: list[Example]) -> list[str]:
    return [base.prompt(request.messages) for request in arm.requests(cases)]


def ways_to_decode(decoder: Decoder, max_new_tokens: int) -> dict[str, Callable[[list[str]], OutputIds]]:
    base, model, batch_size = decoder.base, decoder.model, decoder.batch_size
    assert batch_size is not None
    return {
        "tuneproof": lambda prompts: [completion.output_ids for completion in decoder.complete(prompts, max_new_tokens)[0]],
        "continuous batching": lambda prompts: continuous_batching(base, model, prompts, max_new_tokens, batch_size),
        "generate": lambda prompts: generate_loop(base, model, prompts, max_new_tokens, batch_size),
    }


def generate_alone(base: BaseCheckpoint, model: Any, max_new_tokens: int) -> Callable[[list[str]], OutputIds]:
    """The reference: `generate` with one prompt at a time, without padding."""
    return lambda prompts: generate_loop(base, model, prompts, max_new_tokens, 1)


def compare_with_grammar(model_name: str, decoder: Decoder, context: ArmContext, grammar: Grammar) -> None:
    """Zero-shot prompts under the grammar of the sample case's schema."""
    base, batch_size = decoder.base, decoder.batch_size
    assert batch_size is not None
    text, _ = grammar_of(context.output, [row.output for row in context.train])
    alone = Decoder(base, decoder.model, 1)
    ways: dict[str, Callable[[list[str]], OutputIds]] = {
        "tuneproof": lambda prompts: [c.output_ids for c in decoder.complete(prompts, MAX_NEW_TOKENS, grammar=text)[0]],
        "continuous batching": lambda prompts: continuous_batching(base, decoder.model, prompts, MAX_NEW_TOKENS, batch_size, grammar),
    }
    prompts = arm_prompts(base, ZeroShot(context), eval_cases()[: CASES["zero-shot"]])

    def reference(some: list[str]) -> OutputIds:
        return [c.output_ids for prompt in some for c in alone.complete([prompt], MAX_NEW_TOKENS, grammar=text)[0]]

    compare(f"{model_name}, zero-shot, grammar", ways, prompts, ROUNDS, reference)


def compare(
    name: str,
    ways: dict[str, Callable[[list[str]], OutputIds]],
    prompts: list[str],
    rounds: int,
    reference: Callable[[list[str]], OutputIds],
) -> None:
    """Runs all ways in alternation, after one short run each that does not count, and prints their speeds and differences."""
    for decode in ways.values():
        decode(prompts[:2])
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    answers: dict[str, OutputIds] = {}
    print(f"{name}, {len(prompts)} cases:", flush=True)
    with other_programs():
        for number in range(rounds):
            for way in list(ways) if number % 2 else reversed(list(ways)):
                started = time.perf_counter()
                answers[way] = ways[way](prompts)
                speeds[way].append(len(prompts) / (time.perf_counter() - started))
    expected = reference(prompts)
    for way in ways:
        ratios = [ours / other for ours, other in zip(speeds["tuneproof"], speeds[way], strict=True)]
        differ = sum(a != b for a, b in zip(answers[way], expected, strict=True))
        slower = "" if way == "tuneproof" else f"; tuneproof is {spread(ratios)} times as fast"
        print(f"  {way:20} {spread(speeds[way])} cases a second; {differ} answers differ from one at a time{slower}", flush=True)


@torch.inference_mode()
def generate_loop(base: BaseCheckpoint, model: Any, prompts: Sequence[str], max_new_tokens: int, batch_size: int) -> OutputIds:
    """What a short script does: batches in the given order, padded on the left, each until its last answer ends."""
    outputs: OutputIds = []
    for start in range(0, len(prompts), batch_size):
        batch = base.tokenizer(list(prompts[start : start + batch_size]), add_special_tokens=False, padding=True, return_tensors="pt")
        generated = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=base.eos_token_ids,
            pad_token_id=base.tokenizer.pad_token_id,
        )
        for output_ids in generated[:, batch["input_ids"].shape[1] :].tolist():
            end = next((at for at, token_id in enumerate(output_ids) if token_id in base.eos_token_ids), len(output_ids))
            outputs.append(tuple(output_ids[: end + 1]))
    return outputs


def compare_on_snips(base: BaseCheckpoint) -> None:
    if not all((REAL_DATA / name).is_dir() for name in ("snips", "clinc150")):
        print("SKIPPED: needs SNIPS and clinc150; set TUNEPROOF_REAL_DATA to the folder with the data sets")
        return
    task = load_case(Path(__file__).parents[1] / "real" / "snips.yaml", []).task
    assert task is not None
    train, test = (read_examples(str(REAL_DATA / "snips" / f"{part}.jsonl")).examples for part in ("train", "test"))
    # As a run sets it.
    max_new_tokens = max(len(base.token_ids(example.output)) + 1 for example in train) * 5 // 4 + 16
    context = arm_context(base, task, train, max_new_tokens)
    decoder = Decoder(base, load_weights(base), BATCH_SIZE)
    for name, arm in (("zero-shot", ZeroShot(context)), ("8-shot", FewShot(context, 8))):
        prompts = arm_prompts(base, arm, test[: SNIPS_CASES[name]])
        ways = ways_to_decode(decoder, max_new_tokens)
        compare(f"SNIPS, {name}", ways, prompts, SNIPS_ROUNDS, generate_alone(base, decoder.model, max_new_tokens))
    compare_label_scoring(decoder)


def compare_label_scoring(decoder: Decoder) -> None:
    """The labels of clinc150: the most likely of all, or greedy decoding under their grammar."""
    train, test = (read_examples(str(REAL_DATA / "clinc150" / f"{part}.jsonl")).examples for part in ("train", "test"))
    output, outputs = OutputFormat(kind=OutputKind.CHOICE), [example.output for example in train]
    labels, (grammar, _) = labels_of(output, outputs), grammar_of(output, outputs)
    prompts = [decoder.base.prompt(chat(case, "Name the intent of the request.")) for case in test[:CHOICES]]
    scored, scoring_seconds = decoder.choose_labels(prompts, labels)
    decoded, decoding_seconds = decoder.complete(prompts, 40, grammar=grammar)
    differ = sum(a.text != b.text for a, b in zip(scored, decoded, strict=True))
    print(
        f"{len(labels)} labels: {CHOICES / scoring_seconds:.1f} cases a second scored, {CHOICES / decoding_seconds:.1f} decoded; "
        f"{differ} of {CHOICES} differ"
    )


def spread(values: Sequence[float]) -> str:
    """Median, lowest and highest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    main()
