"""What the word models share: parameters, the corpus, the run of a training, files."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._check import check_threads
from ._model_file import is_finite
from ._progress import ProgressOption, Reporter, check_progress, wants_bar
from ._saved_model import SavedModel
from ._saver import Saver, about
from ._word_file import class_name, restored, state
from .checkpoints import check_checkpoint
from .text import Corpus, Tokenizer, Vocabulary, build_corpus

__all__ = ["WordModel"]

FloatArray = npt.NDArray[np.float32]


class WordModel(SavedModel):
    """What the word models share: everything but their tables and what is made of them."""

    _tables: ClassVar[tuple[str, ...]]  # the names of the arrays that are learned

    # The parameters, which the subclasses' constructors store.
    dim: int
    window: int
    negatives: int
    min_count: int
    max_vocabulary: int | None
    subsample: float
    epochs: int
    learning_rate: float | None
    deterministic: bool
    threads: int | None
    seed: int
    progress: ProgressOption

    # Learned. Nothing here reads the parameters after `fit`, so `set_params` cannot break a model.
    level_: str
    _recipe: dict[str, Any]  # the checked parameters of the training, of JSON types
    _arrays: dict[str, Any]  # the tables by name; rows are padded with zeros

    # What a model adds.

    def _checked_parameters(self) -> dict[str, Any]:
        raise NotImplementedError

    def _default_learning_rate(self) -> float:
        raise NotImplementedError

    def _train(
        self,
        recipe: dict[str, Any],
        vocabulary: Vocabulary,
        corpus: Corpus,
        start: Any,
        reporter: Reporter,
        saver: Saver,
    ) -> tuple[dict[str, Any], list[float], BaseException | None]:
        """Return the learned tables, the losses of the epochs, and what stopped the training."""
        raise NotImplementedError

    @classmethod
    def _check_tables(
        cls, arrays: dict[str, Any], recipe: dict[str, Any], vocabulary: Vocabulary
    ) -> dict[str, Any]:
        """Return the tables of a file; FormatError if they do not fit the parameters."""
        raise NotImplementedError

    # Training

    def _learn(self, documents: Any, start: Any, checkpoint: Any) -> None:
        """Fit to documents, from the tables of `start` where it has them."""
        recipe = self._checked_parameters()
        check_progress(self.progress)
        check_checkpoint(checkpoint)
        tokenizer = Tokenizer() if self.tokenizer is None else self.tokenizer
        vocabulary, corpus = build_corpus(
            documents,
            tokenizer=tokenizer,
            min_count=recipe["min_count"],
            max_vocabulary=recipe["max_vocabulary"],
            threads=check_threads(self.threads),
            progress=wants_bar(self.progress),
        )
        epochs = recipe["epochs"]
        saver = Saver(checkpoint, about(class_name(type(self)), recipe, vocabulary, corpus))
        with Reporter(self.progress, epochs) as reporter, saver:
            arrays, losses, error = self._train(recipe, vocabulary, corpus, start, reporter, saver)
            finite = all(is_finite(a) for a in arrays.values() if a.dtype == np.float32)
            if not finite:
                saver.discard()
            if error is not None and not finite:
                raise error
            if not finite:
                rate = self._rate(recipe)
                raise ValueError(
                    f"`learning_rate`={rate:g} made the weights infinite; a smaller one is needed"
                )
            if error is None:  # an epoch of which thinning left nothing has no loss
                losses += [0.0] * (epochs - len(losses))
            for array in arrays.values():
                array.flags.writeable = False
            # All at once: a Ctrl-C finds the old model or the new one.
            for made in ("_wv", "_all", "_rules"):
                self.__dict__.pop(made, None)
            self.__dict__.update(
                vocabulary_=vocabulary,
                tokenizer_=tokenizer,
                losses_=losses,
                partial_=error is not None,
                n_documents_=corpus.n_documents,
                level_=_core.level(),
                _recipe=recipe,
                _arrays=arrays,
            )
            if error is not None:
                raise error
            saver.finish()
            reporter.finish(corpus.n_tokens * epochs, losses[-1])

    def _rate(self, recipe: dict[str, Any]) -> float:
        rate = recipe["learning_rate"]
        return self._default_learning_rate() if rate is None else float(rate)

    def _word_options(self, recipe: dict[str, Any]) -> _core.WordOptions:
        options = _core.WordOptions()
        for name in ("epochs", "window", "negatives", "subsample", "seed", "deterministic"):
            setattr(options, name, recipe[name])
        options.learning_rate = self._rate(recipe)
        options.threads = check_threads(self.threads)
        return options

    # Files

    def save(self, path: files.Path) -> None:
        """Save the fitted model, its vocabulary and its tokeniser as one file.

        A tokeniser that is a callable is not saved, for files hold no code: give it again to
        `load`. Neither are `progress` and `threads`.

        Parameters
        ----------
        path : path
            Where to; an old file there is replaced at once or not at all.

        Raises
        ------
        NotFittedError
            Before `fit`.
        OSError
            If the file cannot be written.
        """
        self._check_fitted()
        files.write_file(path, "model", *state(self))

    def _whole_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return state(self)

    @classmethod
    def _restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
        return restored(cls, header, arrays)
