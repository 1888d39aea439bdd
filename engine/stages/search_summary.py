"""What a search for a prompt found and what it took, in a sentence for the card."""

from __future__ import annotations

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.run.artifacts import SearchFacts, VariantScore, prompt_file


def search_summary(examples: str, found: VariantScore, start: VariantScore, search: SearchFacts) -> str:
    """The outcome first, then the cost. `examples` says what the prompt shows besides its instruction."""
    before = f"{start.correct} of {start.cases}"
    if all(each.parent is None for each in search.prompts if each.variant == found.variant):
        outcome = f"no better prompt was found than the one the search began with ({examples}; {before} validation cases correct)"
    else:
        outcome = f"a prompt that a search found ({examples}), with {found.correct} of {found.cases} validation cases correct"
        outcome += f", {before} before"
    untold = f" and {search.tokens_untold} replies that did not report theirs" if search.tokens_untold else ""
    return (
        f"{outcome}. The search ({search.library} {search.version}, seed {search.seed}) took {search.metric_calls} of "
        f"{search.allowed_metric_calls} metric calls, {search.tokens:,} tokens{untold}, and {search.seconds:.0f} s; "
        f"{search.proposer} was asked for {search.proposals} instructions, of which {search.unusable_proposals or 'none'} were "
        f"unusable. The prompt is in {prompt_file(ArmName.OPTIMISED_PROMPT)}"
    )
