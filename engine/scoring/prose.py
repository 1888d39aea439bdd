"""What a free text scores against the expected one, between 0 and 1, in each metric that gives partial credit or looks at a part."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping

import regex

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.text_units import folded, is_contained, tokens

END_MARKS = " .,;:!?\"'"

ROUNDING = 1e-9
"""What a score may be short of the one that is enough by the last digits of a float."""

_ARTICLES = regex.compile(r"\b(?:a|an|the)\b")
_MARKS = regex.compile(r"[\p{P}\p{S}]")


def chrf(output: str, expected: str) -> float:
    """chrF2: the F-score of character n-grams up to 6, recall counting twice (Popović 2015), as sacrebleu computes it for a sentence."""
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().sentence_score(output, [expected]).score) / 100


def rouge_l(output: str, expected: str) -> float:
    """ROUGE-L: the F-measure of the longest common subsequence of tokens (Lin 2004), lower case, without stemming.

    Tokens are runs of letters and digits in any script; the package `rouge-score` drops everything but ASCII.
    """
    from rapidfuzz.distance import LCSseq

    got, wanted = tokens(output), tokens(expected)
    return _f1(LCSseq.similarity(got, wanted), len(got), len(wanted))


def token_f1(output: str, expected: str) -> float:
    """The F1 of the bags of tokens after SQuAD's normalisation (Rajpurkar and others 2016): lower case, no punctuation, no articles.

    In scripts without spaces each character is a token, as in MLQA (Lewis and others 2020).
    """
    got, wanted = squad_tokens(output), squad_tokens(expected)
    if not got or not wanted:
        return float(folded(output) == folded(expected))
    return _f1(sum((Counter(got) & Counter(wanted)).values()), len(got), len(wanted))


def squad_tokens(text: str) -> list[str]:
    """The tokens that SQuAD compares."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return tokens(_ARTICLES.sub(" ", plain))


def contains(output: str, expected: str) -> float:
    """Whether the expected text is in the output, as whole words.

    Unicode forms, white space, case, and the marks that end the expected text do not count.
    """
    wanted = expected.strip().strip(END_MARKS) or expected.strip()
    return float(is_contained(wanted, output)) if wanted else float(not output.strip())


def _f1(common: int, got: int, wanted: int) -> float:
    return 2 * common / (got + wanted) if got and wanted else 0.0


PROSE_SCORES: Mapping[Metric, Callable[[str, str], float]] = {
    Metric.CHRF: chrf,
    Metric.ROUGE_L: rouge_l,
    Metric.TOKEN_F1: token_f1,
    Metric.CONTAINS: contains,
}
"""How an output scores against the expected one, by metric."""
