"""What a training that continues another one learns from: more documents, and a larger vocabulary.

The counts of words add up over all documents read, so that noise and thinning out are those of all
the text. Words keep what they have learned, but not their ids: the words come by their new counts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import files
from ._check import check_count, check_float
from .errors import FormatError
from .text import Corpus, Vocabulary, build_corpus

__all__ = ["Grown", "continued_of", "continued_seed", "grown", "overrides"]

_GOLDEN = 0x9E3779B97F4A7C15


class Grown(NamedTuple):
    """A vocabulary with the words of more documents, and these documents."""

    vocabulary: Vocabulary
    corpus: Corpus
    ids: npt.NDArray[np.int64]
    """The id that each word of the old vocabulary has now."""


def grown(
    old: Vocabulary,
    documents: Any,
    recipe: dict[str, Any],
    *,
    tokenizer: Any,
    threads: int,
    progress: bool,
    seen: int = 0,
) -> Grown:
    """Read documents; add their words that occur often enough in them to a vocabulary.

    The first `seen` documents were read before: their words are not counted again.
    """
    found, corpus = build_corpus(
        documents, tokenizer=tokenizer, min_count=1, threads=threads, progress=progress
    )
    counts = _counts(found, corpus, seen)
    known = np.array([-1 if i is None else i for i in map(old.get, found)], np.int64)
    new = np.flatnonzero((known < 0) & (counts >= recipe["min_count"]))
    if recipe["max_vocabulary"] is not None:
        new = new[: max(0, recipe["max_vocabulary"] - len(old))]
    words = [word.encode() for word in old] + [found.word(int(i)).encode() for i in new]
    sums = np.concatenate([old.counts, counts[new]])
    sums[known[known >= 0]] += counts[known >= 0]
    order = np.array(sorted(range(len(words)), key=lambda i: (-int(sums[i]), words[i])), np.int64)
    ids = np.empty(len(words), np.int64)
    ids[order] = np.arange(len(words))
    to_id = np.full(len(found), -1, np.int64)
    to_id[known >= 0] = ids[known[known >= 0]]
    to_id[new] = ids[len(old) :]
    encoded = _encoded(corpus, to_id)
    if not encoded.n_tokens:
        raise ValueError(
            "`documents` must hold at least 1 word that the model knows or that occurs "
            f"`min_count`={recipe['min_count']} times, got 0"
        )
    ends = np.cumsum([0] + [len(words[i]) for i in order], dtype=np.uint64)
    text = np.frombuffer(b"".join(words[i] for i in order), np.uint8)
    return Grown(Vocabulary.from_arrays(text, ends, sums[order]), encoded, ids[: len(old)])


def _counts(found: Vocabulary, corpus: Corpus, seen: int) -> npt.NDArray[np.uint64]:
    """Return how often each word occurs in the documents but the first `seen`."""
    if seen == 0:
        return found.counts
    rest = corpus.ids[int(corpus.offsets[min(seen, corpus.n_documents)]) :]
    return np.bincount(rest, minlength=len(found)).astype(np.uint64)


def _encoded(corpus: Corpus, to_id: npt.NDArray[np.int64]) -> Corpus:
    """Return a corpus as other ids; words whose id is -1 are left out."""
    ids = to_id[corpus.ids]
    kept = ids >= 0
    ends = np.concatenate([[0], np.cumsum(kept)]).astype(np.uint64)
    offsets = ends[corpus.offsets.astype(np.int64)]
    return Corpus(ids[kept].astype(np.uint32), offsets, corpus.totals)


def continued_seed(seed: int, times: int) -> int:
    """Return the seed of a training that is the `times`-th one after the first."""
    return (seed + times * _GOLDEN) % 2**64


def overrides(
    recipe: dict[str, Any], continued: list[dict[str, Any]], epochs: Any, learning_rate: Any
) -> dict[str, Any]:
    """Return the parameters of a training that continues one, checked."""
    changed = {**recipe, "seed": continued_seed(recipe["seed"], len(continued) + 1)}
    if epochs is not None:
        changed["epochs"] = check_count("epochs", epochs, most=1_000_000)
    if learning_rate is not None:
        rate = check_float("learning_rate", learning_rate, open_below=True, most=1000.0)
        changed["learning_rate"] = rate
    return changed


def continued_of(header: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the trainings that continued the first one, as the header of a model tells them."""
    if "continued" not in header:
        return []
    result = []
    for each in files.require_field(header, "continued", list):
        if not isinstance(each, dict):
            raise FormatError("corrupt: 'continued' of the header must be a list of objects")
        try:
            result.append(
                {
                    "documents": check_count("documents", each.get("documents")),
                    "epochs": check_count("epochs", each.get("epochs"), most=1_000_000),
                    "learning_rate": check_float(
                        "learning_rate", each.get("learning_rate"), open_below=True, most=1000.0
                    ),
                }
            )
        except (TypeError, ValueError) as error:
            raise FormatError(f"corrupt: 'continued' of the header: {error}") from None
    return result
