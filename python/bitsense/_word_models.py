"""What the word models share: parameters, the corpus, the run of a training, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._check import check_threads
from ._model_file import class_name, is_finite
from ._progress import Reporter, check_progress, wants_bar
from ._saved_model import SavedModel
from ._saver import Saver, about
from ._training_corpus import training_corpus
from ._word_file import restored, state
from .checkpoints import Checkpoint, check_checkpoint
from .text import Corpus, Vocabulary

if TYPE_CHECKING:
    from typing_extensions import Self

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
    seed: int

    # Learned. Nothing here reads the parameters after `fit`, so `set_params` cannot break a model.
    level_: str
    _arrays: dict[str, Any]  # the tables by name; rows are padded with zeros

    # What a model adds.

    def _checked_parameters(self) -> dict[str, Any]:
        raise NotImplementedError

    def _default_learning_rate(self, recipe: dict[str, Any]) -> float:
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
        """Return the learned tables, the losses of the epochs, and what stopped the training.

        `start` is None, what `fit` was given, or the model itself where a training goes on.
        """
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
        tokenizer, vocabulary, corpus = training_corpus(
            documents, self.tokenizer, recipe, check_threads(self.threads), wants_bar(self.progress)
        )
        made: dict[str, Any] = {"tokenizer_": tokenizer, "_recipe": recipe, "_continued": []}
        self._run(recipe, (vocabulary, corpus), start, checkpoint, made)

    def partial_fit(
        self,
        documents: Any,
        y: Any = None,
        *,
        epochs: int | None = None,
        learning_rate: float | None = None,
        checkpoint: files.Path | Checkpoint | None = None,
    ) -> Self:
        """Go on learning from more documents, or from the same ones again.

        What the model has learned is where the training starts from. Words that reach `min_count`
        in these documents and are unknown are added, as far as `max_vocabulary` allows. The counts
        of words add up over all documents read, so that noise and thinning out are those of all the
        text. What occurs only in older documents keeps its vectors; its target vectors still serve
        as noise. The parameters are those of `fit`, whatever `set_params` has changed since, but
        for `threads` and `progress`.

        Parameters
        ----------
        documents
            As for `fit`, but for an `EncodedCorpus`, which has left rare words out.
        y : ignored
        epochs : int, optional
            Passes over these documents; by default as many as `fit` made.
        learning_rate : float, optional
            At the start; it falls linearly to zero. By default that of `fit`.
        checkpoint : path or Checkpoint, optional
            As for `fit`. To go on after an interruption, call it on the model as it was before:
            with a checkpoint an interrupted call leaves the model so.

        Returns
        -------
        self
            A model that was not fitted is fitted, with these epochs and this rate.

        Raises
        ------
        ValueError, TypeError
            If an argument is out of range, the documents are none or hold no word that the model
            knows or takes up, or the weights become infinite. The model is as before then.
        KeyboardInterrupt
            As for `fit`.

        Notes
        -----
        A word that is too rare in every single call stays unknown, however often it occurs in all
        of them. The documents of a call are seen together and the older ones not at all, so what is
        learned leans towards the new ones; fewer epochs or a lower rate lean less.

        Examples
        --------
        >>> from bitsense import Word2Vec
        >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
        >>> model = Word2Vec(dim=16, min_count=1, threads=1).fit(texts)
        >>> model = model.partial_fit(["a red apple and a green apple"] * 20, epochs=2)
        >>> "apple" in model.wv, len(model.losses_), model.n_documents_
        (True, 7, 80)
        """
        if not self.__sklearn_is_fitted__():
            return self._first_fit(documents, epochs, learning_rate, checkpoint)
        recipe = self._continued_recipe(epochs, learning_rate, checkpoint)
        more = self._grown(documents, recipe)
        training = {
            "documents": more.corpus.n_documents,
            "epochs": recipe["epochs"],
            "learning_rate": self._rate(recipe),
        }
        made = {"_continued": [*self._continued, training]}
        self._run(recipe, (more.vocabulary, more.corpus), self, checkpoint, made)
        return self

    def _run(
        self,
        recipe: dict[str, Any],
        data: tuple[Vocabulary, Corpus],
        start: Any,
        checkpoint: Any,
        made: dict[str, Any],
    ) -> None:
        """Train, and take over what was learned and made; after `start`, self, where it goes on."""
        (vocabulary, corpus), epochs = data, recipe["epochs"]
        goes_on = start is self
        saver = Saver(checkpoint, about(class_name(type(self)), recipe, vocabulary, corpus))
        with Reporter(self.progress, epochs) as reporter, saver:
            arrays, losses, error = self._train(recipe, vocabulary, corpus, start, reporter, saver)
            finite = all(is_finite(a) for a in arrays.values() if a.dtype == np.float32)
            if not finite:
                saver.discard()
            if error is not None and (not finite or (goes_on and saver.is_active)):
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
            for cached in ("_wv", "_all", "_rules"):
                self.__dict__.pop(cached, None)
            self.__dict__.update(
                made,
                vocabulary_=vocabulary,
                losses_=[*self.losses_, *losses] if goes_on else losses,
                partial_=error is not None,
                n_documents_=corpus.n_documents + (self.n_documents_ if goes_on else 0),
                level_=_core.level(),
                _arrays=arrays,
            )
            if error is not None:
                raise error
            saver.finish()
            reporter.finish(corpus.n_tokens * epochs, losses[-1])

    def _rate(self, recipe: dict[str, Any]) -> float:
        rate = recipe["learning_rate"]
        return self._default_learning_rate(recipe) if rate is None else float(rate)

    def _word_options(self, recipe: dict[str, Any]) -> _core.WordOptions:
        options = _core.WordOptions()
        for name in ("dim", "epochs", "window", "negatives", "subsample", "seed", "deterministic"):
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
