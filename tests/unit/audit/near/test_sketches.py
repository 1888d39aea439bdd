"""What the near-duplicate join holds of each text is a fraction of the text."""

from __future__ import annotations

from random import Random

import pytest

from tuneproof.engine.audit.near.settings import LEAST_JACCARD, Shingle
from tuneproof.engine.audit.near.sketches import sketch


@pytest.mark.parametrize(("shingle", "share"), [(Shingle.W3, 0.25), (Shingle.C5, 1.1)])
def test_sketches_take_a_fraction_of_the_text(shingle: Shingle, share: float) -> None:
    chance = Random(2)
    texts = [" ".join(f"{chance.getrandbits(24):06x}" for _ in range(60)) for _ in range(500)]
    made = sketch(texts, shingle, LEAST_JACCARD)
    held = sum(each.nbytes for each in (made.sizes, made.fingerprints, made.signatures, made.starts, made.rarest))
    assert held < share * sum(map(len, texts))
