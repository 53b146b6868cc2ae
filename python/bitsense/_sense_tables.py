"""The tables of the disambiguated skip-gram: their training, and what a file of them must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._progress import Reporter
from ._saver import Saver
from ._word_file import require_table
from .errors import FormatError
from .text import Corpus, Vocabulary

if TYPE_CHECKING:
    from ._disambiguated_skip_gram import DisambiguatedSkipGram

__all__ = ["checked_senses", "train_senses"]

_ANNEALED_AFTER = 0.5  # share of the training with own gates after which `temperature` is reached
_PRIOR_UNIT = 2.0**-24
_FEW_WORDS = 500_000


def train_senses(
    recipe: dict[str, Any],
    options: _core.WordOptions,
    vocabulary: Vocabulary,
    corpus: Corpus,
    reporter: Reporter,
    saver: Saver,
    start: DisambiguatedSkipGram | None = None,
) -> tuple[dict[str, Any], list[float], BaseException | None]:
    """Return the tables, senses by falling prior, the losses, and what stopped the training.

    From the tables of `start` on, whose words are all in the vocabulary: they keep the senses that
    they have, and no gate is shared any more.
    """
    options.shrink_windows = False
    options.gate_window = recipe["gate_window"]
    options.gate_rate = recipe["gate_rate"]
    options.shared_gate_rate = recipe["gate_rate"] * _shared_share(corpus.n_tokens * options.epochs)
    options.shared_until = recipe["shared_until"]
    options.entropy_cost = recipe["entropy_cost"]
    options.temperature = recipe["temperature"]
    options.annealed_after = _ANNEALED_AFTER
    dim, most, words = recipe["dim"], recipe["senses"], len(vocabulary)
    sizes = np.where(vocabulary.counts >= recipe["min_count_senses"], most, 1)
    if start is not None:
        begun = _Begun(start, vocabulary)
        sizes[begun.words] = begun.sizes
        options.shared_until = -1.0  # so the temperature is the last one
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint64)
    rows = int(offsets[-1])
    senses = _core.word_table(rows, dim, 0.5 / dim, options.seed, options.threads)
    output = _core.word_table(words, dim)
    gate, gate_bias = _core.word_table(rows, dim), np.zeros(rows, np.float32)
    shared, shared_bias = _core.word_table(most, dim), np.zeros(most, np.float32)
    tables = _core.SenseTables(senses, output, gate, gate_bias, shared, shared_bias, offsets)
    data = corpus.ids, corpus.offsets, vocabulary.counts
    if start is not None:
        begun.copy(offsets, senses, output, gate, gate_bias)
    position = _core.Position()
    learned = {
        "senses": senses,
        "output": output,
        "gate": gate,
        "gate_bias": gate_bias,
        "shared_gate": shared,
        "shared_bias": shared_bias,
    }
    if start is not None:
        saver.start_with(learned)
    saver.begin(position, lambda: learned)
    watch = saver.watch(reporter.watch)
    losses, error = _core.train_senses(*data, tables, options, watch, position=position)
    error = saver.stopped(error)
    if error is not None:  # who stops a training does not wait for another pass
        data = _beginning(corpus, vocabulary)
    sums = _core.sense_priors(*data, tables, options)
    # The gate of a word is the shared one and its own.
    number = np.arange(rows) - np.repeat(offsets[:-1].astype(np.int64), sizes)
    gate = gate + shared[number]  # `learned` stays as it was trained
    gate_bias = gate_bias + shared_bias[number]
    priors = _priors(sums, offsets)
    if start is not None:
        priors = begun.merged(priors, sums, offsets, vocabulary)
    order = _by_prior(priors, sizes)
    arrays = {
        "senses": senses[order],
        "output": output,
        "gate": gate[order],
        "gate_bias": gate_bias[order],
        "priors": priors[order],
        "sense_offsets": offsets,
    }
    return arrays, losses, error


class _Begun:
    """What a fitted model knows of the words of a vocabulary that holds all of its own."""

    def __init__(self, start: DisambiguatedSkipGram, vocabulary: Vocabulary) -> None:
        self._arrays = start._arrays
        self._counts = start.vocabulary_.counts.astype(np.float64)
        self._begins = self._arrays["sense_offsets"].astype(np.int64)
        self.words = np.array([vocabulary[word] for word in start.vocabulary_], np.int64)
        self.sizes: Any = np.diff(self._begins)

    def _rows(self, offsets: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return where each of its senses is now."""
        number = np.arange(self._begins[-1]) - np.repeat(self._begins[:-1], self.sizes)
        rows: npt.NDArray[np.int64] = number + np.repeat(
            offsets[self.words].astype(np.int64), self.sizes
        )
        return rows

    def copy(self, offsets: npt.NDArray[np.uint64], *tables: npt.NDArray[np.float32]) -> None:
        """Copy its rows to where they are now."""
        rows = self._rows(offsets)
        for name, table in zip(("senses", "output", "gate", "gate_bias"), tables, strict=True):
            table[self.words if name == "output" else rows] = self._arrays[name]

    def merged(
        self,
        priors: npt.NDArray[np.float64],
        sums: npt.NDArray[np.uint64],
        offsets: npt.NDArray[np.uint64],
        vocabulary: Vocabulary,
    ) -> Any:
        """Return the priors of old and new documents together, weighed by the counts of words."""
        begins, counts = offsets[:-1].astype(np.int64), vocabulary.counts.astype(np.float64)
        sizes: Any = np.diff(offsets.astype(np.int64))
        old_priors, old_counts = np.zeros(len(priors)), np.zeros(len(sizes))
        old_priors[self._rows(offsets)] = self._arrays["priors"]
        old_counts[self.words] = self._counts
        # Words that were no centre in the new documents keep their priors.
        new_counts = np.where(np.add.reduceat(sums, begins) > 0, counts - old_counts, 0.0)
        new_counts[old_counts + new_counts == 0] = 1.0
        share = np.repeat(new_counts / (new_counts + old_counts), sizes)
        return share * priors + (1.0 - share) * old_priors


def checked_senses(
    arrays: dict[str, Any], recipe: dict[str, Any], vocabulary: Vocabulary
) -> dict[str, Any]:
    """Return the tables of a file; FormatError if they do not fit the parameters."""
    words, dim = len(vocabulary), recipe["dim"]
    offsets = files.require_array(arrays, "sense_offsets", "uint64", words + 1)
    sizes = np.diff(offsets.astype(np.int64))
    fits = offsets[0] == 0 and (sizes >= 1).all() and (sizes <= recipe["senses"]).all()
    if not fits:
        raise FormatError("corrupt: the model's senses do not fit its words")
    rows = int(offsets[-1])
    priors = files.require_array(arrays, "priors", "float64", rows)
    sums = np.add.reduceat(priors, offsets[:-1].astype(np.int64))
    falls: Any = np.diff(priors) <= 0
    falls[offsets[1:-1].astype(np.int64) - 1] = True  # from one word to the next
    if not (
        np.isfinite(priors).all() and (priors >= 0).all() and falls.all() and np.allclose(sums, 1.0)
    ):
        raise FormatError("corrupt: the model's priors are no falling probabilities")
    bias = files.require_array(arrays, "gate_bias", "float32", rows)
    if not np.isfinite(bias).all():
        raise FormatError("corrupt: the model's weights are not finite")
    return {
        "senses": require_table(arrays, "senses", rows, dim),
        "output": require_table(arrays, "output", words, dim),
        "gate": require_table(arrays, "gate", rows, dim),
        "gate_bias": bias,
        "priors": priors,
        "sense_offsets": offsets,
    }


def _beginning(corpus: Corpus, vocabulary: Vocabulary) -> tuple[Any, Any, Any]:
    """Return the first documents of a corpus, as many as a moment is enough for."""
    count = max(1, int(np.searchsorted(corpus.offsets, _FEW_WORDS, side="right")) - 1)
    offsets = corpus.offsets[: count + 1]
    return corpus.ids[: int(offsets[-1])], offsets, vocabulary.counts


def _shared_share(words: int) -> float:
    """Return the rate of the shared gate relative to that of a word's own.

    All words move it, so it needs less, the less the more words there are to train on: too fast a
    shared gate chooses one sense for everything before the words learn their own.
    """
    return min(0.1, max(0.03, 1e6 / max(words, 1)))


def _priors(sums: npt.NDArray[np.uint64], offsets: npt.NDArray[np.uint64]) -> Any:
    """Return the shares of the senses of each word; equal ones where it was never a centre."""
    begins = offsets[:-1].astype(np.int64)
    sizes: Any = np.diff(offsets.astype(np.int64))
    values = sums.astype(np.float64) * _PRIOR_UNIT
    totals = np.repeat(np.add.reduceat(values, begins), sizes)
    return np.where(
        totals > 0, values / np.where(totals > 0, totals, 1), 1 / np.repeat(sizes, sizes)
    )


def _by_prior(priors: Any, sizes: Any) -> npt.NDArray[np.int64]:
    """Return the rows, word by word, in the order of falling priors; equal ones keep theirs."""
    words = np.repeat(np.arange(len(sizes)), sizes)
    return np.lexsort((-priors, words)).astype(np.int64)
