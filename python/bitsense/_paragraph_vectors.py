"""What the paragraph-vector estimators share: parameters, training, inference, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._check import check_count, check_float, check_option, check_threads
from ._estimator import Estimator
from ._progress import ProgressOption, Reporter, check_progress, wants_bar
from .errors import FormatError
from .text import Corpus, Tokenizer, Vocabulary, build_corpus, encode_documents

__all__ = ["ParagraphVectors"]

FloatArray = npt.NDArray[np.float32]
CodeArray = npt.NDArray[np.uint8]
Splitter = Callable[[str], Sequence[str]]

# Chosen on a validation split of the training part of 20 Newsgroups (docs/models.md).
_INIT_SCALE = 0.01
_BIAS_POWER = {"softmax": 0.5, "negative-sampling": 0.0}
_INFERENCE_NOISE = 1024
_MODES = ("dbow",)
_OBJECTIVES = {
    "softmax": _core.Objective.sampled_softmax,
    "negative-sampling": _core.Objective.negative_sampling,
}
_OPTIMIZERS = {"adagrad": _core.Optimizer.adagrad, "sgd": _core.Optimizer.sgd}
_UNKNOWN = ("zero", "error", "nan")


class ParagraphVectors(Estimator):
    """What the two models share: everything but the shape of what they return."""

    _takes_text = True
    _model: ClassVar[str]
    _document_rate: ClassVar[float]  # times the learning rate
    _infer_rate: ClassVar[float]  # AdaGrad's, in inference
    _width: ClassVar[str]  # the parameter that says how many components there are

    # The parameters, which the subclasses' constructors store.
    mode: str
    window: int
    min_count: int
    max_vocabulary: int | None
    negatives: int
    subsample: float
    epochs: int
    learning_rate: float | None
    objective: str
    optimizer: str
    dropout: float
    batch: int
    infer_epochs: int
    tokenizer: Tokenizer | Splitter | None
    on_unknown: str
    deterministic: bool
    threads: int | None
    seed: int
    progress: ProgressOption

    # Learned.
    vocabulary_: Vocabulary
    tokenizer_: Tokenizer | Splitter
    losses_: list[float]
    partial_: bool
    n_documents_: int
    level_: str
    _n_components: int
    _hidden: FloatArray | None
    _output: FloatArray
    _bias: FloatArray

    # Training

    def fit(self, documents: Any, y: Any = None) -> Any:
        """Learn from documents.

        Parameters
        ----------
        documents : iterable of str, iterable of lists of str, path, list of paths, or TextFiles
            As for `build_corpus`: texts, or lists of tokens; a path names a file with one document
            a line. The documents are read once.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter is out of range, the documents are none, or no word is left of them. The
            estimator is as before then.
        KeyboardInterrupt
            On Ctrl-C, or whatever `progress` raises. What was learned so far is kept: the model can
            be used, and `partial_` is True.
        """
        options = self._train_options()
        tokenizer = Tokenizer() if self.tokenizer is None else self.tokenizer
        vocabulary, corpus = build_corpus(
            documents,
            tokenizer=tokenizer,
            min_count=self.min_count,
            max_vocabulary=self.max_vocabulary,
            threads=options.threads,
            progress=wants_bar(self.progress),
        )
        with Reporter(self.progress, options.epochs) as reporter:
            hidden, output, bias, losses, error = _core.train(
                self._model,
                corpus.ids,
                corpus.offsets,
                vocabulary.counts,
                self._dim,
                self._init_options(),
                options,
                reporter.watch,
            )
        self.vocabulary_ = vocabulary
        self.tokenizer_ = tokenizer
        self.losses_ = losses
        self.partial_ = error is not None
        self.n_documents_ = corpus.n_documents
        self.level_ = _core.level()
        self._n_components = self._dim
        self._hidden, self._output, self._bias = hidden, output, bias
        for array in (hidden, output, bias):
            array.flags.writeable = False
        if error is not None:
            raise error
        return self

    def _train_options(self) -> _core.TrainOptions:
        """Check every parameter; return those of the training."""
        options = _core.TrainOptions()
        check_option("mode", self.mode, _MODES)
        options.objective = _OBJECTIVES[check_option("objective", self.objective, _OBJECTIVES)]
        options.optimizer = _OPTIMIZERS[check_option("optimizer", self.optimizer, _OPTIMIZERS)]
        self._check_on_unknown()
        check_progress(self.progress)
        check_count(self._width, getattr(self, self._width), most=65536)
        check_count("min_count", self.min_count)
        check_count("infer_epochs", self.infer_epochs, most=100_000)
        options.epochs = check_count("epochs", self.epochs, most=1_000_000)
        options.run = check_count("window", self.window, most=4096)
        options.batch = check_count("batch", self.batch, most=65536)
        options.negatives = check_count("negatives", self.negatives, most=65536)
        options.subsample = check_float("subsample", self.subsample, most=1.0)
        options.dropout = check_float("dropout", self.dropout, most=0.99)
        options.learning_rate = self._learning_rate()
        options.document_rate = self._document_rate
        options.seed = check_count("seed", self.seed, least=0, most=2**64 - 1)
        options.threads = check_threads(self.threads)
        options.deterministic = bool(self.deterministic)
        return options

    def _init_options(self) -> _core.InitOptions:
        init = _core.InitOptions()
        init.scale = _INIT_SCALE
        init.bias_power = _BIAS_POWER[self.objective]
        return init

    def _check_on_unknown(self) -> str:
        return check_option("on_unknown", self.on_unknown, _UNKNOWN)

    def _learning_rate(self) -> float:
        if self.learning_rate is None:
            return self._default_learning_rate()
        return check_float("learning_rate", self.learning_rate, open_below=True)

    def _default_learning_rate(self) -> float:
        raise NotImplementedError

    @property
    def _dim(self) -> int:
        return int(getattr(self, self._width))

    # Inference

    def _infer(self, documents: Any) -> tuple[FloatArray, npt.NDArray[np.float64]]:
        """Return the hidden vectors of documents and their coverage."""
        self._check_fitted()
        unknown = self._check_on_unknown()
        threads = check_threads(self.threads)
        corpus = encode_documents(
            documents, self.vocabulary_, tokenizer=self.tokenizer_, threads=threads
        )
        options = _core.InferOptions()
        options.objective = _OBJECTIVES[self.objective]
        options.negatives = self.negatives
        options.noise = _INFERENCE_NOISE
        options.learning_rate = self._infer_rate
        options.iterations = check_count("infer_epochs", self.infer_epochs, most=100_000)
        options.threads = threads
        vectors = _core.infer(
            self._model,
            corpus.ids,
            corpus.offsets,
            self.vocabulary_.counts,
            self._output,
            self._bias,
            self._n_components,
            options,
        )
        known = (corpus.offsets[1:] - corpus.offsets[:-1]).astype(np.int64)
        if not known.all():
            self._answer_unknown(unknown, vectors, known, corpus)
        return vectors, known / np.maximum(corpus.totals, 1)

    @staticmethod
    def _answer_unknown(
        unknown: str, vectors: FloatArray, known: npt.NDArray[np.int64], corpus: Corpus
    ) -> None:
        rows = np.flatnonzero(known == 0)
        if unknown == "error":
            raise ValueError(
                f"`documents`[{rows[0]}] has no known word among its {corpus.totals[rows[0]]} "
                f"({len(rows)} of {len(known)} documents have none); `on_unknown` is 'error'"
            )
        vectors[rows] = np.nan if unknown == "nan" else 0.0

    @property
    def document_vectors_(self) -> FloatArray:
        """The trained hidden vectors of the training documents, shape (n_documents, dim).

        `transform` infers vectors anew, also for these documents.
        """
        self._check_fitted()
        if self._hidden is None:
            raise AttributeError("the model was saved without documents=True")
        return self._hidden[:, : self._n_components]

    @property
    def word_vectors_(self) -> FloatArray:
        """The softmax weights of the words, shape (n_words, dim), in the order of `vocabulary_`."""
        self._check_fitted()
        return self._output[:, : self._n_components]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns of `transform`, as scikit-learn asks for them.

        `input_features` is ignored: a document has none.
        """
        self._check_fitted()
        stem = type(self).__name__.lower()
        names = [f"{stem}{i}" for i in range(self._n_columns())]
        return np.array(names, dtype=object)

    def _n_columns(self) -> int:
        return self._n_components

    # Files

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.get_params(deep=False), "progress": None}
        if not self.__sklearn_is_fitted__():
            return {"parameters": state}
        contents = files.write_bytes("model", *self._state(documents=True))
        return {"parameters": state, "contents": contents, "tokenizer": self.tokenizer_}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "contents" in state:
            self.__dict__.update(files.load_bytes(state["contents"]).__dict__)
            self.tokenizer_ = state["tokenizer"]
        self.__dict__.update(state["parameters"])

    def save(self, path: files.Path, *, documents: bool = False) -> None:
        """Save the fitted model, its vocabulary and its tokeniser as one file.

        A tokeniser that is a callable is not saved, for files hold no code: give it again to
        `load`. Neither are `progress` and `threads`.

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
        files.write_file(path, "model", *self._state(documents))

    @classmethod
    def load(cls, path: files.Path, *, tokenizer: Splitter | None = None) -> Any:
        """Load a model that `save` wrote.

        Parameters
        ----------
        path : path
        tokenizer : callable, optional
            The callable that the model was trained with, where it was one.

        Returns
        -------
        The fitted estimator.

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        """
        model = files.load(path)
        if not isinstance(model, cls):
            raise FormatError(f"{path}: holds a {type(model).__name__}, not a {cls.__name__}")
        if tokenizer is not None:
            model.tokenizer = model.tokenizer_ = tokenizer
        return model

    def _state(self, documents: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        parameters = self.get_params(deep=False)
        for name in ("progress", "threads"):
            del parameters[name]
        is_own = isinstance(self.tokenizer_, Tokenizer)
        parameters["tokenizer"] = None
        header = {
            "class": type(self).__name__,
            "parameters": parameters,
            "tokenizer": cast("Tokenizer", self.tokenizer_).to_dict() if is_own else None,
            "losses": self.losses_,
            "partial": self.partial_,
            "documents": self.n_documents_,
            "level": self.level_,
        }
        words, offsets, counts = self.vocabulary_.to_arrays()
        arrays: dict[str, Any] = {
            "words": words,
            "word_offsets": offsets,
            "word_counts": counts,
            "output": self._output,
            "bias": self._bias,
        }
        if documents and self._hidden is not None:
            arrays["documents"] = self._hidden
        return header, arrays

    @classmethod
    def _from_state(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Any:
        try:
            model = cls(**files.require_field(header, "parameters", dict))
            model._train_options()
        except (TypeError, ValueError) as error:
            raise FormatError(f"corrupt: the model's parameters: {error}") from None
        model.vocabulary_ = Vocabulary.from_arrays(
            files.require_array(arrays, "words", "uint8", None),
            files.require_array(arrays, "word_offsets", "uint64", None),
            files.require_array(arrays, "word_counts", "uint64", None),
        )
        n_words, stride = len(model.vocabulary_), -(-model._dim // 16) * 16
        model._n_components = model._dim
        model._output = files.require_array(arrays, "output", "float32", n_words, stride)
        model._bias = files.require_array(arrays, "bias", "float32", n_words)
        model._hidden = None
        if "documents" in arrays:
            model._hidden = files.require_array(arrays, "documents", "float32", None, stride)
        tokenizer = header.get("tokenizer")
        model.tokenizer_ = (
            _missing_tokenizer if tokenizer is None else Tokenizer.from_dict(tokenizer)
        )
        model.tokenizer = None if tokenizer is None else model.tokenizer_
        model.losses_ = [float(loss) for loss in files.require_field(header, "losses", list)]
        model.partial_ = files.require_field(header, "partial", bool)
        model.n_documents_ = files.require_field(header, "documents", int)
        model.level_ = files.require_field(header, "level", str)
        if not (np.isfinite(model._output).all() and np.isfinite(model._bias).all()):
            raise FormatError("corrupt: the model's weights are not finite")
        return model


def _missing_tokenizer(text: str) -> list[str]:
    raise ValueError(
        "the model was trained with a tokeniser of its user's, which files do not hold: "
        "pass it to `load` as `tokenizer`"
    )
