"""The vectors and codes that `search.py` searches: from Wikipedia and from MNIST.

Word vectors are trained here (skip-gram, dim 100). Codes of documents are those of windows of 20
words: the mean of their word vectors, less the mean of all, projected on random hyperplanes;
windows begin so many words apart that as many come out as are asked for. Learned codes are those of
`BinaryParagraphVector`, of pieces of articles of 40 words.
"""

from __future__ import annotations

import itertools
import lzma
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bitsense import (
    BinaryParagraphVector,
    EncodedCorpus,
    Tokenizer,
    Word2Vec,
    encode_corpus,
    load,
)

WINDOW, PIECE, LEARNED = 20, 40, 50_000  # words, words, pieces


@cache
def corpus(folder: str, words: int, work: str) -> EncodedCorpus:
    """Return the first words of the Wikipedia corpus, encoded in a file of the folder `work`."""
    path = Path(work) / f"corpus-{words}.bitsense"
    if path.exists():
        return EncodedCorpus.load(path)
    with lzma.open(Path(folder) / "wiki_articles.txt.xz", "rt", encoding="utf-8") as lines:
        characters = itertools.accumulate(
            map(len, (kept := list(itertools.islice(lines, 100_000))))
        )
        taken = sum(1 for total in characters if total < 6 * words) or 1
        return encode_corpus(kept[:taken], path, tokenizer=Tokenizer(), min_count=2)


@cache
def word_model(folder: str, words: int, epochs: int, work: str) -> Any:
    """Return skip-gram vectors of the corpus; they are kept in the folder `work`."""
    path = Path(work) / f"words-{words}-{epochs}.bitsense"
    if path.exists():
        return load(path)
    encoded = corpus(folder, words, work)
    model = Word2Vec(100, epochs=epochs, subsample=1e-4, seed=1, min_count=2).fit(encoded)
    model.save(path)
    return model


def word_vectors(folder: str, words: int, epochs: int, work: str) -> np.ndarray:
    """Return the vectors of all words, in a random order."""
    vectors = word_model(folder, words, epochs, work).wv.vectors
    return vectors[np.random.default_rng(0).permutation(len(vectors))]


def digits(folder: str) -> np.ndarray:
    """Return the images of MNIST as vectors, in a random order."""
    with np.load(Path(folder) / "mnist784.npz") as data:
        images = data["x"].reshape(len(data["x"]), -1).astype(np.float32)
    return images[np.random.default_rng(0).permutation(len(images))]


def window_codes(
    folder: str, words: int, epochs: int, work: str, count: int, bits: int
) -> np.ndarray:
    """Return packed codes of `count` windows, in a random order."""
    vectors = word_model(folder, words, epochs, work).wv.vectors
    ids = np.asarray(corpus(folder, words, work).corpus.ids)
    planes = np.random.default_rng(1).standard_normal((vectors.shape[1], bits)).astype(np.float32)
    generator = np.random.default_rng(2)
    codes = np.empty((count, bits // 8), np.uint8)
    projected = (vectors - vectors[ids[:: max(1, len(ids) // 100_000)]].mean(axis=0)) @ planes
    starts = generator.permutation(np.linspace(0, len(ids) - WINDOW, count, dtype=np.int64))
    for first in range(0, count, 20_000):
        block = starts[first : first + 20_000]
        total = np.zeros((len(block), bits), np.float32)
        for i in range(WINDOW):
            total += projected[ids[block + i]]
        codes[first : first + len(block)] = np.packbits(total > 0, axis=1)
    return codes


def learned_codes(folder: str, words: int, work: str, bits: int) -> np.ndarray:
    """Return packed codes of pieces of the first words of Wikipedia, in a random order."""
    path = Path(work) / f"pieces-{words}-{bits}.npy"
    if path.exists():
        return np.load(path)
    pieces: list[str] = []
    with lzma.open(Path(folder) / "wiki_articles.txt.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            tokens = line.split()
            starts = range(0, len(tokens) - PIECE + 1, PIECE)
            pieces += [" ".join(tokens[i : i + PIECE]) for i in starts]
            if PIECE * len(pieces) >= words:
                break
    order = np.random.default_rng(0).permutation(min(len(pieces), words // PIECE))
    documents = [pieces[i] for i in order]
    model = BinaryParagraphVector(bits=bits, seed=1).fit(documents[:LEARNED])
    codes = np.asarray(model.transform(documents))
    np.save(path, codes)
    return codes
