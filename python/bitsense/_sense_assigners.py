"""Which sense a word has in a context, by the trained model.

Three rules; k is a sense of the word w, j the known words around it, U their output vectors, S_k the
vector of the sense, and m_j the share of occurrences of j that training keeps:

* "gate": softmax(A_w c + e_w), the gate of the training, with c the mean of m_j U_j of the nearest
  words, `gate_window` of them kept on each side, scaled to length 1.
* "likelihood": log prior_k + strength * sum of m_j b_j (S_k . U_j - log Z_k), softmax over k, where
  Z_k = sum over the vocabulary of q_v exp(S_k . U_v), q the noise distribution: under negative
  sampling S_k . U_j - log Z_k is log p(j | sense k) - log q_j. Words count less with their distance
  a: b_j = 1 / (1 + a / 10).
* "cosine": that of S_k to the mean of the senses of the words j (Grzegorczyk and Kurdziel 2018),
  which `SenseVectors` has.
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
        offsets: Any,
        priors: Any,
        keep: Doubles,
        noise: Doubles,
        gate_window: int,
    ) -> None:
        self.senses, self.gate, self.gate_bias, self.output = senses, gate, gate_bias, output
        self.offsets, self.priors = offsets, priors
        self.keep, self.noise, self.gate_window = keep, noise, gate_window
        self._normalizers: dict[int, Doubles] = {}

    def scores(self, by: str, word: int, count: int, left: Any, right: Any) -> Doubles:
        """Return the logarithm of the probability of each sense, up to a constant.

        Parameters
        ----------
        by : {"gate", "likelihood"}
        word : int
            Its row.
        count : int
            How many of its senses are asked about, the most probable ones.
        left, right : ndarray of int64
            The words before, the nearest last, and after it, the nearest first; -1 where unknown.
        """
        first = int(self.offsets[word])
        rows = slice(first, first + count)
        if by == "gate":
            return self._gate_scores(rows, left, right)
        return self._likelihoods(word, rows, left, right)

    def _gate_scores(self, rows: slice, left: Any, right: Any) -> Doubles:
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
        prior: Doubles = np.log(np.maximum(self.priors[rows], 1e-12))
        ids = np.concatenate([left, right])
        distances = np.concatenate([np.arange(len(left), 0, -1), np.arange(1, len(right) + 1)])
        ids, distances = ids[ids >= 0], distances[ids >= 0]
        if not len(ids):
            return prior
        weights = self.keep[ids] / (1.0 + distances / HALF_DISTANCE)
        fits = self.senses[rows].astype(np.float64) @ self.output[ids].T.astype(np.float64)
        fits -= self._log_normalizers(word)[: rows.stop - rows.start, None]
        return prior + LIKELIHOOD_STRENGTH * (fits @ weights)

    def _log_normalizers(self, word: int) -> Doubles:
        """Return log Z_k of all senses of a word; made at first use."""
        if word not in self._normalizers:
            rows = slice(int(self.offsets[word]), int(self.offsets[word + 1]))
            logits = (self.senses[rows] @ self.output.T).astype(np.float64)
            np.clip(logits, -_LARGEST, _LARGEST, out=logits)
            self._normalizers[word] = np.log(np.exp(logits) @ self.noise)
        return self._normalizers[word]


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
