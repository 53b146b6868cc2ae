"""The measurements behind `certificate`: of one model, on documents that it was not fitted to.

The radius is calibrated as thresholds for near-duplicates are (Manku, Jain and Das Sarma,
"Detecting near-duplicates for web crawling", WWW 2007), but on the model's own codes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._bit_statistics import bit_correlation, bit_entropy, ones_shares
from ._check import MAX_BITS, check_count, check_float, check_seed, check_threads
from ._edited_copies import HALVES, QUERIES, draws, edited_copies, random_pairs, same_documents
from ._model_file import class_name
from ._neighbour_agreement import agreement, real_neighbours
from .certificates import CODES, FITTED_TO, Certificate, CodeQuality
from .hashing import ITQ, RandomHyperplanes
from .text import Corpus

if TYPE_CHECKING:
    from ._document_methods import DocumentMethods

__all__ = ["FIT_ROWS", "Options", "certify", "checked_options", "some_documents"]

COPY_SHARES = (0.5, 0.9, 0.95, 0.99, 1.0)
PAIR_SHARES = (0.0001, 0.001, 0.01, 0.1, 0.5)

_QUERIES = 1000  # documents whose neighbours are looked for, where there are more
FIT_ROWS = 4096  # vectors that an ITQ is fitted to, where there are more
_SHORTLIST = 10  # times k
_PAIRS = 1 << 16  # whose distances are worked out at once
_ONES = np.array([value.bit_count() for value in range(256)], np.uint8)

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Coder = Callable[[Floats], Bytes]


class Options(NamedTuple):
    """The checked arguments of `certificate`."""

    bits: tuple[int, ...]
    k: int
    edit: float
    found: float
    pairs: int
    seed: int
    threads: int


class Sample(NamedTuple):
    """The documents that all rows are measured on."""

    vectors: Floats
    copies: Floats
    queries: Integers
    first: Integers
    second: Integers


def checked_options(
    bits: Any, k: Any, edit: Any, found: Any, pairs: Any, seed: Any, threads: Any
) -> Options:
    """Return the arguments of `certificate`; an error names the one that is wrong."""
    lengths = list(bits) if isinstance(bits, Iterable) and not isinstance(bits, str) else [bits]
    return Options(
        bits=tuple(sorted({check_count("bits", each, most=MAX_BITS) for each in lengths})),
        k=check_count("k", k),
        edit=check_float("edit", edit, open_below=True, most=1.0),
        found=check_float("found", found, open_below=True, most=1.0),
        pairs=check_count("pairs", pairs, most=10**8),
        seed=check_seed(seed),
        threads=check_threads(threads),
    )


def fitting_vectors(model: DocumentMethods, training: Corpus | None) -> tuple[str, Floats | None]:
    """Return what ITQ is fitted to, and its name; None where that is half of the held-out ones."""
    if training is not None:
        return FITTED_TO[0], model._infer(some_documents(training, _spread(training.n_documents)))
    if model._hidden is not None:
        rows = _spread(len(model._hidden))
        return FITTED_TO[1], model._hidden[rows, : model._n_components]
    return FITTED_TO[2], None


def _spread(rows: int) -> Integers:
    return np.arange(0, rows, max(1, -(-rows // FIT_ROWS)))


def certify(
    model: DocumentMethods,
    corpus: Corpus,
    unknown: int,
    training: Corpus | None,
    options: Options,
) -> Certificate:
    """Measure the codes of a model on documents, all of which have known words."""
    if (
        not options.bits
        and model._code_values(np.zeros((0, model._n_components), np.float32)) is None
    ):
        raise ValueError("`bits` must hold at least 1 length for a model without codes, got 0")
    fitted_to, fitting = fitting_vectors(model, training)
    _require_enough(corpus, options.k, halved=fitting is None)
    if fitting is None:
        order = np.argsort(draws(options.seed, HALVES, corpus.n_documents), kind="stable")
        middle = corpus.n_documents // 2
        fitting = model._infer(some_documents(corpus, np.sort(order[:middle])[:FIT_ROWS]))
        corpus = some_documents(corpus, np.sort(order[middle:]))
    sample = _sample(model, corpus, options)
    truth = real_neighbours(sample.vectors, sample.queries, options.k)
    shortlist = min(_SHORTLIST * options.k, corpus.n_documents - 1)

    def row(kind: str, bits: int, coder: Coder) -> CodeQuality:
        codes = coder(sample.vectors)
        overlap, recall = agreement(
            codes, bits, sample.queries, truth, options.k, shortlist, options.threads
        )
        correlation = bit_correlation(codes, bits)
        between = pair_distances(codes, codes, sample.first, sample.second)
        return CodeQuality(
            codes=kind,
            bits=bits,
            overlap=overlap,
            recall=recall,
            entropy=float(bit_entropy(ones_shares(codes, bits)).mean()),
            mean_correlation=correlation.mean,
            largest_correlation=correlation.largest,
            **calibrated(copy_distances(codes, coder(sample.copies)), between, options.found),
        )

    return Certificate(
        model=class_name(type(model)),
        documents=corpus.n_documents,
        unknown=unknown,
        fitted_to=fitted_to,
        queries=len(sample.queries),
        k=options.k,
        shortlist=shortlist,
        edit=options.edit,
        found=options.found,
        pairs=len(sample.first),
        seed=options.seed,
        copy_shares=COPY_SHARES,
        pair_shares=PAIR_SHARES,
        rows=tuple(row(*each) for each in _coders(model, fitting, options)),
    )


def _require_enough(corpus: Corpus, k: int, halved: bool) -> None:
    least = 2 * k + 1 if halved else k + 1
    if corpus.n_documents < least:
        why = ", for half of them serve to fit the ITQ codes" if halved else ""
        raise ValueError(
            f"`documents` must hold at least {least} with a known word for `k`={k}{why}, "
            f"got {corpus.n_documents}"
        )


def _sample(model: DocumentMethods, corpus: Corpus, options: Options) -> Sample:
    first, second = random_pairs(same_documents(corpus), options.pairs, options.seed)
    if not len(first):
        raise ValueError("`documents` must hold at least 2 that differ in their known words, got 1")
    copies = edited_copies(corpus, model.vocabulary_.counts, options.edit, options.seed)
    order = np.argsort(draws(options.seed, QUERIES, corpus.n_documents), kind="stable")
    queries = np.sort(order[:_QUERIES])
    return Sample(model._infer(corpus), model._infer(copies), queries, first, second)


def _coders(
    model: DocumentMethods, fitting: Floats, options: Options
) -> Iterator[tuple[str, int, Coder]]:
    """Yield what makes the codes of each row, with its name and length, by length."""
    values = model._code_values(fitting[:0])
    own = None if values is None else values.shape[1]
    for bits in sorted({*options.bits, *(() if own is None else (own,))}):
        if bits == own:
            yield CODES[0], bits, lambda vectors: _own_codes(model, vectors)
        if bits not in options.bits:
            continue
        shared: dict[str, Any] = {"bits": bits, "seed": options.seed, "threads": options.threads}
        if bits <= fitting.shape[1]:
            yield CODES[1], bits, ITQ(**shared).fit(fitting).transform
        else:
            yield CODES[2], bits, RandomHyperplanes(**shared).fit(fitting[:1]).transform


def _own_codes(model: DocumentMethods, vectors: Floats) -> Bytes:
    values = model._code_values(vectors)
    assert values is not None
    return np.packbits(values > 0, axis=1)


def some_documents(corpus: Corpus, rows: Integers) -> Corpus:
    """Return some documents of a corpus, by their rows, ascending."""
    offsets = corpus.offsets.astype(np.int64)
    lengths = np.diff(offsets)
    chosen = np.zeros(corpus.n_documents, np.bool_)
    chosen[rows] = True
    ends = np.concatenate([[0], np.cumsum(lengths[chosen])]).astype(np.uint64)
    return Corpus(corpus.ids[np.repeat(chosen, lengths)], ends, corpus.totals[chosen])


def pair_distances(left: Bytes, right: Bytes, rows: Integers, others: Integers) -> Integers:
    """Return the Hamming distances of the codes of pairs of rows."""
    distances = np.empty(len(rows), np.int64)
    for first in range(0, len(rows), _PAIRS):
        some = slice(first, first + _PAIRS)
        distances[some] = _ONES[left[rows[some]] ^ right[others[some]]].sum(axis=1, dtype=np.int64)
    return distances


def copy_distances(codes: Bytes, copies: Bytes) -> Integers:
    """Return the Hamming distances of codes and those of their copies, row by row."""
    rows = np.arange(len(codes))
    return pair_distances(codes, copies, rows, rows)


def calibrated(copies: Integers, pairs: Integers, found: float) -> dict[str, Any]:
    """Return the radius that finds a share of the copies, what it finds, and both quantiles."""
    copies, pairs = np.sort(copies), np.sort(pairs)
    radius = quantile(copies, found)
    return {
        "radius": radius,
        "found": float(np.mean(copies <= radius)),
        "false_rate": float(np.mean(pairs <= radius)),
        "copy_distances": tuple(quantile(copies, share) for share in COPY_SHARES),
        "pair_distances": tuple(quantile(pairs, share) for share in PAIR_SHARES),
    }


def quantile(ordered: Integers, share: float) -> int:
    """Return the smallest of some sorted distances within which at least a share of them lies."""
    least = math.ceil(share * len(ordered) * (1 - 1e-12))  # 0.95 * 20 is 19, not a little more
    return int(ordered[max(least, 1) - 1])
