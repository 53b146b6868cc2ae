"""Which sense a word has in a context, by the trained model.

Three rules. k is a sense of the word w, j runs over the known words around it, U are their output
vectors, C the means of their senses that are not pruned, S_k is the vector of the sense, and
m_j = r_j / (1 + a_j / 10), where r_j is the share of the occurrences of j that training keeps, and
a_j the distance of j in words.

* "cosine": that of S_k to the sum of m_j C_j. The published rule (Grzegorczyk and Kurdziel 2018,
  their program) has m_j = 1; `SenseVectors.disambiguate` is that.
* "likelihood": log prior_k + 2 * sum of m_j (S_k . U_j - log Z_k), where Z_k = sum over the
  vocabulary of q_v exp(S_k . U_v), q the noise distribution: under negative sampling
  S_k . U_j - log Z_k is log p(j | sense k) - log q_j.
* "gate": A_w c + e_w, the gate of the training, with c the sum of r_j U_j of the nearest words,
  `gate_window` of them kept on each side, scaled to length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SenseAssigner"]

Doubles = npt.NDArray[np.float64]

LIKELIHOOD_STRENGTH = 2.0
HALF_DISTANCE = 10.0
_LARGEST = 60.0  # logits are clipped as in training


class SenseAssigner:
    """The tables of a trained model, asked about one context at a time.

    Parameters
    ----------
    senses, gate : ndarray of float32, shape (rows, dim)
    gate_bias : ndarray of float32, shape (rows,)
    output : ndarray of float32, shape (n_words, dim)
    means : ndarray of float32, shape (n_words, dim)
        Of the senses of each word that are not pruned.
    offsets : ndarray of int64, shape (n_words + 1,)
    priors : ndarray of float64, shape (rows,)
    keep : ndarray of float64, shape (n_words,)
        The share of a word's occurrences that training keeps.
    noise : ndarray of float64, shape (n_words,)
        Probabilities of the noise distribution.
    gate_window : int
    """

    def __init__(
        self,
        senses: Any,
        gate: Any,
        gate_bias: Any,
        output: Any,
        means: Any,
        offsets: Any,
        priors: Any,
        keep: Doubles,
        noise: Doubles,
        gate_window: int,
    ) -> None:
        self.senses, self.gate, self.gate_bias = senses, gate, gate_bias
        self.output, self.means = output, means
        self.offsets, self.priors = offsets, priors
        self.keep, self.noise, self.gate_window = keep, noise, gate_window
        self._normalizers: dict[int, Doubles] = {}

    def scores(self, by: str, word: int, count: int, left: Any, right: Any) -> Doubles:
        """Return the logarithm of the probability of each sense, up to a constant.

        Parameters
        ----------
        by : {"cosine", "likelihood", "gate"}
        word : int
            Its row.
        count : int
            How many of its senses are asked about, the most probable ones.
        left, right : ndarray of int64
            The words before, the nearest last, and after it, the nearest first; -1 where unknown.
        """
        first = int(self.offsets[word])
        rows = slice(first, first + count)
        rule = {
            "cosine": self._cosines,
            "likelihood": self._likelihoods,
            "gate": self._gate_scores,
        }[by]
        return rule(word, rows, left, right)

    def _around(self, left: Any, right: Any) -> tuple[Any, Doubles]:
        """Return the known words around a place and what each of them counts."""
        ids = np.concatenate([left, right])
        distances = np.concatenate([np.arange(len(left), 0, -1), np.arange(1, len(right) + 1)])
        known = ids >= 0
        return ids[known], self.keep[ids[known]] / (1.0 + distances[known] / HALF_DISTANCE)

    def _cosines(self, word: int, rows: slice, left: Any, right: Any) -> Doubles:
        ids, weights = self._around(left, right)
        context = weights @ self.means[ids].astype(np.float64)
        senses = self.senses[rows].astype(np.float64)
        lengths = np.linalg.norm(senses, axis=1) * np.linalg.norm(context)
        cosines: Doubles = senses @ context / np.where(lengths > 0, lengths, 1.0)
        shares: Doubles = np.log(np.maximum((1.0 + cosines) / 2.0, 1e-12))
        return shares

    def _gate_scores(self, word: int, rows: slice, left: Any, right: Any) -> Doubles:
        total = np.zeros(self.output.shape[1])
        for side in (left[::-1], right):
            known = side[side >= 0]
            weights = self.keep[known]
            # As many words as training would have kept a window of.
            weights = weights * (np.cumsum(weights) - weights < self.gate_window)
            total += weights @ self.output[known].astype(np.float64)
        length = np.sqrt(total @ total)
        context = total / length if length > 0 else total
        logits: Doubles = self.gate[rows].astype(np.float64) @ context + self.gate_bias[rows]
        return logits

    def _likelihoods(self, word: int, rows: slice, left: Any, right: Any) -> Doubles:
        ids, weights = self._around(left, right)
        fits = self.senses[rows].astype(np.float64) @ self.output[ids].T.astype(np.float64)
        fits -= self._log_normalizers(word)[: rows.stop - rows.start, None]
        prior: Doubles = np.log(np.maximum(self.priors[rows], 1e-12))
        return prior + LIKELIHOOD_STRENGTH * (fits @ weights)

    def _log_normalizers(self, word: int) -> Doubles:
        """Return log Z_k of all senses of a word; made at first use."""
        if word not in self._normalizers:
            rows = slice(int(self.offsets[word]), int(self.offsets[word + 1]))
            logits = (self.senses[rows] @ self.output.T).astype(np.float64)
            np.clip(logits, -_LARGEST, _LARGEST, out=logits)
            self._normalizers[word] = np.log(np.exp(logits) @ self.noise)
        found: Doubles = self._normalizers[word]
        return found


def softmax(scores: Doubles) -> Doubles:
    """Return probabilities from their logarithms up to a constant."""
    powers = np.exp(scores - scores.max())
    result: Doubles = powers / powers.sum()
    return result


def sides(
    index: dict[str, int], tokens: Sequence[str], position: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of the tokens before and after a position, -1 where unknown."""
    rows = np.array([index.get(token, -1) for token in tokens], dtype=np.int64)
    return rows[:position], rows[position + 1 :]
