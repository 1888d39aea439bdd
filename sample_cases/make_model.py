"""Makes `model/`, the small Llama that comes with tuneproof: `python -m tuneproof.sample_cases.make_model --to FOLDER`.

It has two million parameters and its own byte-level tokenizer and chat template, and is trained from scratch on `corpus.py`. The first
steps train mostly on copying, because all other skills need it. Each digit is a token, and spaces are never merged with words, so that a
span has the same tokens wherever it occurs. Training takes about an hour on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tuneproof.sample_cases.corpus import Turn, conversation

SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
VOCABULARY = 1536
CONTEXT = 2048


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of the training."""

    steps: int = 8000
    tokens: int = 4096
    """Tokens in a batch, approximately, with padding."""
    peak_rate: float = 2e-3
    """The learning rate after the warmup."""
    warmup: int = 200
    """Steps."""
    seed: int = 0


def train_tokenizer(rng: random.Random) -> PreTrainedTokenizerFast:
    """A byte-level BPE of the corpus: letters, single digits, and runs of anything else are never merged with each other."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{N}|[\p{L}\p{M}]+|[^\p{L}\p{M}\p{N}]+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (part for _ in range(30_000) for turn in conversation(rng) for part in (turn.user, turn.assistant))
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|end|>", model_max_length=CONTEXT)
    fast.chat_template = CHAT_TEMPLATE
    return fast


def encode(tokenizer: PreTrainedTokenizerFast, turns: list[Turn]) -> tuple[list[int], list[int]]:
    """Token ids of a conversation, and labels in which everything but the answers and their end tokens is masked (-100)."""
    ids: list[int] = []
    labels: list[int] = []
    for turn in turns:
        prompt = tokenizer.encode(f"<|user|>{turn.user}<|end|><|assistant|>", add_special_tokens=False)
        answer = tokenizer.encode(f"{turn.assistant}<|end|>", add_special_tokens=False)
        ids += prompt + answer
        labels += [-100] * len(prompt) + answer
    return ids, labels


def batches(tokenizer: PreTrainedTokenizerFast, recipe: Recipe) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of ids and labels, both of shape (rows, length), of conversations of similar length.

    Copying tasks are most of the first tenth of the steps, and a quarter of the rest.
    """
    rng = random.Random(recipe.seed + 1)
    made = 0
    while True:
        share = max(0.25, 0.9 - 0.65 * made / (recipe.steps * 0.1))
        pool = sorted((encode(tokenizer, conversation(rng, share)) for _ in range(1024)), key=lambda pair: len(pair[0]))
        cut: list[list[tuple[list[int], list[int]]]] = [[]]
        for pair in pool:
            if (len(cut[-1]) + 1) * len(pair[0]) > recipe.tokens and cut[-1]:
                cut.append([])
            cut[-1].append(pair)
        rng.shuffle(cut)
        for rows in cut:
            longest = max(len(ids) for ids, _ in rows)
            yield (
                torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows]),
                torch.tensor([labels + [-100] * (longest - len(labels)) for _, labels in rows]),
            )
            made += 1


def new_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """The untrained model. Padding is on the right and masked in the labels, so training needs no attention mask."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=6,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def train(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, recipe: Recipe, folder: Path) -> None:
    """AdamW with warmup and a cosine schedule to a twentieth of the peak; saves every 500 steps so that a stopped run is not lost."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
        lr=recipe.peak_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    body = torch.compile(model.model, dynamic=True)
    started, seen, running = time.monotonic(), 0, 0.0
    for step, (ids, labels) in enumerate(itertools.islice(batches(tokenizer, recipe), recipe.steps), start=1):
        fraction = step / recipe.steps
        rate = recipe.peak_rate * min(1.0, step / recipe.warmup) * (0.05 + 0.95 * (1 + math.cos(math.pi * fraction)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        hidden = body(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        targets = labels[:, 1:]
        logits = model.lm_head(hidden[targets != -100])
        loss = torch.nn.functional.cross_entropy(logits, targets[targets != -100])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seen += ids.numel()
        running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
        if step % 50 == 0:
            elapsed = time.monotonic() - started
            print(f"step {step} loss {running:.4f} rate {rate:.2e} tokens/s {seen / elapsed:.0f} {elapsed:.0f}s", flush=True)
        if step % 500 == 0:
            save(model, tokenizer, folder)
    save(model, tokenizer, folder)


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Writes weights, configuration and tokenizer; decoding is greedy to the end token."""
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "model")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--peak-rate", type=float, default=Recipe.peak_rate)
    arguments = parser.parse_args()
    recipe = Recipe(steps=arguments.steps, peak_rate=arguments.peak_rate)
    torch.manual_seed(recipe.seed)
    torch.set_flush_denormal(True)
    tokenizer = train_tokenizer(random.Random(recipe.seed))
    model = new_model(tokenizer)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    train(model, tokenizer, recipe, arguments.to)


if __name__ == "__main__":
    main()
