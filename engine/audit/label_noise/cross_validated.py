"""Labels that a classifier trained on the other rows finds unlikely: cross-validated probabilities, ranked by cleanlab."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import CaseError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDS = 3
"""Each row is judged by a classifier trained on the other two thirds, which a label with fewer rows does not allow."""

SEED = 0

STRENGTH = 10.0
"""The inverse of the L2 penalty (scikit-learn's C)."""

TOLERANCE = 1e-3
"""Tolerance at which the fit stops. A tenth of it takes three times as long for a precision of .824, not .819 (clinc150, 5 % flipped)."""

PACKAGES = ("cleanlab", "sklearn")


@dataclass(frozen=True)
class Doubts:
    """What the classifier says about the rows that it could judge."""

    judged: NDArray[np.intp]
    """The numbers of those rows; the two arrays below have one entry for each."""
    likeliest: NDArray[np.intp]
    """The likeliest label."""
    fit: NDArray[np.float64]
    """cleanlab's normalised margin of the row's own label, from 0 (certainly wrong) to 1."""
    doubted: list[int]
    """The numbers of the rows whose label may be wrong, the most certain first."""
    seconds: float


def require_cleanlab() -> None:
    """Raises CaseError if the packages of the extra `labels` are not installed."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CaseError(
            f"finding label errors with cleanlab needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed",
            where="label_errors",
            fix="pip install 'tuneproof[labels]', or use neighbours",
        )


def find_doubts(texts: Sequence[str], own: Sequence[int]) -> Doubts | None:
    """The labels in doubt by confident learning (Northcutt, Jiang and Chuang 2021); None if the texts do not allow it.

    A text is the TF-IDF of its words and pairs of adjoining words; the probabilities are those of a logistic regression, out of sample.
    The same texts give the same doubts. Rows of labels with fewer than three rows are left out.
    """
    import numpy as np
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    started = perf_counter()
    counts = Counter(own)
    judged = np.array([at for at, label in enumerate(own) if counts[label] >= FOLDS], np.intp)
    # cleanlab wants the labels numbered without gaps.
    labels, numbered = np.unique(np.array(own, np.intp)[judged], return_inverse=True)
    if len(labels) < 2:
        return None
    words = TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    try:
        vectors = words.fit_transform([texts[at] for at in judged])
    except ValueError:
        # No word occurs in two texts.
        return None
    with warnings.catch_warnings():
        # The ranking does not depend on whether the last digits have converged.
        warnings.simplefilter("ignore")
        classifier = LogisticRegression(C=STRENGTH, tol=TOLERANCE)
        probabilities = cross_val_predict(classifier, vectors, numbered, cv=folds, method="predict_proba")
        # Of cleanlab's filters, this one has the fewest false alarms: 12 % on clinc150, as the neighbours have; its default has 27 %.
        # One job: the work takes a fraction of a second, less than other processes take to start.
        doubted = find_label_issues(
            numbered, probabilities, filter_by="low_normalized_margin", return_indices_ranked_by="normalized_margin", n_jobs=1
        )
        fit = get_label_quality_scores(numbered, probabilities, method="normalized_margin")
    return Doubts(judged, labels[probabilities.argmax(axis=1)], fit, judged[doubted].tolist(), perf_counter() - started)
