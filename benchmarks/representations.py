"""What the benchmarks of retrieval rank: documents under one model, and what making them cost.

Two protocols, and never a third:

- *test against test*: each test document ranks the other test documents. MAP over the whole
  ranking, NDCG@10, P@10. This is the protocol of the Binary Paragraph Vectors.
- *test against train*: each test document ranks the training documents, which the model infers
  like the others. P@100. This is the protocol of semantic hashing from VDSH on.

A document of the same newsgroup is relevant. Ties count by their exact expectation in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from common import Row, peak_mb
from newsgroups import Split, Tokens, load
from validation import score, validation_split

from bitsense.evaluate import RetrievalMetrics, evaluate_rankings, evaluate_retrieval

HEADERS = ("kept", "stripped")

# Chosen on the validation split among min_df 1 to 20, max_df 0.05 to 1, unigrams or unigrams and
# bigrams (MAP 0.2204, NDCG@10 0.553 there); whether counts are logarithms is chosen anew each time.
TFIDF = {"min_df": 2, "max_df": 0.1}


@dataclass
class Corpus:
    """What a step loads for itself: the process that measures memory starts empty."""

    path: str
    strip_headers: bool
    quick: bool = False

    @property
    def headers(self) -> str:
        """What becomes of the headers, as the rows say it."""
        return HEADERS[self.strip_headers]

    def load(self) -> tuple[Split, Split]:
        """Return the training and the test split, a tenth of each in a quick run."""
        return load(self.path, strip_headers=self.strip_headers, every=10 if self.quick else 1)


@dataclass
class Side:
    """Documents as a model sees them: real vectors (dense or sparse), packed codes, or both."""

    vectors: Any = None
    codes: Any = None


@dataclass
class Representation:
    """The test documents under one model, what they are ranked with, and the training documents.

    Vectors alone rank by cosine, codes alone by Hamming distance; both together rank by the
    asymmetric score, real query against binary item.
    """

    model: str
    ranking: str
    test: Side
    train: Side | None = None
    bits: int | None = None
    costs: Row = field(default_factory=dict)
    more: Row = field(default_factory=dict)

    def rows(self, labels: np.ndarray, train_labels: np.ndarray) -> Iterator[Row]:
        """Yield the one row of this representation: what it is, its quality and its costs."""
        quality = ranked(self.test, labels).as_dict()
        if self.train is not None:
            against = ranked(self.test, labels, self.train, train_labels, k=100)
            quality["precision_at_100"] = against.precision[100]
        yield {"model": self.model, "bits": self.bits, "ranking": self.ranking, **self.more,
               **quality, **self.costs}  # fmt: skip


def ranked(
    queries: Side,
    labels: np.ndarray,
    items: Side | None = None,
    item_labels: np.ndarray | None = None,
    k: int = 10,
) -> RetrievalMetrics:
    """Rank `items` for each query, or the queries for one another."""
    base = queries if items is None else items
    if queries.codes is not None and queries.vectors is None:
        codes = None if items is None else items.codes
        return evaluate_retrieval(queries.codes, labels, codes, item_labels, k=k)
    if queries.codes is None and isinstance(queries.vectors, np.ndarray):
        vectors = None if items is None else items.vectors
        return evaluate_retrieval(queries.vectors, labels, vectors, item_labels, k=k)
    if queries.codes is None:  # TF-IDF: sparse, of length 1
        return evaluate_rankings(
            lambda start, stop: -(queries.vectors[start:stop] @ base.vectors.T).toarray(),
            labels, item_labels, k=k,
        )  # fmt: skip
    from bitsense.search import asymmetric_scores

    return evaluate_rankings(
        lambda start, stop: -asymmetric_scores(queries.vectors[start:stop], base.codes),
        labels, item_labels, k=k,
    )  # fmt: skip


def signs(values: np.ndarray) -> np.ndarray:
    """Return packed codes: a bit is 1 where a value is above 0."""
    return np.packbits(values > 0, axis=1)


def coded(
    model: str, bits: int, test: np.ndarray, train: np.ndarray | None, costs: Row, **more: Any
) -> list[Representation]:
    """Return what real values and their signs can be ranked by: three rankings."""
    codes = signs(test)
    seen = None if train is None else signs(train)
    rankings = {
        "hamming": (model, Side(codes=codes), Side(codes=seen)),
        "asymmetric": (model, Side(test, codes), Side(train, seen)),
        "cosine": (f"{model}, pre-activations", Side(test), Side(train)),
    }
    return [
        Representation(name, ranking, queries, None if train is None else items, bits, costs, more)
        for ranking, (name, queries, items) in rankings.items()
    ]


def passes_made(model: Any) -> int:
    """Return how often a fitted model has read its documents; with neighbours it learns twice."""
    twice = model.mode == "encoder" and model.neighbors > 0
    return len(model.losses_) * (2 if twice else 1)


def costs(train: Split, test: Split, epochs: int | None, train_cpu_s: float, infer_cpu_s: float,
          corpus_mb: float) -> Row:  # fmt: skip
    """Return what training and inference cost; call it before anything else takes memory."""
    return {
        "epochs": epochs,
        "train_cpu_s": train_cpu_s,
        "words_per_cpu_s": train.words * epochs / train_cpu_s if epochs else None,
        "infer_docs_per_cpu_s": len(test.documents) / infer_cpu_s,
        "corpus_mb": round(corpus_mb, 1),
        "peak_mb": round(peak_mb(), 1),
    }


def with_bigrams(tokens: Tokens) -> Tokens:
    """Return the words of a document, and after them its pairs of adjacent words."""
    return [*tokens, *map(" ".join, pairwise(tokens))]


def tfidf_model(ngrams: int, *, sublinear: bool, **options: Any) -> Any:
    """Return scikit-learn's TF-IDF of documents that are lists of tokens."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer=with_bigrams if ngrams == 2 else list, sublinear_tf=sublinear, dtype=np.float32,
        **(TFIDF | options),
    )  # fmt: skip


def best_tfidf(train: Split, ngrams: int) -> bool:
    """Return whether logarithms of counts beat counts on the validation split."""
    fit, held_out = validation_split(train)
    scores = {}
    for sublinear in (True, False):
        model = tfidf_model(ngrams, sublinear=sublinear).fit(fit.documents)
        vectors = model.transform(held_out.documents)
        scores[sublinear] = score(ranked(Side(vectors), held_out.labels))
    return max(scores, key=scores.__getitem__)
