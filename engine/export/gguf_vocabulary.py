"""The vocabulary of a byte-level BPE tokenizer as llama.cpp reads it, with the name of the rule by which it cuts a text before merging.

llama.cpp knows such rules by name only (`llm_tokenizer_bpe` in its src/llama-vocab.cpp). Its own converter finds the name by the digest
of one encoded text; here the rule is chosen that gives the same tokens as the tokenizer for every text of the run, which is what matters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneproof.engine.core.errors import UsageError

_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_SHORTENED = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_NEWER = rf"{_SHORTENED}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|%s| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class CuttingRule:
    """A rule of llama.cpp: its name, and the patterns at whose matches a text is cut, one after the other."""

    name: str
    patterns: tuple[str, ...]
    ignores_merges: bool = False
    """Whether a piece that is a token stays whole, whatever merges there are."""


RULES = (
    CuttingRule("gpt-2", (_WORDS,)),
    CuttingRule("smollm", (r"\p{N}", _WORDS)),
    CuttingRule("qwen2", (_NEWER % r"\p{N}",)),
    CuttingRule("llama-bpe", (_NEWER % r"\p{N}{1,3}",), ignores_merges=True),
    CuttingRule("dbrx", (_NEWER % r"\p{N}{1,3}",)),
    CuttingRule("superbpe", (r"\p{N}+", r"(?=(\d{3})+(?!\d))")),
)
"""From src/llama-vocab.cpp of llama.cpp, as of llama-cpp-python 0.3.36; `superbpe` cuts at numbers alone, for tokenizers whose merges
never join what another rule would cut."""

TRICKY = "\n \n\n \t\t  3 33 333 3333 3.3 3..3 I've 'RE it's  x=[1,2]; ÄÖÜ é 你好 🚀 ``` ...!!! <a href='b'>\r\n"
"""White space, digits, apostrophes, scripts and punctuation, which rules cut differently."""

CONVERTER = "name llama.cpp's converter with --converter …/convert_hf_to_gguf.py, or export another form"


def chosen_rule(tokenizer_file: Path, texts: Iterable[str]) -> CuttingRule:
    """The first rule with the tokens of the tokenizer for all texts, one that has them for the tricky text too if there is one.

    Raises UsageError if no rule has them, and for a tokenizer of another kind.
    """
    from tokenizers import Tokenizer

    definition = json.loads(tokenizer_file.read_text(encoding="utf-8"))
    _require_byte_level(definition, tokenizer_file)
    own, wanted = Tokenizer.from_file(str(tokenizer_file)), [*dict.fromkeys(texts)]
    ignores = bool(definition["model"].get("ignore_merges"))
    rules = [rule for rule in RULES if rule.ignores_merges == ignores and _same_tokens(own, _with_rule(tokenizer_file, rule), wanted)]
    if not rules:
        raise UsageError("llama.cpp has no rule that cuts texts like the tokenizer", where=str(tokenizer_file), fix=CONVERTER)
    return next((rule for rule in rules if _same_tokens(own, _with_rule(tokenizer_file, rule), [TRICKY])), rules[0])


def merges_of(tokenizer_file: Path) -> list[str]:
    """The merges in their order, the two parts of each separated by a space."""
    merges: list[str | list[str]] = json.loads(tokenizer_file.read_text(encoding="utf-8"))["model"]["merges"]
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]


def _require_byte_level(definition: dict[str, Any], file: Path) -> None:
    model, decoder = definition["model"], definition.get("decoder") or {}
    if model["type"] != "BPE" or model.get("byte_fallback") or definition.get("normalizer") is not None or "ByteLevel" not in str(decoder):
        raise UsageError("the tokenizer is no byte-level BPE, which is the only kind converted here", where=str(file), fix=CONVERTER)


def _with_rule(tokenizer_file: Path, rule: CuttingRule) -> Any:
    """The tokenizer as llama.cpp computes it with a rule."""
    from tokenizers import Regex, Tokenizer, pre_tokenizers

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in rule.patterns]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*cuts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return tokenizer


def _same_tokens(one: Any, other: Any, texts: Sequence[str]) -> bool:
    return all(one.encode(text, add_special_tokens=False).ids == other.encode(text, add_special_tokens=False).ids for text in texts)
