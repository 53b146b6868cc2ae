"""Document retrieval on 20 Newsgroups (bydate): quality beside speed, ours and the peers', one run.

    python benchmarks/retrieval.py --data ../shared/data/20news_bydate.jsonl.gz --json out.json

Models see the 11,314 training documents only. The 7,532 test documents are inferred, and each
queries the 7,531 others; a document of the same newsgroup is relevant. Headers are kept, and
`--strip-headers` removes them. Ties count by their exact expectation (`bitsense.evaluate`).

Every model is trained and timed in a process of its own, `--seeds` times, in rounds that go
through all models, so that a slow minute of the machine falls on all of them. Rates are per CPU
second of all threads: training counts corpus words times epochs, vocabulary included; inference
counts test documents. The parameters of the peers were chosen on a held-out part of the training
split (`--tune` walks that grid again and writes it); ours run with their defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np
from common import Row, finish, interleaved, measured_step, one_thread_each, parser, peak_mb, timer
from newsgroups import Split, load

from bitsense.evaluate import RetrievalMetrics, evaluate_rankings, evaluate_retrieval

BITS = (32, 64, 128, 256)
DIM = 128
COLUMNS = ("model", "bits", "ranking", "map", "ndcg_at_10", "precision_at_10", "epochs",
           "train_cpu_s", "words_per_cpu_s", "infer_docs_per_cpu_s", "peak_mb",
           "corpus_mb", "rounds")  # fmt: skip

# Chosen on the validation split among sublinear or raw counts, min_df 1 to 20, max_df 0.05 to 1,
# unigrams or unigrams and bigrams (MAP 0.2204, NDCG@10 0.553 there).
TFIDF = {"sublinear_tf": True, "min_df": 2, "max_df": 0.1}


@dataclass
class Corpus:
    """What a step loads for itself: the process that measures memory starts empty."""

    path: str
    strip_headers: bool
    quick: bool

    def load(self) -> tuple[Split, Split]:
        parts = load(self.path, strip_headers=self.strip_headers)
        if not self.quick:
            return parts
        train, test = (part.take(np.arange(0, len(part.documents), 10)) for part in parts)
        return train, test


@dataclass
class Representation:
    """The test documents under one model, and what they are ranked with.

    `vectors` alone rank by cosine, `codes` alone by Hamming distance; both together rank by the
    asymmetric score, real query against binary item.
    """

    model: str
    ranking: str
    bits: int | None = None
    vectors: Any = None
    codes: Any = None
    costs: Row = field(default_factory=dict)

    def evaluate(self, labels: np.ndarray) -> RetrievalMetrics:
        if self.ranking == "tfidf":
            return evaluate_rankings(
                lambda start, stop: -(self.vectors[start:stop] @ self.vectors.T).toarray(), labels
            )
        if self.codes is None:
            return evaluate_retrieval(self.vectors, labels)
        if self.vectors is None:
            return evaluate_retrieval(self.codes, labels)
        from bitsense.search import asymmetric_scores

        return evaluate_rankings(
            lambda start, stop: -asymmetric_scores(self.vectors[start:stop], self.codes), labels
        )


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


def tfidf(corpus: Corpus, seed: int, threads: int) -> list[Representation]:
    """TF-IDF of scikit-learn with the settings chosen on validation, sparse cosine."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    train, test = corpus.load()
    start = peak_mb()
    model = TfidfVectorizer(analyzer=list, **TFIDF)
    with timer() as fit:
        model.fit(train.documents)
    with timer() as infer:
        vectors = model.transform(test.documents)
    bill = costs(train, test, None, fit.cpu_s, infer.cpu_s, start)
    return [Representation("TF-IDF, scikit-learn", "tfidf", vectors=vectors, costs=bill)]


def gensim_pv(corpus: Corpus, seed: int, threads: int) -> list[Representation]:
    """PV-DBOW of gensim, real and reduced to signs, before and after centring."""
    import gensim_pv as peer

    train, test = corpus.load()
    start = peak_mb()
    options = dict(peer.TUNED)
    if corpus.quick:
        options["epochs"] = 2
    model, fit_cpu_s = peer.train(train.documents, seed=seed, threads=threads, **options)
    made = []
    for name, (rate, passes) in peer.INFERENCE.items():
        vectors, infer_cpu_s = peer.infer(model, test.documents, passes, rate)
        bill = costs(train, test, options["epochs"], fit_cpu_s, infer_cpu_s, start)
        made += [
            Representation(name, "cosine", vectors=vectors, costs=bill),
            Representation(f"{name}, signs", "hamming", DIM, codes=signs(vectors), costs=bill),
        ]
    return made


def signs(vectors: np.ndarray) -> np.ndarray:
    return np.packbits(vectors > 0, axis=1)


def real_pv(corpus: Corpus, seed: int, threads: int) -> list[Representation]:
    """Our PV-DBOW, real, and hashed afterwards by random hyperplanes and by ITQ."""
    from bitsense.hashing import ITQ, RandomHyperplanes
    from bitsense.models import ParagraphVector

    train, test = corpus.load()
    start = peak_mb()
    model = ParagraphVector(dim=DIM, tokenizer=None, seed=seed, threads=threads,
                            **_quick(corpus))  # fmt: skip
    with timer() as fit:
        model.fit(train.documents)
    with timer() as infer:
        vectors = model.transform(test.documents)
    bill = costs(train, test, model.epochs, fit.cpu_s, infer.cpu_s, start)
    made = [Representation("ParagraphVector", "cosine", vectors=vectors, costs=bill)]
    seen = model.transform(train.documents)
    for bits in (32, 128):
        for hasher in (RandomHyperplanes(bits=bits, seed=seed), ITQ(bits=bits, seed=seed)):
            name = f"ParagraphVector, {type(hasher).__name__}"
            codes = np.asarray(hasher.fit(seen).transform(vectors))
            made.append(Representation(name, "hamming", bits, codes=codes, costs=bill))
            real = hasher.project(vectors)
            made.append(Representation(name, "asymmetric", bits, real, codes, bill))
    return made


def binary_pv(corpus: Corpus, seed: int, threads: int, *, bits: int) -> list[Representation]:
    """Our Binary PV-DBOW: codes, pre-activations, and the one ranked against the other."""
    from bitsense.models import BinaryParagraphVector

    train, test = corpus.load()
    start = peak_mb()
    model = BinaryParagraphVector(bits=bits, tokenizer=None, seed=seed, threads=threads,
                                  **_quick(corpus))  # fmt: skip
    with timer() as fit:
        model.fit(train.documents)
    with timer() as infer:
        codes = model.transform(test.documents)
    bill = costs(train, test, model.epochs, fit.cpu_s, infer.cpu_s, start)
    real = model.preactivations(test.documents)
    name = "BinaryParagraphVector"
    return [
        Representation(name, "hamming", bits, codes=codes, costs=bill),
        Representation(name, "asymmetric", bits, real, codes, bill),
        Representation(f"{name}, pre-activations", "cosine", bits, real, costs=bill),
    ]


def _quick(corpus: Corpus) -> dict[str, int]:
    return {"epochs": 2} if corpus.quick else {}


STEPS: dict[str, tuple[Callable[..., list[Representation]], dict[str, int]]] = {
    "tfidf": (tfidf, {}),
    "gensim": (gensim_pv, {}),
    "pv": (real_pv, {}),
    **{f"binary{bits}": (binary_pv, {"bits": bits}) for bits in BITS},
}


def run(corpus: Corpus, names: list[str], rounds: int, threads: int) -> list[Row]:
    """Return one row per representation and round."""
    labels = corpus.load()[1].labels
    rows = []
    for round_, name in interleaved(names, rounds):
        step, options = STEPS[name]
        seed = round_ + 1
        representations, memory = measured_step(step, corpus, seed, threads, **options)
        for made in representations:
            quality = made.evaluate(labels).as_dict()
            ranking = "cosine" if made.ranking == "tfidf" else made.ranking
            rows.append({"benchmark": "retrieval", "dataset": "20news-bydate", "split": "test",
                         "headers": "stripped" if corpus.strip_headers else "kept",
                         "quick": corpus.quick, "model": made.model, "bits": made.bits,
                         "ranking": ranking, **quality, **memory, **made.costs,
                         "threads": threads, "seed": seed})  # fmt: skip
            print(f"# round {round_ + 1}:", made.model, made.bits or "", ranking,
                  *(f"{key} {quality[key]:.4f}" for key in ("map", "ndcg_at_10")),
                  flush=True)  # fmt: skip
    return rows


def medians(rows: list[Row]) -> list[Row]:
    """Return one row per model, bits and ranking: the median of every number over the rounds."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["model"], row["bits"] or 0, row["ranking"]), []).append(row)
    table = []
    for group in groups.values():
        middle = {
            key: median(row[key] for row in group) if isinstance(value, float) else value
            for key, value in group[0].items()
        }
        table.append({**middle, "rounds": len(group)})
    return table


def main() -> None:
    arguments = parser(__doc__, data="20news_bydate.jsonl.gz")
    arguments.add_argument("--seeds", type=int, default=3, help="rounds, each with its own seed")
    arguments.add_argument("--models", nargs="+", choices=STEPS, default=list(STEPS))
    arguments.add_argument("--strip-headers", action="store_true")
    arguments.add_argument("--tune", action="store_true", help="walk the grid of gensim instead")
    options = arguments.parse_args()
    one_thread_each(options.threads)
    corpus = Corpus(options.data, options.strip_headers, options.quick)
    if options.tune:
        import gensim_pv as peer

        columns = [*peer.START, "infer_epochs", "map", "ndcg_at_10", "score"]
        finish(list(peer.tune(corpus.load()[0])), options, columns)
        return
    if "gensim" in options.models and find_spec("gensim") is None:
        print("# gensim is not installed and is left out")
        options.models.remove("gensim")
    rows = run(corpus, options.models, 1 if options.quick else options.seeds, options.threads)
    finish(rows, options, COLUMNS, table=medians(rows))


if __name__ == "__main__":
    main()
