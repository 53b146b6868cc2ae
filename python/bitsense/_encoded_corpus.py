"""A corpus with all that made it, in memory or in a mapped file: what models are trained on again.

The header of kind "corpus" has `cut`, who cut the documents: "tokenizer", "callable" or "given",
where they were lists of tokens and no tokeniser was given; `tokenizer`, the options of a
`Tokenizer` or null; `min_count`, `min_count_ngrams` and `max_vocabulary`; and `documents`, `tokens`
and `words`, how many there are. The arrays are `ids` (uint32), `offsets` (uint64, documents + 1),
`totals` (uint32, documents) and the vocabulary (`words`, `word_offsets`, `word_counts`). The ids
come first, so that `encode_corpus` can write them before it knows the rest.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import _core, files
from ._build import CorpusOptions, Splitter, checked_options, read_words
from ._check import check_bool, check_threads
from ._feed import core_tokenizer
from ._header import describe, encode_arrays, encode_header
from ._tokenizer import Tokenizer, missing_tokenizer
from ._vocabulary import Corpus, Vocabulary
from .errors import FormatError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["EncodedCorpus", "encode_corpus"]


class EncodedCorpus:
    """Documents that are read already: vocabulary, ids, and the options that made them.

    Every model's `fit` takes one in place of documents and learns the same, byte for byte, as from
    the documents themselves. `encode_corpus` makes one in a file, however large; `load` maps it.

    A model's `tokenizer`, `min_count` and `max_vocabulary` must be those of the corpus, and `fit`
    refuses others: ``Word2Vec(**corpus.options)`` takes them all. A callable cannot be compared, so
    any callable stands for the one that cut the documents.

    Parameters
    ----------
    vocabulary : Vocabulary
    corpus : Corpus
        What `build_corpus` returned.
    tokenizer, min_count, min_count_ngrams, max_vocabulary
        What `build_corpus` was given.

    Attributes
    ----------
    vocabulary : Vocabulary
    corpus : Corpus
        Its `ids` may lie in the mapped file.
    tokenizer : Tokenizer, callable or None
    min_count, min_count_ngrams : int
    max_vocabulary : int or None

    Raises
    ------
    TypeError
        If `vocabulary` or `corpus` is something else.
    ValueError
        If there are no documents or words, or an id is that of no word.

    Examples
    --------
    >>> from bitsense.text import Tokenizer, build_corpus
    >>> found = build_corpus(["red wine", "red"], tokenizer=Tokenizer(), min_count=1)
    >>> EncodedCorpus(*found, tokenizer=Tokenizer(), min_count=1)
    <EncodedCorpus of 2 documents, 3 tokens and 2 words>
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        corpus: Corpus,
        *,
        tokenizer: Tokenizer | Splitter | None,
        min_count: int,
        min_count_ngrams: int | None = None,
        max_vocabulary: int | None = None,
    ) -> None:
        for name, value, kind in (
            ("vocabulary", vocabulary, Vocabulary),
            ("corpus", corpus, Corpus),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"`{name}` must be a {kind.__name__}, got {type(value).__name__}")
        core_tokenizer(tokenizer)
        options = checked_options(tokenizer, min_count, min_count_ngrams, max_vocabulary)
        self._set(vocabulary, corpus, options)
        if corpus.n_tokens and int(corpus.ids.max()) >= len(vocabulary):
            raise ValueError(
                f"`corpus` must have ids below the number of words, {len(vocabulary)}, got "
                f"{corpus.ids.max()}"
            )

    def _set(self, vocabulary: Vocabulary, corpus: Corpus, options: CorpusOptions) -> None:
        if not vocabulary or not corpus.n_documents:
            raise ValueError(
                f"`corpus` must hold at least 1 document and 1 word, got {corpus.n_documents} and "
                f"{len(vocabulary)}"
            )
        self.vocabulary = vocabulary
        self.corpus = corpus
        self.tokenizer, self.min_count, self.min_count_ngrams, self.max_vocabulary = options

    @property
    def n_documents(self) -> int:
        """How many documents there are."""
        return self.corpus.n_documents

    @property
    def n_tokens(self) -> int:
        """How many ids there are: tokens of words that are in the vocabulary."""
        return self.corpus.n_tokens

    @property
    def _options(self) -> CorpusOptions:
        return CorpusOptions(
            self.tokenizer, self.min_count, self.min_count_ngrams, self.max_vocabulary
        )

    @property
    def options(self) -> dict[str, Any]:
        """`tokenizer`, `min_count` and `max_vocabulary`, as the models take them."""
        return {
            "tokenizer": self.tokenizer,
            "min_count": self.min_count,
            "max_vocabulary": self.max_vocabulary,
        }

    def __repr__(self) -> str:
        return (
            f"<EncodedCorpus of {self.n_documents:,} documents, {self.n_tokens:,} tokens and "
            f"{len(self.vocabulary):,} words>"
        )

    def save(self, path: files.Path) -> None:
        """Save the corpus as one file; an old file there is replaced at once or not at all.

        A tokeniser that is a callable is not saved, for files hold no code.

        Parameters
        ----------
        path : path
            Where to.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        arrays: dict[str, Any] = {
            "ids": self.corpus.ids,
            "offsets": self.corpus.offsets,
            "totals": self.corpus.totals,
            **_arrays_of(self.vocabulary),
        }
        header = _header_of(self._options, self.n_documents, self.n_tokens, len(self.vocabulary))
        files.write_file(path, "corpus", header, arrays)

    @classmethod
    def load(
        cls, path: files.Path, *, tokenizer: Splitter | None = None, verify: bool = True
    ) -> Self:
        """Map a corpus that `save` or `encode_corpus` wrote.

        Parameters
        ----------
        path : path
        tokenizer : callable, optional
            The callable that cut the documents, where it was one; only a model that is to cut other
            documents needs it.
        verify : bool, default True
            Check every byte first, at the speed at which they can be read. False checks all but the
            contents of the arrays, and reads only what is used; what was changed by accident then
            gives wrong results or an error, and nothing worse.

        Returns
        -------
        EncodedCorpus

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        ValueError, TypeError
            If a tokeniser is given and the file holds the options of its own, or needs none; if it
            is no callable, or `verify` no boolean.
        OSError
            If the file cannot be opened.
        """
        if tokenizer is not None and not callable(tokenizer):
            raise TypeError(f"`tokenizer` must be a callable, got {type(tokenizer).__name__}")
        if check_bool("verify", verify):
            loaded = files.load(path)
        else:
            loaded = files.load_unverified(path, "corpus", _unverified)
        if not isinstance(loaded, cls):
            raise FormatError(f"{path}: holds a {type(loaded).__name__}, not a {cls.__name__}")
        if tokenizer is not None:
            if loaded.tokenizer is not missing_tokenizer:
                raise ValueError("`tokenizer` must be None: no callable cut the documents")
            loaded.tokenizer = tokenizer
        return loaded

    def _check_options(self, tokenizer: Any, min_count: int, max_vocabulary: int | None) -> None:
        """Raise ValueError unless a model's parameters are those of the corpus."""
        for name, value in (("min_count", min_count), ("max_vocabulary", max_vocabulary)):
            own = getattr(self, name)
            if value != own:
                raise ValueError(
                    f"`{name}` must be that of the corpus, {own}, got {value}; {_HINT}"
                )
        if isinstance(self.tokenizer, Tokenizer):
            fits = (Tokenizer() if tokenizer is None else tokenizer) == self.tokenizer
            wanted = f"that of the corpus, {self.tokenizer!r}"
        elif self.tokenizer is not None:
            fits = tokenizer is not None and not isinstance(tokenizer, Tokenizer)
            wanted = "a callable, as the one that cut the corpus"
        else:
            fits = not isinstance(tokenizer, Tokenizer) or tokenizer.ngrams == 1
            wanted = "one without n-grams, for the corpus was made of lists of tokens"
        if not fits:
            raise ValueError(f"`tokenizer` must be {wanted}, got {tokenizer!r}; {_HINT}")


_HINT = "the model's parameters can be given as **corpus.options"


def encode_corpus(
    documents: Any,
    path: files.Path,
    *,
    tokenizer: Tokenizer | Splitter | None,
    min_count: int,
    min_count_ngrams: int | None = None,
    max_vocabulary: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> EncodedCorpus:
    """Read documents once and write them as a corpus file, which may be larger than the memory.

    What stays in memory are the words and some 20 bytes a document. The ids, four bytes a token, go
    to the file as they come, which is hidden beside `path` until it is whole (`.bitsense-*.tmp`; it
    stays there if the process is killed).

    Parameters
    ----------
    documents, tokenizer, min_count, min_count_ngrams, max_vocabulary, threads, progress
        As for `build_corpus`.
    path : path
        Where to; an old file there is replaced at once or not at all.

    Returns
    -------
    EncodedCorpus
        The mapped file.

    Raises
    ------
    TypeError, ValueError
        As `build_corpus`.
    OSError
        If a file cannot be read or written.

    Examples
    --------
    >>> corpus = encode_corpus(
    ...     Path("texts.txt"), "texts.bitsense", tokenizer=Tokenizer(), min_count=5
    ... )  # doctest: +SKIP
    >>> model = Word2Vec(dim=300, **corpus.options).fit(corpus)  # doctest: +SKIP
    """
    options = checked_options(tokenizer, min_count, min_count_ngrams, max_vocabulary)
    threads = check_threads(threads)
    cut = core_tokenizer(tokenizer)
    # A Path would drop a slash at the end.
    target = os.path.join(os.getcwdb(), files.path_bytes(path))  # noqa: PTH109, PTH118
    room = len(_encoded_header(options, *[2**64 - 1] * 4))
    builder = _core.CorpusBuilder.in_file(cut, threads, target, room)
    try:
        vocabulary = read_words(builder, documents, options, threads, progress)
        arrays = _arrays_of(vocabulary)
        _, sections = encode_arrays(arrays)
        header = _encoded_header(
            options,
            builder.counts()[0],
            int(arrays["word_counts"].sum()),
            len(vocabulary),
            len(arrays["words"]),
        )
        builder.save(header, sections)
    finally:
        builder.close()
    loaded = EncodedCorpus.load(os.fsdecode(target), verify=False)
    if loaded.tokenizer is missing_tokenizer:
        loaded.tokenizer = tokenizer
    return loaded


def _arrays_of(vocabulary: Vocabulary) -> dict[str, Any]:
    words, word_offsets, word_counts = vocabulary.to_arrays()
    return {"words": words, "word_offsets": word_offsets, "word_counts": word_counts}


def _header_of(options: CorpusOptions, documents: int, tokens: int, words: int) -> dict[str, Any]:
    tokenizer = options.tokenizer
    is_ours = isinstance(tokenizer, Tokenizer)
    return {
        "cut": "tokenizer" if is_ours else "given" if tokenizer is None else "callable",
        "tokenizer": tokenizer.to_dict() if isinstance(tokenizer, Tokenizer) else None,
        "min_count": options.min_count,
        "min_count_ngrams": options.min_count_ngrams,
        "max_vocabulary": options.max_vocabulary,
        "documents": documents,
        "tokens": tokens,
        "words": words,
    }


def _encoded_header(
    options: CorpusOptions, documents: int, tokens: int, words: int, word_bytes: int
) -> bytes:
    """Return the JSON of a corpus whose arrays the engine writes, in the order of `save`."""
    header = _header_of(options, documents, tokens, words)
    descriptions = [
        describe("ids", "uint32", tokens),
        describe("offsets", "uint64", documents + 1),
        describe("totals", "uint32", documents),
        describe("words", "uint8", word_bytes),
        describe("word_offsets", "uint64", words + 1),
        describe("word_counts", "uint64", words),
    ]
    return encode_header("corpus", header, descriptions)


def _options_of(header: dict[str, Any]) -> CorpusOptions:
    cut = files.require_field(header, "cut", str)
    tokenizer: Any = {"callable": missing_tokenizer, "given": None}.get(cut)
    if cut == "tokenizer":
        tokenizer = Tokenizer.from_dict(files.require_field(header, "tokenizer", dict))
    elif cut not in ("callable", "given"):
        raise FormatError(f"corrupt: 'cut' must be tokenizer, callable or given, got {cut!r}")
    most = header.get("max_vocabulary")
    if most is not None:
        most = files.require_field(header, "max_vocabulary", int)
    try:
        return checked_options(
            tokenizer,
            files.require_field(header, "min_count", int),
            files.require_field(header, "min_count_ngrams", int),
            most,
        )
    except ValueError as error:
        raise FormatError(f"corrupt: {error}") from None


def _unverified(header: dict[str, Any], arrays: dict[str, Any]) -> EncodedCorpus:
    """Make a corpus of a file without looking at each id."""
    loaded = EncodedCorpus.__new__(EncodedCorpus)
    vocabulary = Vocabulary.from_arrays(
        files.require_array(arrays, "words", "uint8", None),
        files.require_array(arrays, "word_offsets", "uint64", None),
        files.require_array(arrays, "word_counts", "uint64", None),
    )
    corpus = Corpus(
        files.require_array(arrays, "ids", "uint32", None),
        files.require_array(arrays, "offsets", "uint64", None),
        files.require_array(arrays, "totals", "uint32", None),
    )
    loaded._set(vocabulary, corpus, _options_of(header))
    for name, held in (
        ("documents", corpus.n_documents),
        ("tokens", corpus.n_tokens),
        ("words", len(vocabulary)),
    ):
        if files.require_field(header, name, int) != held:
            raise FormatError(f"corrupt: {name!r} must be {held}, got {header[name]}")
    return loaded


def _from_parts(header: dict[str, Any], arrays: dict[str, Any]) -> EncodedCorpus:
    loaded = _unverified(header, arrays)
    ids = loaded.corpus.ids
    if ids.size and int(ids.max()) >= len(loaded.vocabulary):
        raise FormatError("corrupt: an id of the corpus is that of no word")
    return loaded


files.register("corpus", _from_parts)
