"""Log-likelihoods of labels as whole answers, all labels in one forward pass. Imports torch, so only the worker imports this module.

The tokens of the labels form a trie behind the prompt (tree attention, as in SpecInfer, Miao et al. 2024): each token attends to the prompt
and to the tokens before it in its label. The prompt and what labels have in common are computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tuneproof.engine.decoding.continuous_batch import ContinuousBatch, DecodeState, OnFinished
from tuneproof.engine.decoding.watch import OnPass

MAX_LOGITS_PER_PASS = 2**26
"""Most logits that one pass computes: batch × nodes of the trie × vocabulary."""


@dataclass(frozen=True)
class LabelTrie:
    """The tokens of all labels as a trie. Node 0 is the last token of the prompt, so node n holds `tokens[n - 1]`."""

    tokens: list[int]
    parents: list[int]
    """Parent node of node n, at index n - 1."""
    label_nodes: list[int]
    """The last node of each label, in the order of the labels."""

    @property
    def size(self) -> int:
        """Number of nodes, with node 0."""
        return len(self.tokens) + 1

    def ancestors(self) -> torch.Tensor:
        """(size, size), bool: True at [n, m] if node m is n or one of its ancestors."""
        mask = torch.eye(self.size, dtype=torch.bool)
        for node, parent in enumerate(self.parents, start=1):
            mask[node] |= mask[parent]
        return mask


def build_label_trie(labels: Sequence[Sequence[int]]) -> LabelTrie:
    """The trie of some labels, given as token ids; tokens that several labels start with appear once."""
    nodes: dict[tuple[int, ...], int] = {(): 0}
    tokens, parents = [], []
    for label in labels:
        for length in range(1, len(label) + 1):
            path = tuple(label[:length])
            if path not in nodes:
                nodes[path] = len(nodes)
                tokens.append(label[length - 1])
                parents.append(nodes[path[:-1]])
    return LabelTrie(tokens, parents, [nodes[tuple(label)] for label in labels])


@dataclass(frozen=True)
class LabelScorer:
    """Log-likelihoods of labels as whole answers: the sum over the label's tokens and one end-of-sequence token."""

    batch: ContinuousBatch
    trie: LabelTrie
    eos_token_ids: Sequence[int]
    """Their probabilities after the label are added up."""

    @torch.inference_mode()
    def run(self, states: Sequence[DecodeState], on_finished: OnFinished, on_pass: OnPass) -> None:
        """Fills `label_log_likelihoods` of each sequence.

        `on_finished` is called with the sequences that are scored, `on_pass` between two passes of the model.
        """
        finished = 0
        while finished < len(states):
            admitted = list(states[finished : finished + self.batch.free_slots])
            self.batch.admit(admitted, on_pass)
            on_pass()
            for state, log_likelihoods in zip(admitted, self._score(admitted).tolist(), strict=True):
                state.label_log_likelihoods = log_likelihoods
            for slot in reversed(range(len(admitted))):
                self.batch.evict(slot)
            finished += len(admitted)
            on_finished(admitted)

    def _score(self, states: list[DecodeState]) -> torch.Tensor:
        """One pass over the last token of each prompt and the trie behind it; gives (batch, labels), float32, in nats."""
        trie, size, columns = self.trie, self.trie.size, self.batch.columns
        ancestors = trie.ancestors().to(columns.device)
        # The trie takes one column a node, from the column of the prompt's last token on; a node's position is its depth.
        first_column = torch.tensor([[state.position] for state in states], device=columns.device)
        depth = ancestors.sum(1) - 1
        input_ids = torch.tensor([[state.next_input_id, *trie.tokens] for state in states], device=columns.device)
        self.batch.cache.prepare_decode(first_column + columns[:size], int(first_column.max()) + size)
        node_of_column = columns[: self.batch.cache.kv_length] - first_column
        in_trie = ancestors[:, node_of_column.clamp(0, size - 1)].transpose(0, 1) & (node_of_column < size)[:, None]
        attention_mask = torch.where((node_of_column < 0)[:, None], True, in_trie)
        logits = self.batch.forward(input_ids, first_column + depth, attention_mask[:, None], logits_to_keep=size).float()
        normalizer = logits.logsumexp(-1)
        end = logits[:, :, list(self.eos_token_ids)].logsumexp(-1) - normalizer
        token = torch.nn.functional.pad(logits[:, trie.parents, trie.tokens] - normalizer[:, trie.parents], (1, 0))
        return (token @ ancestors.T.float() + end)[:, trie.label_nodes]


@torch.inference_mode()
def score_labels_one_by_one(
    model: Any, prompt_ids: Sequence[int], labels: Sequence[Sequence[int]], eos_token_ids: Sequence[int]
) -> list[float]:
    """The same log-likelihoods for one prompt, with one pass a label: for models that do not support a custom mask."""
    log_likelihoods = []
    for label in labels:
        input_ids = torch.tensor([[*prompt_ids, *label]], device=model.device)
        output = model(input_ids=input_ids, attention_mask=torch.ones_like(input_ids))
        log_probs = output.logits[0, -len(label) - 1 :].float().log_softmax(-1)
        tokens = log_probs[torch.arange(len(label)), list(label)].sum()
        log_likelihoods.append(float(tokens + log_probs[-1, list(eos_token_ids)].logsumexp(-1)))
    return log_likelihoods
