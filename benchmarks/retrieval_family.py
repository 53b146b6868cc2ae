"""The rest of the family for `retrieval.py --family`: every mode of our models, and bigrams.

A step trains one model in a process of its own and returns what its documents can be ranked by.
Steps of a mode are made only where the class has it. `OPTIONS` are the parameters that are not
defaults; they were chosen on `validation.py`'s split of the training part (`--tune family`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from common import Row, peak_mb, timer
from newsgroups import Split
from representations import (
    Corpus,
    Representation,
    Side,
    best_tfidf,
    coded,
    costs,
    passes_made,
    signs,
    tfidf_model,
)
from sklearn.preprocessing import normalize
from two_stage import TwoStage
from validation import evaluate, score, validation_split

import bitsense
from bitsense import ITQ, Tokenizer

BITS = (32, 64, 128, 256)
DIM = 128
SHORT, LONG = 28, 300  # the bits that choose and the components that order, as in the paper
REAL, BINARY, BOTH = "ParagraphVector", "BinaryParagraphVector", "RealBinaryParagraphVector"

# (class, mode, n-grams) to what is not a default there.
OPTIONS: dict[tuple[str, str, int], dict[str, Any]] = {}

# Where the walk of `tune` starts, for words and bigrams, and what it tries from there, a parameter
# at a time; rates and noise words are given as multiples of the start.
START: dict[str, dict[str, Any]] = {
    REAL: {"dim": DIM, "learning_rate": 0.07, "negatives": 5},
    BINARY: {"bits": 128, "learning_rate": 0.2 / 128**0.5, "negatives": 128},
}
GRID: list[tuple[str, list[Any]]] = [
    ("min_count", [3, 5]),
    ("learning_rate", [0.5, 2.0]),
    ("negatives", [4]),
    ("subsample", [1e-5, 1e-3]),
    ("epochs", [20]),
]

Made = list[Representation | TwoStage]


def modes(name: str) -> tuple[str, ...]:
    """Return the modes that a class of ours has, none where there is no such class."""
    return tuple(getattr(getattr(bitsense, name, None), "_modes", ()))


def build(name: str, mode: str, corpus: Corpus, seed: int, threads: int, ngrams: int = 1,
          **options: Any) -> Any:  # fmt: skip
    """Return a model that is not fitted yet."""
    options = OPTIONS.get((name, mode, ngrams), {}) | options
    if corpus.quick:
        options["epochs"] = 2
    return getattr(bitsense, name)(
        mode=mode, tokenizer=Tokenizer(ngrams=ngrams), seed=seed, threads=threads, progress=False,
        **options,
    )  # fmt: skip


def fitted(model: Any, corpus: Corpus) -> tuple[Split, Split, Row]:
    """Fit a model and infer the test documents once; return the splits and what it cost."""
    train, test = corpus.load()
    start = peak_mb()
    with timer() as fit:
        model.fit(train.documents)
    with timer() as infer:
        model.transform(test.documents)
    bill = costs(train, test, passes_made(model), fit.cpu_s, infer.cpu_s, start)
    return train, test, bill


def title(name: str, mode: str) -> str:
    """Return how a row names a model: by its class, and by its mode unless that is "dbow"."""
    return name if mode == "dbow" else f"{name}, {mode}"


def single(corpus: Corpus, seed: int, threads: int, *, name: str, mode: str, ngrams: int = 1,
           **options: Any) -> Made:  # fmt: skip
    """One model that makes real vectors or codes, and all that can be ranked by it."""
    model = build(name, mode, corpus, seed, threads, ngrams, **options)
    train, test, bill = fitted(model, corpus)
    if name == REAL:
        there, seen = model.transform(test.documents), model.transform(train.documents)
        return [Representation(title(name, mode), "cosine", Side(there), Side(seen), None, bill,
                               {"ngrams": ngrams})]  # fmt: skip
    there, seen = model.preactivations(test.documents), model.preactivations(train.documents)
    return [*coded(title(name, mode), options["bits"], there, seen, bill, ngrams=ngrams)]


def real_binary(corpus: Corpus, seed: int, threads: int, *, mode: str) -> Made:
    """Real-Binary: codes, real vectors, and the two-stage retrieval that they are made for.

    The list is ordered by the model's own real vectors (the paper's A), by a ParagraphVector of
    the same mode trained beside it (B), and by TF-IDF, as semantic hashing did.
    """
    model = build(BOTH, mode, corpus, seed, threads, dim=LONG, bits=SHORT)
    train, test, bill = fitted(model, corpus)
    name, more = title(BOTH, mode), {"ngrams": 1}
    codes, seen = model.transform(test.documents), model.transform(train.documents)
    own, own_seen = model.vectors(test.documents), model.vectors(train.documents)
    made: Made = [
        Representation(name, "hamming", Side(codes=codes), Side(codes=seen), SHORT, bill, more),
        Representation(f"{name}, real", "cosine", Side(own), Side(own_seen), None, bill, more),
    ]
    if mode == "encoder":
        # What the class makes of the same vectors at other lengths: its codes are their ITQ.
        for bits in BITS:
            itq = ITQ(bits, seed=seed).fit(model.document_vectors_)
            made += coded(name, bits, itq.project(own), itq.project(own_seen), bill, **more)[:2]
    tfidf = tfidf_model(1, sublinear=best_tfidf(train, 1)).fit(train.documents)
    orders = {"its own vectors": own, "TF-IDF": tfidf.transform(test.documents)}
    if mode != "encoder":  # there the model's vectors are those of ParagraphVector
        separate = build(REAL, mode, corpus, seed, threads, dim=LONG).fit(train.documents)
        orders[f"{title(REAL, mode)}, {LONG}"] = separate.transform(test.documents)
    for by, vectors in orders.items():
        made.append(TwoStage(name, by, SHORT, codes, vectors, bill, more, seed))
    return made


def joined_two_stage(corpus: Corpus, seed: int, threads: int) -> Made:
    """The encoder's codes of 28 bits, ordered by three models' vectors side by side.

    Each model's vectors are scaled to length 1 first, so the cosine is the mean of three cosines.
    """
    model = build(BOTH, "encoder", corpus, seed, threads, dim=LONG, bits=SHORT)
    _, test, bill = fitted(model, corpus)
    others = [
        build(BINARY, "encoder", corpus, seed, threads, bits=DIM),
        build(REAL, "dbow", corpus, seed, threads, dim=LONG),
    ]
    vectors = [model.vectors(test.documents)]
    for other in others:
        _, _, cost = fitted(other, corpus)
        bill["train_cpu_s"] += cost["train_cpu_s"]
        real = other.preactivations if other is others[0] else other.transform
        vectors.append(real(test.documents))
    bill |= {"epochs": None, "words_per_cpu_s": None, "infer_docs_per_cpu_s": None}
    side_by_side = np.hstack([normalize(each) for each in vectors])
    codes = model.transform(test.documents)
    return [TwoStage(title(BOTH, "encoder"), "three models' vectors", SHORT, codes, side_by_side,
                     bill, {"ngrams": 1}, seed)]  # fmt: skip


def binary_two_stage(corpus: Corpus, seed: int, threads: int, *, mode: str) -> Made:
    """Binary codes of the same length, ordered by the pre-activations they are the signs of."""
    model = build(BINARY, mode, corpus, seed, threads, bits=SHORT)
    _, test, bill = fitted(model, corpus)
    values = model.preactivations(test.documents)
    return [TwoStage(title(BINARY, mode), "its pre-activations", SHORT, signs(values), values,
                     bill, {"ngrams": 1}, seed)]  # fmt: skip


def tfidf(corpus: Corpus, seed: int, threads: int, *, ngrams: int = 1) -> Made:
    """TF-IDF of scikit-learn, sparse cosine; counts or their logarithms by validation."""
    train, test = corpus.load()
    start = peak_mb()
    sublinear = best_tfidf(train, ngrams)
    model = tfidf_model(ngrams, sublinear=sublinear)
    with timer() as fit:
        seen = model.fit_transform(train.documents)
    with timer() as infer:
        vectors = model.transform(test.documents)
    bill = costs(train, test, None, fit.cpu_s, infer.cpu_s, start)
    return [Representation("TF-IDF, scikit-learn", "cosine", Side(vectors), Side(seen), None, bill,
                           {"ngrams": ngrams, "sublinear": sublinear})]  # fmt: skip


def family() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return the steps of the family by name, those of modes that our classes have."""
    steps: dict[str, tuple[Any, dict[str, Any]]] = {"tfidf/bigrams": (tfidf, {"ngrams": 2})}

    def add(key: str, step: Any, name: str, mode: str, **options: Any) -> None:
        if mode in modes(name):
            named = {"name": name} if step is single else {}
            steps[key] = (step, {**named, "mode": mode, **options})

    for mode in ("dm-mean", "dm-concat", "encoder"):
        add(f"pv/{mode}", single, REAL, mode, dim=DIM)
    for bits in (32, 128):
        add(f"binary{bits}/dm", single, BINARY, "dm", bits=bits)
    for bits in BITS:
        add(f"binary{bits}/encoder", single, BINARY, "encoder", bits=bits)
    for mode in ("dbow", "encoder"):
        add(f"real-binary/{mode}", real_binary, BOTH, mode)
        add(f"two-stage/{mode}", binary_two_stage, BINARY, mode)
        add(f"pv/{mode}/bigrams", single, REAL, mode, dim=DIM, ngrams=2)
        for bits in (32, 128):
            add(f"binary{bits}/{mode}/bigrams", single, BINARY, mode, bits=bits, ngrams=2)
    if "encoder" in modes(BOTH):
        steps["two-stage/joined"] = (joined_two_stage, {})
    return steps


def tune(training: Split, threads: int) -> Iterator[Row]:
    """Walk `GRID` for words and bigrams on the validation split; yield a row per setting."""
    fit, held_out = validation_split(training)
    corpus = Corpus("", strip_headers=False)

    def row_of(name: str, settings: Row) -> Row:
        model = build(name, "dbow", corpus, 1, threads, ngrams=2, **settings)
        metrics = evaluate(model.fit(fit.documents).transform(held_out.documents), held_out)
        return {"model": name, "mode": "dbow", "ngrams": 2, "settings": settings,
                "map": metrics.map, "ndcg_at_10": metrics.ndcg[10],
                "score": score(metrics)}  # fmt: skip

    for name, start in START.items():
        best = row_of(name, start)
        yield best
        for parameter, values in GRID:
            rows = []
            for value in values:
                scaled = value * start[parameter] if parameter in start else value
                rows.append(row_of(name, best["settings"] | {parameter: scaled}))
                yield rows[-1]
            best = max([best, *rows], key=lambda row: row["score"])
