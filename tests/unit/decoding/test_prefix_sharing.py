"""Which prompts share a prefix."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.decoding.prefix_sharing import MIN_PREFIX_TOKENS, MIN_TOKENS_SAVED, group_by_prefix


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=12), max_size=12), st.lists(st.integers(0, 2), max_size=12))
def test_groups_share_only_a_prefix_and_every_prompt_keeps_a_token(tails: list[list[int]], heads: list[int]) -> None:
    prompts = [[head] * (MIN_PREFIX_TOKENS * 40 * head) + tail for head, tail in zip(heads, tails, strict=False)]
    groups = group_by_prefix(prompts)
    assert sorted(at for group in groups for at in group.indices) == list(range(len(prompts)))
    for group in groups:
        assert len({tuple(prompts[at][: group.prefix_length]) for at in group.indices}) == 1
        assert group.prefix_length == 0 or all(len(prompts[at]) > group.prefix_length >= MIN_PREFIX_TOKENS for at in group.indices)


def test_a_few_different_prompts_do_not_stop_the_others_from_group() -> None:
    instruction = [7] * 100
    alike = [[*instruction, *[1] * 900, at] for at in range(2, 12)]
    others = [[*instruction, *[at] * 50] for at in (20, 21)]
    groups = {tuple(sorted(group.indices)): group.prefix_length for group in group_by_prefix([*alike, *others])}
    assert groups == {tuple(range(10)): 1000, (10, 11): 100}
    assert MIN_TOKENS_SAVED < 9 * 900
