"""What can be asked of a fitted paragraph-vector model: a report, a certificate, more documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from ._certify import certify, checked_options, some_documents
from ._check import check_threads
from ._model_file import class_name
from ._model_parameters import check_on_unknown
from ._saved_model import SavedModel
from .certificates import Certificate
from .reports import ModelReport, bit_report, vector_report
from .text import Corpus

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DocumentMethods"]

FloatArray = npt.NDArray[np.float32]


class DocumentMethods(SavedModel):
    """The methods of `ParagraphVectors` that are about many documents at once."""

    # What these methods need, as `ParagraphVectors` describes it.
    _width: ClassVar[str]
    on_unknown: str
    n_extended_: int
    _hidden: FloatArray | None
    _n_components: int
    _certificate: Certificate | None

    def _encode(self, documents: Any) -> Corpus:
        raise NotImplementedError

    def _infer(self, corpus: Corpus, first: int = 0, last: int | None = None) -> FloatArray:
        raise NotImplementedError

    @staticmethod
    def _require_known(corpus: Corpus, reason: str) -> None:
        raise NotImplementedError

    def _code_values(self, vectors: FloatArray) -> FloatArray | None:
        """Return the values whose signs are the codes of documents with these vectors, if any."""
        return vectors if self._width == "bits" else None

    @property
    def certificate_(self) -> Certificate | None:
        """What `certificate` measured last; None before. It is saved with the model."""
        self._check_fitted()
        return self._certificate

    def report(self, documents: Any = None, *, threads: int | None = None) -> ModelReport:
        """Return how the training went, and what the model makes of documents.

        Bits that are the same for nearly everybody (dead) or that the training could no longer
        change (saturated) are named, so are codes that many documents share.

        Parameters
        ----------
        documents : optional
            As for `fit`; they are inferred. By default the documents of `fit` and `extend`, by
            their trained vectors.
        threads : int, optional
            For the inference; by default those of the model.

        Returns
        -------
        ModelReport
            ``print`` shows it.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If no documents are given and the model's file held none, or none of those given has a
            known word; if one has none and `on_unknown` is "error".

        Examples
        --------
        >>> from bitsense import BinaryParagraphVector
        >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
        >>> model = BinaryParagraphVector(bits=16, min_count=1, threads=1).fit(texts)
        >>> report = model.report()
        >>> report.documents, report.bits.bits, len(report.bits.ones)
        (60, 16, 16)
        """
        self._check_fitted()
        unknown = 0
        model = self._with_threads(threads)
        if documents is not None:
            corpus, unknown = model._known(documents)
            if not corpus.n_documents:
                raise ValueError("`documents` must hold at least 1 with a known word, got 0")
            vectors = model._infer(corpus)
        elif self._hidden is not None:
            vectors = self._hidden[:, : self._n_components]
        else:
            raise ValueError(
                "`documents` must be given: the file of this model holds no `document_vectors_`; "
                "save it with documents=True"
            )
        values = self._code_values(vectors)
        return ModelReport(
            model=class_name(type(self)),
            words=len(self.vocabulary_),
            losses=tuple(self.losses_),
            partial=self.partial_,
            source="training" if documents is None else "given",
            documents=len(vectors),
            unknown=unknown,
            vectors=vector_report(vectors),
            bits=None if values is None else bit_report(values),
        )

    def certificate(
        self,
        documents: Any,
        *,
        training: Any = None,
        bits: int | Iterable[int] = (32, 64, 128, 256, 512),
        k: int = 10,
        edit: float = 0.05,
        found: float = 0.95,
        pairs: int = 1_000_000,
        seed: int = 0,
        threads: int | None = None,
    ) -> Certificate:
        """Measure what codes of this model are worth on documents that it was not fitted to.

        Two things, for the model's own codes and for codes of other lengths made of its real
        vectors (of a binary model, its pre-activations): how well the neighbours by code are those
        by cosine [1]_, and which Hamming radius finds near-duplicates, at what price [2]_. It is
        kept as `certificate_` and saved with the model; docs/certificate.md explains it.

        Parameters
        ----------
        documents
            As for `fit`. Those without a known word are left out and counted.
        training : optional
            Documents of `fit`, or others like them, that ITQ is fitted to, by their inferred
            vectors. Without them it is fitted to the trained vectors of the documents of `fit`,
            which is worse, as inferred vectors are distributed otherwise; of a model whose file
            held none, to half of `documents`, and everything is measured on the other half.
        bits : int or iterable of int, default (32, 64, 128, 256, 512)
            Lengths of the other codes: by `ITQ` up to the dimension of the vectors, by
            `RandomHyperplanes` beyond.
        k : int, default 10
            Nearest neighbours; a shortlist has ten times as many.
        edit : float, default 0.05
            Share of its words, at least one, that each document's copy has replaced by words drawn
            by their frequency in training. In (0, 1].
        found : float, default 0.95
            Share of the copies that the radius has to find. In (0, 1].
        pairs : int, default 1,000,000
            Pairs of different documents that are drawn to count the false ones; all, where there
            are fewer.
        seed : int, default 0
        threads : int, optional
            By default those of the model. The result does not depend on it.

        Returns
        -------
        Certificate
            ``print`` shows it.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError, TypeError
            If an argument is out of range, or fewer than k + 1 documents (2 k + 1 where ITQ needs
            half of them) have a known word; if one has none and `on_unknown` is "error". An older
            certificate stays then.

        Notes
        -----
        Ties of distances count by their expectation. Neighbours are looked for by 1,000 of the
        documents at most, among all others; ITQ is fitted to 4,096 vectors at most and uses NumPy's
        linear algebra, so its rows may differ between machines in the last places.

        References
        ----------
        .. [1] Jegou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE
           TPAMI 33(1), 2011.
        .. [2] Manku, Jain and Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007.

        Examples
        --------
        >>> from bitsense import BinaryParagraphVector
        >>> texts = [f"red wine {i} and white wine {i % 7} with fish" for i in range(60)]
        >>> model = BinaryParagraphVector(bits=16, min_count=1, threads=1).fit(texts[:40])
        >>> certificate = model.certificate(texts[40:], bits=[8, 32], k=3)
        >>> [(row.codes, row.bits) for row in certificate.rows]
        [('ITQ', 8), ('learned', 16), ('random hyperplanes', 32)]
        """
        self._check_fitted()
        options = checked_options(bits, k, edit, found, pairs, seed, self._threads_or(threads))
        model = self._with_threads(threads)
        corpus, unknown = model._known(documents)
        fitting = None if training is None else model._known(training)[0]
        if fitting is not None and not fitting.n_documents:
            raise ValueError("`training` must hold at least 1 with a known word, got 0")
        self._certificate = certify(model, corpus, unknown, fitting, options)
        return self._certificate

    def extend(self, documents: Any, *, threads: int | None = None) -> Any:
        """Add documents to the model without training: what it knows of words stays as it is.

        They are inferred as by `transform`, and their vectors are put after those of the documents
        that the model has: `document_vectors_`, `n_documents_` and `n_extended_` grow. Nothing that
        any document gets changes, and it does not matter how many calls add the documents.

        Parameters
        ----------
        documents
            As for `fit`. One without a known word gets zeros.
        threads : int, optional
            By default those of the model.

        Returns
        -------
        What `transform` gives for `documents`: codes, or vectors.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the model's file held no documents to add to; if a document has no known word and
            `on_unknown` is "error" or "nan". The model is as before then.
        KeyboardInterrupt
            On Ctrl-C; the model is as before.

        Notes
        -----
        The vectors of all documents are copied, so many documents are better added together.

        Examples
        --------
        >>> from bitsense import BinaryParagraphVector
        >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
        >>> model = BinaryParagraphVector(bits=16, min_count=1, threads=1).fit(texts)
        >>> model.extend(["wine with a fast fish"]).shape, model.n_documents_, model.n_extended_
        ((1, 2), 61, 1)
        """
        self._check_fitted()
        if self._hidden is None:
            raise ValueError(
                "the file of this model holds no `document_vectors_` to extend; save it with "
                "documents=True"
            )
        model = self._with_threads(threads)
        corpus = model._encode(documents)
        if check_on_unknown(self.on_unknown) == "nan":
            self._require_known(corpus, "`document_vectors_` cannot be NaN: use 'zero'")
        vectors = model._infer(corpus)
        values = self._code_values(vectors)
        added = np.zeros((len(vectors), self._hidden.shape[1]), np.float32)
        added[:, : self._n_components] = vectors
        hidden = np.concatenate([self._hidden, added])
        hidden.flags.writeable = False
        # All at once: a Ctrl-C finds the old documents or the new ones.
        self.__dict__.update(
            _hidden=hidden,
            n_documents_=self.n_documents_ + len(vectors),
            n_extended_=self.n_extended_ + len(vectors),
        )
        result = vectors if values is None else np.packbits(values > 0, axis=1)
        return self._in_container(result, documents)

    def _known(self, documents: Any) -> tuple[Corpus, int]:
        """Return the documents that have a known word, and how many have none."""
        corpus = self._encode(documents)
        if check_on_unknown(self.on_unknown) == "error":
            self._require_known(corpus, "`on_unknown` is 'error'")
        known = np.flatnonzero(np.diff(corpus.offsets))
        return some_documents(corpus, known), corpus.n_documents - len(known)

    def _threads_or(self, threads: int | None) -> int:
        return check_threads(self.threads if threads is None else threads)

    def _with_threads(self, threads: int | None) -> Self:
        """Return this model, or one that shares all that it learned and uses other threads."""
        if threads is None:
            return self
        return self._with({"threads": check_threads(threads)})
