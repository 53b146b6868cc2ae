"""What the tests of the word models share: small models, a corpus of two topics."""

from __future__ import annotations

import numpy as np
import pytest

from bitsense import DisambiguatedSkipGram, Word2Vec

from .topics import planted

TEXTS, TOPICS = planted(topics=2, documents=30, words=20, length=(10, 30))

SMALL = {
    "epochs": 2, "window": 3, "min_count": 1, "subsample": 0.0, "learning_rate": 0.025, "threads": 1
}  # fmt: skip
MAKERS = {
    "skip-gram": lambda **more: Word2Vec(**{"dim": 20, **SMALL, **more}),
    "cbow": lambda **more: Word2Vec(**{"dim": 20, "mode": "cbow", **SMALL, **more}),
    "subwords": lambda **more: Word2Vec(
        **{"dim": 20, "subwords": (3, 4), "buckets": 500, **SMALL, **more}
    ),
    "senses": lambda **more: DisambiguatedSkipGram(
        **{"dim": 20, "senses": 3, "min_count_senses": 20, **SMALL, **more}
    ),
}
CLASSES = [Word2Vec, DisambiguatedSkipGram]

each_maker = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
each_class = pytest.mark.parametrize("cls", CLASSES)


def learned(model):
    """Everything that a fitted model has learned, as bytes."""
    tables = [model.wv.vectors, model.output_vectors_]
    if isinstance(model, DisambiguatedSkipGram):
        every = model.all_senses_
        tables += [every.vectors, every.priors, every.offsets, model.wv.priors]
        tables.append(model.sense_probabilities(*contexts(model), by="gate"))
    elif model.wv.subwords is not None:
        tables.append(model.wv.subwords.bucket_vectors)
    words = "\n".join([*model.vocabulary_, *model.wv.index_to_key]).encode()
    losses = np.array(model.losses_).tobytes()
    return words + losses + b"".join(np.ascontiguousarray(t).tobytes() for t in tables)


def contexts(model, texts=TEXTS[:10]):
    """Each first known word of some texts in its context."""
    lists = [text.split() for text in texts]
    return lists, [next(i for i, w in enumerate(each) if w in model.vocabulary_) for each in lists]
