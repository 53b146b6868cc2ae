"""Transfer: learn from Wikipedia, retrieve in 20 Newsgroups, which no model saw.

    python benchmarks/transfer.py --wiki ../shared/data/wiki_articles.txt.xz --json out.json

Every model learns from the articles alone, its vocabulary included: words of 2 to 15 letters
without scikit-learn's stop words, as `newsgroups.py` cuts posts. The 7,532 test posts are inferred
and rank one another (MAP, NDCG@10, P@10, as in `representations.py`), with headers and without.
`coverage` is the mean share of a post's words that the vocabulary knows, `unknown` the posts
of which it knows none. TF-IDF, fitted to the same articles, is the baseline.

Parameters were chosen on the held-out part of the training posts (`--split validation` ranks those
instead), never on the test posts. The articles are unpacked to a temporary file, which
models read as a stream; `--words` takes only the first so many words, `--chunk` cuts articles into
documents of at most so many words. Each model is trained in a process of its own, whose peak
before it reads the posts is `peak_mb`; rates are per CPU second of all threads, words those that
the vocabulary kept, times epochs.
"""

from __future__ import annotations

import os
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import Row, finish, interleaved, measured_step, one_thread_each, parser, peak_mb, timer
from newsgroups import Split, Tokens, tokenize
from representations import HEADERS, Corpus, Representation, Side, coded, passes_made, tfidf_model
from retrieval import medians
from retrieval_family import BINARY, DIM, REAL, modes, title
from validation import validation_split
from word_systems import lines_of

import bitsense
from bitsense import Tokenizer

BITS = (32, 128, 256)
COLUMNS = ("model", "bits", "headers", "ranking", "map", "ndcg_at_10", "precision_at_10",
           "coverage", "unknown", "vocabulary", "train_cpu_s", "words_per_cpu_s",
           "infer_docs_per_cpu_s", "peak_mb", "rounds")  # fmt: skip

# On the validation split (128 bits, 3 M words, MAP / NDCG@10 by Hamming distance): whole articles
# 0.216 / 0.405, at most 500 words 0.218 / 0.411, at most 200 words 0.209 / 0.389, min_count 5
# 0.220 / 0.409. That is the noise of a seed, so documents are articles and vocabularies stay small.
OPTIONS: dict[str, Any] = {"min_count": 10}
TFIDF = {"min_df": 2, "max_df": 0.1}

Made = list[list[Representation]]  # one list per setting of the headers


def write_documents(corpus: Path, target: Path, words: int | None, chunk: int | None) -> int:
    """Write the first `words` words, an article or `chunk` words a line; return how many."""
    written = 0
    with target.open("w", encoding="utf-8") as out:
        for article in lines_of(corpus):
            tokens = article.split()
            if words is not None:
                tokens = tokens[: words - written]
            step = chunk or max(1, len(tokens))
            for start in range(0, len(tokens), step):
                out.write(" ".join(tokens[start : start + step]) + "\n")
            written += len(tokens)
            if written == words:
                break
    return written


def word_rules() -> Tokenizer:
    """Return the tokeniser that cuts articles as `newsgroups.tokenize` does posts."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return Tokenizer(min_length=2, max_length=15, stop_words=ENGLISH_STOP_WORDS)


def posts(corpora: list[Corpus], split: str) -> list[Split]:
    """Return what queries, for each setting of the headers."""
    if split == "validation":
        return [validation_split(corpus.load()[0])[1] for corpus in corpora]
    return [corpus.load()[1] for corpus in corpora]


def model(documents: str, corpora: list[Corpus], split: str, seed: int, threads: int, *,
          name: str, mode: str, **options: Any) -> Made:  # fmt: skip
    """Train one model on the articles and infer the posts."""
    start = peak_mb()
    learner = getattr(bitsense, name)(
        mode=mode, tokenizer=word_rules(), seed=seed, threads=threads, progress=False, **options
    )
    with timer() as fit:
        learner.fit(Path(documents))
    peak = peak_mb()
    words = int(learner.vocabulary_.counts.sum())
    infer = learner.preactivations if name == BINARY else learner.transform
    made = []
    for each in posts(corpora, split):
        with timer() as taken:
            vectors, known = infer(each.documents, return_coverage=True)
        bill = {
            "epochs": passes_made(learner),
            "documents": learner.n_documents_,
            "train_cpu_s": fit.cpu_s,
            "words_per_cpu_s": words * passes_made(learner) / fit.cpu_s,
            "infer_docs_per_cpu_s": len(vectors) / taken.cpu_s,
            "corpus_mb": round(start, 1),
            "peak_mb": round(peak, 1),
        }
        more = {"vocabulary": len(learner.vocabulary_), **covered(known)}
        made.append(ways_to_rank(title(name, mode), vectors, bill, more, options.get("bits")))
    return made


def ways_to_rank(name: str, vectors: np.ndarray, bill: Row, more: Row, bits: int | None
                 ) -> list[Representation]:  # fmt: skip
    """Return the rankings of posts by real values, and by their signs if they have such."""
    if bits is None:
        return [Representation(name, "cosine", Side(vectors), None, None, bill, more)]
    return coded(name, bits, vectors, None, bill, **more)


def covered(known: np.ndarray) -> Row:
    """Return the mean coverage and the number of documents without a known word."""
    return {"coverage": float(known.mean()), "unknown": int((known == 0).sum())}


def tfidf(documents: str, corpora: list[Corpus], split: str, seed: int, threads: int, *,
          sublinear: bool, **options: Any) -> Made:  # fmt: skip
    """TF-IDF of scikit-learn with the document frequencies of the articles, sparse cosine."""
    start = peak_mb()
    weights = tfidf_model(1, sublinear=sublinear, **options)
    with timer() as fit:
        weights.fit(tokens_of(Path(documents)))
    peak = peak_mb()
    made = []
    for each in posts(corpora, split):
        with timer() as taken:
            vectors = weights.transform(each.documents)
        words = weights.vocabulary_
        known = [np.mean([word in words for word in post] or [0]) for post in each.documents]
        bill = {
            "train_cpu_s": fit.cpu_s,
            "infer_docs_per_cpu_s": len(each.documents) / taken.cpu_s,
            "corpus_mb": round(start, 1),
            "peak_mb": round(peak, 1),
        }
        more = {"vocabulary": len(words), "sublinear": sublinear, **covered(np.array(known))}
        named = "TF-IDF, scikit-learn" + (", log counts" if sublinear else "")
        made.append([Representation(named, "cosine", Side(vectors), None, None, bill, more)])
    return made


def tokens_of(path: Path) -> Iterator[Tokens]:
    """Yield the documents of a file as `newsgroups.py` cuts posts."""
    return map(tokenize, lines_of(path))


def steps(options: Namespace) -> dict[str, tuple[Callable[..., Made], Row]]:
    """Return the steps asked for by name: baselines, and each mode that our classes have."""
    made: dict[str, tuple[Callable[..., Made], Row]] = {
        "tfidf": (tfidf, {"sublinear": False, **TFIDF}),
        "tfidf/log": (tfidf, {"sublinear": True, **TFIDF}),
    }
    given = {
        name: getattr(options, name)
        for name in (
            "min_count",
            "max_vocabulary",
            "epochs",
            "subsample",
            "learning_rate",
            "window",
        )
    }
    chosen = OPTIONS | {name: value for name, value in given.items() if value is not None}
    for mode in options.modes:
        if mode in modes(REAL):
            made[f"pv/{mode}"] = (model, {"name": REAL, "mode": mode, "dim": DIM, **chosen})
        for bits in options.bits if mode in modes(BINARY) else ():
            made[f"binary{bits}/{mode}"] = (
                model, {"name": BINARY, "mode": mode, "bits": bits, **chosen}
            )  # fmt: skip
    return {name: step for name, step in made.items() if name in (options.models or made)}


def run(options: Namespace) -> list[Row]:
    """Return one row per representation, setting of the headers, and seed."""
    wanted = HEADERS if options.headers == "both" else (options.headers,)
    corpora = [Corpus(options.data, headers == "stripped", options.quick) for headers in wanted]
    labels = [split.labels for split in posts(corpora, options.split)]
    todo, rows = steps(options), []
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder) / "documents.txt"
        words = write_documents(Path(options.wiki), documents, options.words, options.chunk)
        for round_, name in interleaved(list(todo), options.seeds):
            step, arguments = todo[name]
            made, memory = measured_step(step, str(documents), corpora, options.split, round_ + 1,
                                         options.threads, **arguments)  # fmt: skip
            for headers, wants, group in zip(wanted, labels, made, strict=True):
                for row in (row for one in group for row in one.rows(wants, wants)):
                    rows.append({"benchmark": "transfer", "dataset": "20news-bydate",
                                 "split": options.split, "headers": headers, "words": words,
                                 "chunk": options.chunk, "quick": options.quick, "step": name,
                                 "options": arguments, **memory, **row,
                                 "threads": options.threads, "seed": round_ + 1})  # fmt: skip
                    print(f"# seed {round_ + 1}, {headers}: {row['model']} {row['bits'] or ''}",
                          row["ranking"], f"map {row['map']:.4f} ndcg_at_10 "
                          f"{row['ndcg_at_10']:.4f}", flush=True)  # fmt: skip
    return rows


def main() -> None:
    arguments = parser(__doc__, data="20news_bydate.jsonl.gz")
    folder = os.environ.get("BITSENSE_DATA", "../shared/data")
    arguments.add_argument("--wiki", default=str(Path(folder) / "wiki_articles.txt.xz"))
    arguments.add_argument("--words", type=int, help="of the articles; by default all")
    arguments.add_argument("--chunk", type=int, help="words of a document; by default an article")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--bits", type=int, nargs="+", default=list(BITS))
    arguments.add_argument("--modes", nargs="+", default=["dbow", "encoder"])
    arguments.add_argument("--models", nargs="+", help="only these steps, as pv/dbow binary32/dbow")
    arguments.add_argument("--headers", choices=[*HEADERS, "both"], default="both")
    arguments.add_argument("--split", choices=["test", "validation"], default="test")
    for name in ("min-count", "max-vocabulary", "epochs", "window"):
        arguments.add_argument(f"--{name}", type=int)
    for name in ("subsample", "learning-rate"):
        arguments.add_argument(f"--{name}", type=float)
    options = arguments.parse_args()
    one_thread_each(options.threads)
    if options.quick:
        options.words, options.bits, options.seeds, options.epochs = 300_000, [32], 1, 2
    rows = run(options)
    finish(rows, options, COLUMNS, table=medians(rows))


if __name__ == "__main__":
    main()
