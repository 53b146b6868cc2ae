"""Senses in context: cosines of the senses of a word to the mean of the tokens around it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._check import check_count, check_option
from ._vector_search import Floats, unit_rows
from .text import Tokenizer

if TYPE_CHECKING:
    from ._sense_vectors import SenseVectors

__all__ = ["best_examples", "sense_cosines"]

_VALUES = 1 << 20  # float64 values at a time
_BATCH = 1024  # contexts at a time, where examples are looked for


def _check_contexts(tokens: Any, positions: Any) -> list[int]:
    if isinstance(tokens, str) or any(isinstance(each, str) for each in tokens):
        raise TypeError("`tokens` must be lists of strings, got a string")
    if len(tokens) != len(positions):
        raise ValueError(f"`position` must have {len(tokens)} items, got {len(positions)}")
    places = [check_count("position", place, least=0) for place in positions]
    for place, each in zip(places, tokens, strict=True):
        if place >= len(each):
            raise IndexError(f"`position` must be below {len(each)}, the tokens, got {place}")
    return places


def _context_means(
    table: Floats, index: dict[str, int], tokens: Any, places: list[int]
) -> npt.NDArray[np.float64]:
    """Return the mean of the vectors of the known tokens other than the one at its place."""
    means = np.zeros((len(tokens), table.shape[1]), dtype=np.float64)
    step = max(1, _VALUES // table.shape[1])
    for mean, each, place in zip(means, tokens, places, strict=True):
        rows = [index[token] for i, token in enumerate(each) if i != place and token in index]
        for start in range(0, len(rows), step):
            mean += table[rows[start : start + step]].sum(axis=0, dtype=np.float64)
        mean /= max(len(rows), 1)
    return means


def sense_cosines(
    wv: SenseVectors, tokens: Any, positions: Any, context: str
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the words at some positions and the cosines of their senses to the contexts.

    Returns
    -------
    words : int64, shape (n,)
        -1 where the word is unknown.
    cosines : float32, shape (n, most senses of a word)
        -inf past the last sense of the word.
    """
    check_option("context", context, ("senses", "words"))
    table = wv.mean_vectors if context == "senses" else wv.word_vectors
    if table is None:
        raise ValueError("`context` must be 'senses': these vectors have no `word_vectors`")
    places = _check_contexts(tokens, positions)
    asked = [wv._word_index.get(each[p], -1) for each, p in zip(tokens, places, strict=True)]
    words = np.array(asked, dtype=np.int64)
    most = int(np.diff(wv.offsets).max()) if len(wv.words) else 1
    scores = np.full((len(words), most), -np.inf, dtype=np.float32)
    units = wv.unit_vectors
    step = max(1, _VALUES // (wv.dim * most))
    for start in range(0, len(words), step):
        part = slice(start, start + step)
        known = np.flatnonzero(words[part] >= 0) + start
        if not known.size:
            continue
        chosen = [tokens[i] for i in known]
        means = _context_means(table, wv._word_index, chosen, [places[i] for i in known])
        directions = unit_rows(means.astype(np.float32))
        first = wv.offsets[words[known]][:, None]
        rows = first + np.arange(most)
        inside = rows < wv.offsets[words[known] + 1][:, None]
        senses = units[np.where(inside, rows, first)].astype(np.float64)
        dots = (senses * directions[:, None, :].astype(np.float64)).sum(axis=2)
        scores[known] = np.where(inside, np.clip(dots, -1, 1), -np.inf)
    return words, scores


def _contexts(
    word: str, documents: Iterable[Any], window: int, tokenizer: Callable[[str], Any] | None
) -> Iterable[tuple[Sequence[str], int]]:
    if isinstance(documents, str):
        raise TypeError("`documents` must be texts or lists of tokens, got one string")
    cut = Tokenizer() if tokenizer is None else tokenizer
    for document in documents:
        tokens = cut(document) if isinstance(document, str) else document
        if word not in tokens:
            continue
        for place, token in enumerate(tokens):
            if token == word:
                start = max(0, place - window)
                yield tokens[start : place + window + 1], place - start


def best_examples(
    wv: SenseVectors,
    word: str,
    documents: Iterable[Any],
    n: int,
    window: int,
    tokenizer: Callable[[str], Any] | None,
) -> dict[str, list[str]]:
    """Return, for each sense of a word, the n different contexts where it is most probable."""
    keys = wv.sense_keys(word)
    best: list[dict[str, tuple[float, int]]] = [{} for _ in keys]
    batch: list[tuple[Sequence[str], int]] = []
    seen = 0

    def settle() -> None:
        nonlocal seen
        if not batch:
            return
        chances = wv.sense_probabilities([tokens for tokens, _ in batch], [p for _, p in batch])
        for (tokens, place), row in zip(batch, chances[:, : len(keys)], strict=True):
            sense = int(row.argmax())
            parts = [*tokens[:place], f"[{word}]", *tokens[place + 1 :]]
            best[sense].setdefault(" ".join(parts), (-float(row[sense]), seen))
            seen += 1
        for sense, found in enumerate(best):
            best[sense] = dict(heapq.nsmallest(n, found.items(), key=lambda item: item[1]))
        batch.clear()

    for context in _contexts(word, documents, window, tokenizer):
        batch.append(context)
        if len(batch) == _BATCH:
            settle()
    settle()
    return {
        key: sorted(found, key=found.__getitem__) for key, found in zip(keys, best, strict=True)
    }
