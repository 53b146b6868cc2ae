"""The main job on data that everybody has: learn codes of the standard library, search them.

Three quarters of the docstrings of the installed Python are learned from, the others are inferred
and each queries the others of that part; a docstring of the same module counts as relevant. The
table puts the learned codes beside chance and beside two ways of hashing without learning, all at
the same number of bits:

* chance: the expectation over all orders;
* TF-IDF-weighted codes: signs of random projections of TF-IDF-weighted bags of words (Charikar
  2002), centred on the mean of the training part;
* random-hyperplane codes: the same of our real paragraph vectors.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from ._docstrings import docstring_tokens, standard_library_documents
from .evaluate import RetrievalMetrics, evaluate_rankings, evaluate_retrieval

__all__ = ["QUERIES", "run", "standard_library_documents", "tfidf_codes"]

BITS = 128
HELD_OUT = 0.25
HITS = 3
QUERIES = (
    "read a file from a zip archive",
    "parse command line arguments and print help",
    "send a mail message to an SMTP server",
    "wait for a lock held by another thread",
    "decode bytes with a unicode codec",
)

Tokens = list[str]
Codes = npt.NDArray[np.uint8]


def run(
    *,
    threads: int | None = None,
    seed: int = 0,
    quiet: bool = False,
    out: TextIO | None = None,
) -> dict[str, Any]:
    """Train on docstrings, print a table of retrieval quality and the answers to `QUERIES`.

    Parameters
    ----------
    threads : int, optional
        None: every available processor. The results do not depend on it.
    seed : int, default 0
    quiet : bool, default False
        Print nothing.
    out : file, optional
        Where to print; None: standard output.

    Returns
    -------
    dict
        ``documents``, ``modules``, ``train``, ``held_out``, ``bits``, ``seed``; ``table``, a list
        of dicts with ``codes``, ``map``, ``ndcg_at_10`` and ``precision_at_10``; ``queries``, a
        list of dicts with ``query`` and ``hits``, each a ``name`` and a ``distance`` in bits; and
        ``seconds``, wall time.
    """
    from .models import BinaryParagraphVector, ParagraphVector

    def say(*words: object) -> None:
        if not quiet:
            print(*words, file=out if out is not None else sys.stdout, flush=True)

    started = time.perf_counter()
    documents, labels, names = standard_library_documents()
    tokens = [docstring_tokens(document) for document in documents]
    train, held_out = _split(names)
    learned = [tokens[i] for i in train]
    unseen = [tokens[i] for i in held_out]
    say(
        f"{len(documents):,} docstrings of {len(set(labels))} modules of Python "
        f"{sys.version_info.major}.{sys.version_info.minor}: {len(train):,} to learn from, "
        f"{len(held_out):,} held out"
    )

    options: dict[str, Any] = {"threads": threads, "seed": seed, "tokenizer": None}
    binary = BinaryParagraphVector(bits=BITS, **options).fit(learned)
    encoder = BinaryParagraphVector(bits=BITS, mode="encoder", **options).fit(learned)
    real = ParagraphVector(dim=BITS, **options).fit(learned)
    table = _table(binary, encoder, real, learned, unseen, np.array(labels)[held_out], seed)
    say(f"\n{f'codes of {BITS} bits':<22}{'MAP':>8}{'NDCG@10':>10}{'P@10':>8}")
    for row in table:
        say(f"{row['codes']:<22}{row['map']:8.3f}{row['ndcg_at_10']:10.3f}"
            f"{row['precision_at_10']:8.3f}")  # fmt: skip

    answers = _answer(encoder, tokens, names)
    for answer in answers:
        say(f"\n{answer['query']}")
        for hit in answer["hits"]:
            say(f"  {hit['distance']:3d} bits  {hit['name']}")
    seconds = time.perf_counter() - started
    say(f"\n{seconds:.1f} seconds")
    return {
        "documents": len(documents), "modules": len(set(labels)), "train": len(train),
        "held_out": len(held_out), "bits": BITS, "seed": seed, "table": table,
        "queries": answers, "seconds": seconds,
    }  # fmt: skip


def tfidf_codes(
    train: list[Tokens], documents: list[Tokens], *, bits: int = BITS, seed: int = 0
) -> Codes:
    """Return random-hyperplane codes of TF-IDF-weighted bags of words.

    The weight of a word is (1 + log count) (1 + log((1 + n) / (1 + df))), with n documents in
    `train` and df of them holding the word; words outside `train` have no weight. A bag has unit
    length, is projected on `bits` directions of independent normal components, and a bit is 1
    where the projection exceeds its mean over `train`.

    Parameters
    ----------
    train, documents : list of list of str
        What the weights and means come from, and what is coded.
    bits : int, default 128
    seed : int, default 0

    Returns
    -------
    ndarray of uint8, shape (len(documents), ceil(bits / 8))
    """
    frequencies = Counter(word for tokens in train for word in set(tokens))
    columns = {word: i for i, word in enumerate(sorted(frequencies))}
    found = np.array([frequencies[word] for word in columns], dtype=np.float64)
    idf = 1 + np.log((1 + len(train)) / (1 + found))
    planes = np.random.default_rng(seed).standard_normal((len(columns), bits), dtype=np.float32)

    def project(tokens: Tokens) -> npt.NDArray[np.float32]:
        counts = Counter(word for word in tokens if word in columns)
        ids = np.array([columns[word] for word in counts], dtype=np.int64)
        weights = (1 + np.log(np.array(list(counts.values()), dtype=np.float64))) * idf[ids]
        unit = weights / max(float(np.linalg.norm(weights)), 1e-12)
        projected: npt.NDArray[np.float32] = unit.astype(np.float32) @ planes[ids]
        return projected

    mean = np.mean([project(tokens) for tokens in train], axis=0)
    projections = np.array([project(tokens) for tokens in documents]).reshape(-1, bits)
    return np.packbits(projections - mean > 0, axis=1)


def _table(
    binary: Any,
    encoder: Any,
    real: Any,
    learned: list[Tokens],
    unseen: list[Tokens],
    truth: npt.NDArray[Any],
    seed: int,
) -> list[dict[str, Any]]:
    """Return one row for each kind of code of the unseen documents, and one for chance."""
    from .hashing import RandomHyperplanes

    hasher = RandomHyperplanes(bits=BITS, seed=seed).fit(real.transform(learned))
    codes = {
        "TF-IDF-weighted": tfidf_codes(learned, unseen, bits=BITS, seed=seed),
        "random hyperplanes": hasher.transform(real.transform(unseen)),
        "Binary PV, learned": binary.transform(unseen),
        "Binary PV, encoder": encoder.transform(unseen),
    }
    chance = evaluate_rankings(_nothing_known(len(unseen)), truth)
    return [_row("chance", chance)] + [
        _row(name, evaluate_retrieval(held, truth)) for name, held in codes.items()
    ]


def _split(names: list[str]) -> tuple[list[int], list[int]]:
    """Return the rows to learn from and the rows held out, by a hash of the names."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    held_out = [int.from_bytes(digest, "big") < HELD_OUT * 2**64 for digest in digests]
    rows = range(len(names))
    return [i for i in rows if not held_out[i]], [i for i in rows if held_out[i]]


def _nothing_known(items: int) -> Any:
    """Return the distances of a ranking that puts everything at one place."""
    return lambda start, stop: np.zeros((stop - start, items), dtype=np.uint8)


def _row(name: str, metrics: RetrievalMetrics) -> dict[str, Any]:
    return {
        "codes": name,
        "map": metrics.map,
        "ndcg_at_10": metrics.ndcg[10],
        "precision_at_10": metrics.precision[10],
    }


def _answer(model: Any, tokens: list[Tokens], names: list[str]) -> list[dict[str, Any]]:
    """Return the nearest docstrings of each of `QUERIES`, by distance, then by name."""
    from .search import hamming_distances

    codes = model.transform(tokens)
    queries = model.transform([docstring_tokens(query) for query in QUERIES])
    answers = []
    for query, distances in zip(QUERIES, hamming_distances(queries, codes), strict=True):
        nearest = np.lexsort((np.array(names), distances))[:HITS]
        hits = [{"name": names[i], "distance": int(distances[i])} for i in nearest]
        answers.append({"query": query, "hits": hits})
    return answers
