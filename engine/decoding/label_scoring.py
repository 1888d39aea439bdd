"""How likely a model holds each of some labels to be the whole answer, all in one pass. Imports torch, so only the worker imports it.

The labels are laid out as a tree of tokens behind the prompt, in which each token looks at the prompt and at the tokens before it in its
label. What labels begin with in common is computed once, and the prompt too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tuneproof.engine.decoding.continuous_batch import DecodeState, SlotBatch

SCORES_AT_ONCE = 2**26
"""Scores, one for each token of the vocabulary behind each token of the tree, that one pass gives at most."""


@dataclass(frozen=True)
class LabelTree:
    """Labels as tokens: of every token which one stands before it (0 is the prompt's last), and where each label ends."""

    tokens: list[int]
    parents: list[int]
    ends: list[int]

    @property
    def size(self) -> int:
        """How many tokens are read: those of the tree, and the last of the prompt."""
        return len(self.tokens) + 1

    def ancestors(self) -> torch.Tensor:
        """Which tokens stand at or before which, (size, size)."""
        before = torch.eye(self.size, dtype=torch.bool)
        for at, parent in enumerate(self.parents, start=1):
            before[at] |= before[parent]
        return before


def label_tree(labels: Sequence[Sequence[int]]) -> LabelTree:
    """The tree of some labels; a token that several begin with is there once."""
    known: dict[tuple[int, ...], int] = {(): 0}
    tokens, parents = [], []
    for label in labels:
        for length in range(1, len(label) + 1):
            path = tuple(label[:length])
            if path not in known:
                known[path] = len(known)
                tokens.append(label[length - 1])
                parents.append(known[path[:-1]])
    return LabelTree(tokens, parents, [known[tuple(label)] for label in labels])


@dataclass(frozen=True)
class LabelScorer:
    """Log-likelihoods of labels as whole answers: the sum over their tokens, and of one of the tokens that end an answer."""

    batch: SlotBatch
    tree: LabelTree
    ends: Sequence[int]

    @torch.inference_mode()
    def run(self, rows: Sequence[DecodeState], on_progress: Callable[[int], None]) -> None:
        """Finds the log-likelihood of every label, in nats, for each of the rows."""
        done = 0
        while done < len(rows):
            some = list(rows[done : done + self.batch.free])
            self.batch.take_in(some)
            for row, likely in zip(some, self._score(some).tolist(), strict=True):
                row.likely = likely
            for slot in reversed(range(len(some))):
                self.batch.leave(slot)
            done += len(some)
            on_progress(done)

    def _score(self, rows: list[DecodeState]) -> torch.Tensor:
        """One pass over the last token of each prompt and the tree behind it; gives (rows, labels)."""
        tree, size, columns = self.tree, self.tree.size, self.batch.columns
        before = tree.ancestors().to(columns.device)
        places = torch.tensor([[row.place] for row in rows], device=columns.device)
        ids = torch.tensor([[row.next, *tree.tokens] for row in rows], device=columns.device)
        self.batch.cache.step(places + columns[:size], int(places.max()) + size)
        behind = columns[: self.batch.cache.end] - places
        in_tree = before[:, behind.clamp(0, size - 1)].transpose(0, 1) & (behind < size)[:, None]
        seen = torch.where((behind < 0)[:, None], True, in_tree)
        scores = self.batch.look(ids, places + before.sum(1) - 1, seen[:, None], keep=size).float()
        whole = scores.logsumexp(-1)
        ending = scores[:, :, list(self.ends)].logsumexp(-1) - whole
        tokens = torch.nn.functional.pad(scores[:, tree.parents, tree.tokens] - whole[:, tree.parents], (1, 0))
        return (tokens @ before.T.float() + ending)[:, tree.ends]


@torch.inference_mode()
def scores_one_by_one(model: Any, prompt: Sequence[int], labels: Sequence[Sequence[int]], ends: Sequence[int]) -> list[float]:
    """The same for one prompt, label by label, for the models that do not take a mask as it is given."""
    found = []
    for label in labels:
        ids = torch.tensor([[*prompt, *label]], device=model.device)
        scores = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -len(label) - 1 :].float().log_softmax(-1)
        tokens = scores[torch.arange(len(label)), list(label)].sum()
        found.append(float(tokens + scores[-1, list(ends)].logsumexp(-1)))
    return found
