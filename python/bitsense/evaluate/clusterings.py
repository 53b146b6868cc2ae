"""Agreement of two clusterings of the same items: adjusted Rand index, V-measure, paired F-score.

Each is computed from the contingency table n_ij, the number of items with gold label i and
predicted label j, with row sums a_i, column sums b_j and n items in all. Names of labels do not
matter, and what is the same item in both lists is told by its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["adjusted_rand_index", "paired_f_score", "v_measure"]

Counts = npt.NDArray[np.int64]


def adjusted_rand_index(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    r"""Return the Rand index, corrected for chance: 1 for equal clusterings, about 0 at random.

    Parameters
    ----------
    gold, predicted : sequences of labels, of equal length
        Any hashable labels.

    Returns
    -------
    float
        Within [-0.5, 1]. Where both put every item in one cluster, or both each item in its own,
        they are equal: 1. So one cluster for everything scores 1 on a word whose items all have
        one gold label; means over words should say how many of those there are.

    Raises
    ------
    ValueError
        If the lists have no items or different lengths.

    Notes
    -----
    With :math:`T = \sum_{ij} \binom{n_{ij}}{2}`, :math:`A = \sum_i \binom{a_i}{2}`,
    :math:`B = \sum_j \binom{b_j}{2}` and :math:`E = A B / \binom{n}{2}`,

    .. math:: ARI = \frac{T - E}{(A + B) / 2 - E}

    (Hubert and Arabie, "Comparing partitions", Journal of Classification 2, 1985).

    Examples
    --------
    >>> adjusted_rand_index([0, 0, 0, 1, 1], ["x", "x", "y", "y", "y"])
    0.16666666666666666
    """
    together, within_gold, within_predicted, pairs = _pairs(gold, predicted)
    # Both sides times `pairs`, so that all is in integers until the one division.
    above = together * pairs - within_gold * within_predicted
    below = (within_gold + within_predicted) * pairs - 2 * within_gold * within_predicted
    return 1.0 if below == 0 else 2 * above / below


def paired_f_score(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Return the F-score of the pairs of items that are put together.

    The paired F-score of SemEval-2010 task 14 (Manandhar, Klapaftis, Dligach and Pradhan, 2010):
    precision is the share of the predicted pairs that are gold pairs, recall the share of the gold
    pairs that are predicted, F their harmonic mean.

    Parameters
    ----------
    gold, predicted : sequences of labels, of equal length

    Returns
    -------
    float
        Within [0, 1]; 1 where neither has a pair, since both put each item in its own cluster.
    """
    together, within_gold, within_predicted, _ = _pairs(gold, predicted)
    total = within_gold + within_predicted
    return 2 * together / total if total else 1.0


def v_measure(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Return the harmonic mean of homogeneity and completeness.

    Homogeneity is 1 - H(gold | predicted) / H(gold), or 1 where H(gold) is 0; completeness is the
    same with both sides exchanged (Rosenberg and Hirschberg, EMNLP-CoNLL 2007).

    Parameters
    ----------
    gold, predicted : sequences of labels, of equal length

    Returns
    -------
    float
        Within [0, 1]. It rises with the number of predicted clusters: compare it only beside that
        number.
    """
    joint, rows, columns = _contingency(gold, predicted)
    gold_entropy, predicted_entropy = _entropy(rows), _entropy(columns)
    shared = max(0.0, gold_entropy + predicted_entropy - _entropy(joint))
    homogeneity = min(1.0, shared / gold_entropy) if gold_entropy else 1.0
    completeness = min(1.0, shared / predicted_entropy) if predicted_entropy else 1.0
    total = homogeneity + completeness
    return 2 * homogeneity * completeness / total if total else 0.0


def _pairs(gold: Sequence[Any], predicted: Sequence[Any]) -> tuple[int, int, int, int]:
    """Return how many pairs are together in both, in gold, in predicted, and in all."""
    counts = _contingency(gold, predicted)
    together, within_gold, within_predicted = (int((c * (c - 1) // 2).sum()) for c in counts)
    n = len(gold)
    return together, within_gold, within_predicted, n * (n - 1) // 2


def _contingency(gold: Sequence[Any], predicted: Sequence[Any]) -> tuple[Counts, Counts, Counts]:
    """Return the counts that are not zero: of the pairs of labels, of gold, of predicted."""
    if len(gold) != len(predicted):
        raise ValueError(
            f"`predicted` must have one label per item, {len(gold)}, got {len(predicted)}"
        )
    if len(gold) == 0:
        raise ValueError("`gold` must have at least 1 label, got 0")
    both = _numbered(list(zip(gold, predicted, strict=True)))
    return np.bincount(both), np.bincount(_numbered(gold)), np.bincount(_numbered(predicted))


def _numbered(labels: Sequence[Any]) -> list[int]:
    """Return the labels as numbers, by first occurrence."""
    numbers: dict[Any, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]


def _entropy(counts: Counts) -> float:
    """Return the entropy of a distribution given by counts, in nats; exactly 0 of one label."""
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum()) if len(shares) > 1 else 0.0
