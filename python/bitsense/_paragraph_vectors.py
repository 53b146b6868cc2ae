"""What the paragraph-vector estimators share: parameters, training, inference, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._check import check_bool, check_threads
from ._document_trainings import DocumentTrainings
from ._model_file import restored, state
from ._model_parameters import (
    OBJECTIVES,
    OPTIMIZERS,
    check_infer_epochs,
    check_on_unknown,
    checked_parameters,
    epochs_of,
    negatives_of,
    objective_of,
    optimizer_of,
    word_dim_of,
)
from ._modes import Mode
from ._progress import check_progress, wants_bar
from ._training import Trained
from ._training_corpus import training_corpus
from .checkpoints import Checkpoint, check_checkpoint
from .text import Corpus, encode_documents

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ParagraphVectors"]

FloatArray = npt.NDArray[np.float32]
Coverage = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.uint8]

# Chosen on a validation split of the training part of 20 Newsgroups (docs/models.md).
_BIAS_POWER = {"softmax": 0.5, "negative-sampling": 0.0}


class ParagraphVectors(DocumentTrainings):
    """What the models share: everything but the shape of what they return."""

    _modes: ClassVar[dict[str, Mode]]
    _width: ClassVar[str]  # the parameter that says how many components there are

    # The parameters, which the subclasses' constructors store.
    mode: str
    window: int
    min_count: int
    max_vocabulary: int | None
    negatives: int | None
    subsample: float
    epochs: int | None
    learning_rate: float | None
    objective: str | None
    optimizer: str | None
    dropout: float
    batch: int
    infer_epochs: int
    on_unknown: str
    deterministic: bool
    seed: int

    # Learned. `transform` relies on these alone, so `set_params` after `fit` cannot break a model;
    # only `infer_epochs`, `on_unknown`, `threads` and `progress` are read anew by each call.
    level_: str
    _inference: dict[str, Any]  # what else decides what a document gets
    _n_components: int
    _hidden: FloatArray | None
    _output: FloatArray
    _bias: FloatArray
    _context: FloatArray  # without rows in models without a context
    _projection: FloatArray  # and so here
    _idf: FloatArray | None  # of the encoders
    _offset: FloatArray | None  # taken from a vector before it is projected

    # Training

    def fit(
        self,
        documents: Any,
        y: Any = None,
        *,
        checkpoint: files.Path | Checkpoint | None = None,
    ) -> Self:
        """Learn from documents.

        Parameters
        ----------
        documents : iterable of str or of lists of str, paths, TextFiles or EncodedCorpus
            As for `build_corpus`: texts, or lists of tokens; a path names a file with one document
            a line. The documents are read once. A corpus that is encoded already must have been
            made with the tokeniser, `min_count` and `max_vocabulary` of the model.
        y : ignored
        checkpoint : path or Checkpoint, optional
            A file that the training is saved to while it runs. Where it is there already, the
            training goes on from it, to the same bytes; it is removed at the end.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter is out of range, the documents are none, no word is left of them, or the
            learning rate makes the weights infinite. The estimator is as before then. ValueError
            too if the file of `checkpoint` is of another training; FormatError if it is corrupt or
            no checkpoint.
        KeyboardInterrupt
            On Ctrl-C, or whatever `progress` raises. What was learned so far is kept: the model can
            be used, and `partial_` is True. Only while the documents are still being read there is
            nothing to keep, and the estimator is as before.
        """
        self._learn(documents, checkpoint)
        return self

    def _learn(self, documents: Any, checkpoint: Any = None) -> Corpus:
        """Fit to documents and return them as ids."""
        recipe = checked_parameters(self)
        options = self._train_options(recipe)
        check_progress(self.progress)
        check_checkpoint(checkpoint)
        tokenizer, vocabulary, corpus = training_corpus(
            documents, self.tokenizer, recipe, options.threads, wants_bar(self.progress)
        )
        idf = None
        if self._modes[recipe["mode"]].encoder:
            idf = _core.inverse_frequencies(corpus.ids, corpus.offsets, len(vocabulary))
        made: dict[str, Any] = {
            "tokenizer_": tokenizer,
            "n_documents_": corpus.n_documents,
            "n_extended_": 0,
            "_recipe": recipe,
            "_n_components": recipe[self._width],
            "_continued": [],
        }
        task = self._task(recipe, vocabulary, corpus, options)
        self._run(task, recipe, vocabulary, idf, checkpoint, made)
        return corpus

    def _binarised(
        self, trained: Trained, recipe: dict[str, Any]
    ) -> tuple[Trained, FloatArray | None]:
        """Complete the tables; also return what is taken from a vector before it is projected."""
        return trained, None

    @classmethod
    def _shape(cls, recipe: dict[str, Any]) -> _core.Shape:
        """Return the sizes of the tables that these parameters make."""
        mode = cls._modes[recipe["mode"]]
        dim = recipe[cls._width]
        if mode.encoder:
            return _core.Shape(dim, word_dim=dim)
        if not mode.context:
            bits = recipe["bits"] if mode.model == "real-binary-pv-dbow" else 0
            return _core.Shape(dim, bits=bits)
        return _core.Shape(dim, recipe["context"], word_dim_of(cls, recipe))

    def _train_options(self, checked: dict[str, Any]) -> _core.TrainOptions:
        options = _core.TrainOptions()
        options.objective = OBJECTIVES[objective_of(type(self), checked)]
        optimizer = optimizer_of(type(self), checked)
        options.optimizer = OPTIMIZERS[optimizer]
        options.run = checked["window"]
        options.epochs = epochs_of(type(self), checked)
        for name in ("batch", "subsample", "dropout", "seed"):
            setattr(options, name, checked[name])
        options.negatives = negatives_of(type(self), checked)
        rate = checked["learning_rate"]
        options.learning_rate = self._default_learning_rate(optimizer) if rate is None else rate
        mode = self._modes[checked["mode"]]
        options.document_rate = mode.document_rate
        options.context_rate = mode.context_rate
        options.projection_rate = mode.projection_rate
        options.context = self._shape(checked).context
        options.round_words = checked.get("round_words", True)
        options.threads = check_threads(self.threads)
        options.deterministic = checked["deterministic"]
        return options

    def _init_options(self, checked: dict[str, Any]) -> _core.InitOptions:
        mode = self._modes[checked["mode"]]
        init = _core.InitOptions()
        init.scale = mode.scale
        init.context_scale = mode.context_scale
        init.bias_power = _BIAS_POWER[objective_of(type(self), checked)]
        return init

    def _default_learning_rate(self, optimizer: str) -> float:
        raise NotImplementedError

    # Inference

    def _encode(self, documents: Any) -> Corpus:
        """Return documents as ids, after checking what their inference will need."""
        self._check_fitted()
        self._infer_options()
        check_on_unknown(self.on_unknown)
        return encode_documents(
            documents,
            self.vocabulary_,
            tokenizer=self.tokenizer_,
            threads=check_threads(self.threads),
        )

    def _infer_options(self) -> _core.InferOptions:
        options = _core.InferOptions()
        options.objective = OBJECTIVES[objective_of(type(self), self._recipe)]
        options.negatives = negatives_of(type(self), self._recipe)
        options.noise = self._inference["noise"]
        options.learning_rate = self._inference["learning_rate"]
        options.iterations = check_infer_epochs(self.infer_epochs)
        options.threads = check_threads(self.threads)
        options.round_words = self._recipe.get("round_words", True)
        return options

    def _infer(self, corpus: Corpus, first: int = 0, last: int | None = None) -> FloatArray:
        """Return the hidden vectors of the documents [first, last) of a corpus."""
        unknown = check_on_unknown(self.on_unknown)
        if unknown == "error":
            self._require_known(corpus, "`on_unknown` is 'error'")
        offsets = corpus.offsets[first : None if last is None else last + 1]
        vectors = _core.infer(
            self._modes[self._recipe["mode"]].model,
            corpus.ids[int(offsets[0]) : int(offsets[-1])],
            offsets - offsets[0],
            self.vocabulary_.counts,
            self._output,
            self._bias,
            self._context,
            self._projection,
            self._idf,
            self._shape(self._recipe),
            self._infer_options(),
        )
        if unknown == "nan":
            vectors[np.diff(offsets) == 0] = np.nan
        return vectors

    @staticmethod
    def _require_known(corpus: Corpus, reason: str) -> None:
        known = np.diff(corpus.offsets)
        if not known.all():
            rows = np.flatnonzero(known == 0)
            raise ValueError(
                f"`documents`[{rows[0]}] has no known word among its {corpus.totals[rows[0]]} "
                f"({len(rows)} of {len(known)} documents have none); {reason}"
            )

    @staticmethod
    def _coverage(corpus: Corpus) -> Coverage:
        known: Coverage = np.diff(corpus.offsets).astype(np.float64)
        return known / np.maximum(corpus.totals, 1)

    @property
    def document_vectors_(self) -> FloatArray:
        """The trained hidden vectors of the training documents, shape (n_documents, dim).

        `transform` infers vectors anew, also for these documents.
        """
        self._check_fitted()
        if self._hidden is None:
            raise AttributeError(
                "the file of this model holds no `document_vectors_`; save it with documents=True"
            )
        return self._hidden[:, : self._n_components]

    @property
    def word_vectors_(self) -> FloatArray:
        """The softmax weights of the words, a row each, in the order of `vocabulary_`."""
        self._check_fitted()
        shape = self._shape(self._recipe)
        return self._output[:, : shape.hidden(self._modes[self._recipe["mode"]].model)]

    @property
    def context_vectors_(self) -> FloatArray:
        """The vectors of words as inputs, shape (n_words, word_dim), of a model with such.

        In PV-DM those of the words beside a target, in an encoder those that make up a document.
        """
        self._check_fitted()
        if not len(self._context):
            raise AttributeError(f"mode {self._recipe['mode']!r} has no `context_vectors_`")
        return self._context[:, : self._shape(self._recipe).word_dim]

    def _n_columns(self) -> int:
        return self._n_components

    # Files

    def save(self, path: files.Path, *, documents: bool = False) -> None:
        """Save the fitted model, its vocabulary and its tokeniser as one file.

        The parameters in it are those of the training, but `infer_epochs` and `on_unknown` as they
        are now. A tokeniser that is a callable is not saved, for files hold no code: give it again
        to `load`. Neither are `progress` and `threads`.

        Parameters
        ----------
        path : path
            Where to; an old file there is replaced at once or not at all.
        documents : bool, default False
            Save the vectors of the training documents too.

        Raises
        ------
        NotFittedError
            Before `fit`.
        OSError
            If the file cannot be written.
        """
        self._check_fitted()
        changed = {
            "infer_epochs": check_infer_epochs(self.infer_epochs),
            "on_unknown": check_on_unknown(self.on_unknown),
        }
        files.write_file(path, "model", *state(self, changed, check_bool("documents", documents)))

    def _whole_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return state(self, {}, documents=True)

    @classmethod
    def _restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
        return restored(cls, header, arrays)
