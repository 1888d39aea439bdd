"""Labels that a classifier doubts which has not seen them: cross-validated probabilities, judged by cleanlab."""

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
"""Each row is judged by a classifier that has learned from the other two thirds; a label with fewer rows cannot be judged so."""

SEED = 0

STRENGTH = 10.0
"""The inverse of the L2 penalty (scikit-learn's C)."""

TOLERANCE = 1e-3
"""Where the fit stops. With a tenth of it three times the seconds make precision .824 of .819 (clinc150, 5 % of the labels flipped)."""

PACKAGES = ("cleanlab", "sklearn")


@dataclass(frozen=True)
class Doubts:
    """What the classifier says: for each row that could be judged its number, the likeliest label, and how well its own label fits.

    The last is cleanlab's normalised margin, from 0, surely wrong, to 1. `doubted` has the numbers of the rows whose label is probably
    wrong, the surest first.
    """

    judged: NDArray[np.intp]
    likeliest: NDArray[np.intp]
    fit: NDArray[np.float64]
    doubted: list[int]
    seconds: float


def must_be_installed() -> None:
    """Raises CaseError where the packages of the extra `labels` are not there."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CaseError(
            f"label errors by cleanlab need {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed",
            where="label_errors",
            fix="pip install 'tuneproof[labels]', or leave it at neighbours",
        )


def doubts(texts: Sequence[str], own: Sequence[int]) -> Doubts | None:
    """The labels in doubt by confident learning (Northcutt, Jiang and Chuang 2021); none where there is nothing to tell labels by.

    A text is its words and pairs of adjoining words by TF-IDF; the probabilities are those of a logistic regression, out of sample. The
    same texts give the same doubts. Rows of labels with fewer than three rows are left out.
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
        # No word stands in two texts.
        return None
    with warnings.catch_warnings():
        # Whether the last digits have converged is of no concern to a doubt.
        warnings.simplefilter("ignore")
        classifier = LogisticRegression(C=STRENGTH, tol=TOLERANCE)
        probabilities = cross_val_predict(classifier, vectors, numbered, cv=folds, method="predict_proba")
        # Of cleanlab's ways of choosing, this one names the fewest rows wrongly: on clinc150 12 %, as the neighbours do; its default 27 %.
        # One job: other processes would load all this again, and it takes a fraction of a second.
        doubted = find_label_issues(
            numbered, probabilities, filter_by="low_normalized_margin", return_indices_ranked_by="normalized_margin", n_jobs=1
        )
        fit = get_label_quality_scores(numbered, probabilities, method="normalized_margin")
    return Doubts(judged, labels[probabilities.argmax(axis=1)], fit, judged[doubted].tolist(), perf_counter() - started)
