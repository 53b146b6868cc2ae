"""The trainers that `words.py` compares, each as a step for a process of its own.

Every system reads one file of lines of at most `LINE` words, cut from the articles of the corpus
in their order (gensim would cut a line at 10,000 words, fastText at 1,024), and every system
gets the same dim, window, noise words, epochs, subsampling and least count. Learning rates are
each system's own defaults: gensim 0.025, fastText 0.05; fastText's noise is drawn from count^0.5,
that of the others from count^0.75.

CPU seconds are those of all threads of the process, training only: the pass that counts words is
measured by itself and taken off. gensim counts in a call of its own; for fastText and for ours a
training of no epochs, or the same count called directly, is timed first.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from common import Row, peak_mb, timer

LINE = 1000
WINDOW, NEGATIVES, SUBSAMPLE, MIN_COUNT = 5, 5, 1e-4, 5


@dataclass(frozen=True)
class Setting:
    """One training: what the rows of a table are told apart by."""

    trainer: str
    mode: str
    dim: int
    threads: int
    seed: int
    epochs: int = 5

    def as_row(self) -> Row:
        """Return the setting as a row."""
        return asdict(self)


@dataclass
class Costs:
    """CPU seconds of the training alone and of the pass before it, wall seconds, memory."""

    train_cpu_s: float
    wall_s: float
    vocabulary_cpu_s: float
    start_mb: float
    peak_mb: float


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, packed by xz or not."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        yield from file


def write_lines(corpus: Path, target: Path, words: int) -> int:
    """Write the first `words` words as lines of at most `LINE`; return how many were written."""
    left = words
    with target.open("w", encoding="utf-8") as out:
        for article in lines_of(corpus):
            tokens = article.split()[:left]
            for start in range(0, len(tokens), LINE):
                out.write(" ".join(tokens[start : start + LINE]) + "\n")
            left -= len(tokens)
            if not left:
                break
    return words - left


def train_gensim(lines: str, keep: str, setting: Setting) -> Row:
    """Word2Vec of gensim, from a corpus file: its fastest input, read by its own C loop."""
    from gensim.models.word2vec import Word2Vec

    start = peak_mb()
    model = Word2Vec(
        vector_size=setting.dim, sg=int(setting.mode == "skip-gram"), window=WINDOW,
        negative=NEGATIVES, sample=SUBSAMPLE, min_count=MIN_COUNT, epochs=setting.epochs,
        workers=setting.threads, seed=setting.seed,
    )  # fmt: skip
    with timer() as count:
        model.build_vocab(corpus_file=lines)
    with timer() as train:
        model.train(corpus_file=lines, total_words=model.corpus_total_words, epochs=setting.epochs)
    costs = Costs(train.cpu_s, train.wall_s, count.cpu_s, start, peak_mb())
    return _kept(keep, model.wv.index_to_key, model.wv.vectors, costs)


def train_fasttext(lines: str, keep: str, setting: Setting) -> Row:
    """fastText without n-grams of characters."""
    import fasttext

    options = {
        "model": "skipgram" if setting.mode == "skip-gram" else "cbow", "dim": setting.dim,
        "ws": WINDOW, "neg": NEGATIVES, "t": SUBSAMPLE, "minCount": MIN_COUNT, "minn": 0,
        "maxn": 0, "thread": setting.threads, "verbose": 0,
    }  # fmt: skip
    fasttext.FastText.unsupervised_default["seed"] = setting.seed  # no argument takes it
    start = peak_mb()
    with timer() as count:
        fasttext.train_unsupervised(lines, epoch=0, **options)
    with timer() as train:
        model = fasttext.train_unsupervised(lines, epoch=setting.epochs, **options)
    costs = Costs(train.cpu_s - count.cpu_s, train.wall_s - count.wall_s, count.cpu_s, start,
                  peak_mb())  # fmt: skip
    matrix, words = np.asarray(model.get_input_matrix()), model.words
    kept = [i for i, word in enumerate(words) if word != "</s>"]  # the end of a line is a word
    return _kept(keep, [words[i] for i in kept], matrix[kept], costs)


def train_racing(lines: str, keep: str, setting: Setting) -> Row:
    """Word2Vec of bitsense, whose threads do not wait for one another."""
    return train_ours(lines, keep, setting, deterministic=False)


def train_ours(lines: str, keep: str, setting: Setting, *, deterministic: bool = True) -> Row:
    """Word2Vec of bitsense."""
    from bitsense import Tokenizer, build_corpus
    from bitsense.word_models import Word2Vec

    model = Word2Vec(
        setting.dim, mode=setting.mode, window=WINDOW, negatives=NEGATIVES, subsample=SUBSAMPLE,
        min_count=MIN_COUNT, epochs=setting.epochs, threads=setting.threads, seed=setting.seed,
        deterministic=deterministic, progress=False,
    )  # fmt: skip
    start = peak_mb()
    with timer() as count:
        build_corpus(Path(lines), tokenizer=Tokenizer(), min_count=MIN_COUNT,
                     threads=setting.threads)  # fmt: skip
    with timer() as train:
        model.fit(Path(lines))
    costs = Costs(train.cpu_s - count.cpu_s, train.wall_s - count.wall_s, count.cpu_s, start,
                  peak_mb())  # fmt: skip
    return _kept(keep, model.wv.index_to_key, model.wv.vectors, costs)


def _kept(keep: str, words: list[str], vectors: Any, costs: Costs) -> Row:
    """Write keys and vectors to a file for the process that evaluates; return the costs."""
    np.savez(keep, keys=np.array(words), vectors=np.asarray(vectors, np.float32))
    return asdict(costs) | {"vocabulary": len(words)}


def flops_per_word(lines: Path, mode: str, dim: int) -> float:
    """Return the floating-point operations of negative sampling per word of the corpus.

    A pair of a hidden vector and an output costs a dot product and two updates, 6 `dim`; CBOW's
    mean and its gradient cost 3 `dim` a context word. Words that are rare or thinned out cost
    nothing. What a program does beyond that, or leaves out by sharing, is not counted, so one
    figure serves all.
    """
    from bitsense import Tokenizer, _core, build_corpus

    vocabulary, corpus = build_corpus(lines, tokenizer=Tokenizer(), min_count=MIN_COUNT)
    options = _core.WordOptions()
    options.epochs, options.window, options.negatives = 1, WINDOW, NEGATIVES
    options.subsample, options.seed = SUBSAMPLE, 1
    centres, contexts = 0, 0
    # A part of the documents is enough, at the counts of all.
    offsets = corpus.offsets[: max(2, len(corpus.offsets) // 8)]
    part = corpus.ids[: int(offsets[-1])]
    for plan in _core.word_plans(part, offsets, vocabulary.counts, options):
        centres += len(plan["centres"])
        contexts += sum(last - first - 1 for _, first, last, *_ in plan["centres"])
    pairs, mean = (contexts, 0) if mode == "skip-gram" else (centres, 3 * contexts)
    words = int(corpus.totals[: len(offsets) - 1].sum())
    return float(dim * (pairs * 6 * (1 + NEGATIVES) + mean) / words)


@dataclass(frozen=True)
class System:
    """A trainer, the package it needs, and the threads it runs with."""

    train: Callable[[str, str, Setting], Row]
    package: str
    fixed_threads: int | None = None

    def installed(self) -> bool:
        """Whether its package can be imported."""
        return find_spec(self.package) is not None


SYSTEMS = {
    "bitsense": System(train_ours, "bitsense"),
    "bitsense-racing": System(train_racing, "bitsense"),
    "gensim": System(train_gensim, "gensim"),
    "fasttext": System(train_fasttext, "fasttext", fixed_threads=10),
}
