"""Texts that end an answer where a model has no end token for it: a base without a chat template writes the next turn itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from transformers import PreTrainedTokenizerBase, StoppingCriteria


@dataclass(frozen=True)
class StopTexts:
    """The texts that end an answer; they are not part of it."""

    tokenizer: PreTrainedTokenizerBase
    texts: tuple[str, ...]

    @cached_property
    def _longest(self) -> int:
        """Most tokens that one of the texts can take: one a byte."""
        return max((len(text.encode()) for text in self.texts), default=0)

    def reached(self, output_ids: Sequence[int]) -> bool:
        """Whether the last token completes one of the texts."""
        if not self.texts:
            return False
        tail = self.decode(output_ids[-self._longest :])
        return any(text in tail for text in self.texts)

    def up_to_first(self, output_ids: Sequence[int]) -> list[int]:
        """The tokens up to the one that first completes one of the texts; all of them if none does."""
        if self.texts and any(text in self.decode(output_ids) for text in self.texts):
            for count in range(1, len(output_ids) + 1):
                if self.reached(output_ids[:count]):
                    return list(output_ids[:count])
        return list(output_ids)

    def before_first(self, text: str) -> tuple[str, bool]:
        """A decoded text up to the first of the texts, and whether there is one."""
        found = [at for stop in self.texts if (at := text.find(stop)) >= 0]
        return (text[: min(found)], True) if found else (text, False)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of some tokens, special tokens included."""
        return str(self.tokenizer.decode(list(token_ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))


@dataclass
class StopTextsReached(StoppingCriteria):
    """Ends rows inside transformers' `generate`. Made for one call."""

    stops: StopTexts
    prompt_length: int
    """Tokens of the padded prompts."""

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **_: object) -> torch.BoolTensor:
        """Which rows of `input_ids`, (batch, tokens), are finished: shape (batch,), bool."""
        done = [self.stops.reached(row) for row in input_ids[:, self.prompt_length :].tolist()]
        return torch.tensor(done, dtype=torch.bool, device=input_ids.device)
