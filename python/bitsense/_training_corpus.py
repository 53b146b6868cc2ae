"""What a model is trained on: documents of any kind, or a corpus that is encoded already."""

from __future__ import annotations

from typing import Any

from .text import Corpus, EncodedCorpus, Tokenizer, Vocabulary, build_corpus

__all__ = ["training_corpus"]


def training_corpus(
    documents: Any, tokenizer: Any, recipe: dict[str, Any], threads: int, progress: bool
) -> tuple[Any, Vocabulary, Corpus]:
    """Return the tokeniser of a fitted model, its vocabulary, and the documents as ids.

    `tokenizer` and `recipe` are the model's parameters; an encoded corpus must have been made with
    the same ones, or ValueError says which differs.
    """
    own = Tokenizer() if tokenizer is None else tokenizer
    least, most = recipe["min_count"], recipe["max_vocabulary"]
    if isinstance(documents, EncodedCorpus):
        documents._check_options(tokenizer, least, most)
        return own, documents.vocabulary, documents.corpus
    vocabulary, corpus = build_corpus(
        documents,
        tokenizer=own,
        min_count=least,
        max_vocabulary=most,
        threads=threads,
        progress=progress,
    )
    return own, vocabulary, corpus
