"""The trainings of paragraph vectors: their run, and how one continues another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from . import _core, files
from ._check import check_count
from ._continued import Grown
from ._document_methods import DocumentMethods, FloatArray
from ._model_file import class_name
from ._modes import Mode
from ._progress import Reporter
from ._saver import Saver, about
from ._training import Begun, Tables, Task, Trained
from .checkpoints import Checkpoint
from .text import Corpus, Vocabulary

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DocumentTrainings"]


class DocumentTrainings(DocumentMethods):
    """What `ParagraphVectors` does with documents that it learns from."""

    # What it needs, as `ParagraphVectors` describes it.
    _modes: ClassVar[dict[str, Mode]]
    _output: FloatArray
    _bias: FloatArray
    _context: FloatArray
    _projection: FloatArray
    _idf: FloatArray | None
    _offset: FloatArray | None

    def _train_options(self, checked: dict[str, Any]) -> _core.TrainOptions:
        raise NotImplementedError

    def _init_options(self, checked: dict[str, Any]) -> _core.InitOptions:
        raise NotImplementedError

    @classmethod
    def _shape(cls, recipe: dict[str, Any]) -> _core.Shape:
        raise NotImplementedError

    def _binarised(
        self, trained: Trained, recipe: dict[str, Any]
    ) -> tuple[Trained, FloatArray | None]:
        raise NotImplementedError

    # The run

    def _task(
        self,
        recipe: dict[str, Any],
        vocabulary: Vocabulary,
        corpus: Corpus,
        options: _core.TrainOptions,
        begun: Begun | None = None,
    ) -> Task:
        options.batch = min(options.batch, corpus.n_documents)
        model = self._modes[recipe["mode"]].model
        shape, init = self._shape(recipe), self._init_options(recipe)
        return Task(model, corpus, vocabulary.counts, shape, init, options, begun)

    def _run(
        self,
        task: Task,
        recipe: dict[str, Any],
        vocabulary: Vocabulary,
        idf: FloatArray | None,
        checkpoint: Any,
        made: dict[str, Any],
    ) -> None:
        """Train, and take over what was learned and made."""
        mode, goes_on = self._modes[recipe["mode"]], task.begun is not None
        saver = Saver(checkpoint, about(class_name(type(self)), recipe, vocabulary, task.corpus))
        with Reporter(self.progress, task.options.epochs) as reporter, saver:
            trained = task.run(reporter, idf, recipe, saver)
            if goes_on and saver.is_active and trained.error is not None:
                raise trained.error
            (tables, losses, error), offset = self._completed(trained, recipe, goes_on)
            error = saver.stopped(error)
            hidden = self._all_hidden(tables.hidden, task.begun)
            for array in (*tables, hidden, idf, offset):
                if array is not None:
                    array.flags.writeable = False
            # All at once: a Ctrl-C finds the old model or the new one.
            self.__dict__.update(
                made,
                vocabulary_=vocabulary,
                losses_=[*self.losses_, *losses] if goes_on else losses,
                partial_=error is not None,
                _certificate=None,
                level_=_core.level(),
                _inference={"noise": mode.noise, "learning_rate": mode.infer_rate},
                _hidden=hidden,
                _output=tables.output,
                _bias=tables.bias,
                _context=tables.context,
                _projection=tables.projection,
                _idf=idf,
                _offset=offset,
            )
            if error is not None:
                raise error
            saver.finish()
            reporter.finish(task.corpus.n_tokens * task.options.epochs, losses[-1])

    def _completed(
        self, trained: Trained, recipe: dict[str, Any], goes_on: bool
    ) -> tuple[Trained, FloatArray | None]:
        """Return what was trained with the projection that turns its vectors into codes.

        A training that goes on keeps the projection that was found after the first one, so that
        its codes stay near those before.
        """
        if not (goes_on and self._modes[recipe["mode"]].encoder):
            return self._binarised(trained, recipe)
        tables = trained.tables._replace(projection=self._projection)
        return trained._replace(tables=tables), self._offset

    # Going on

    def partial_fit(
        self,
        documents: Any,
        y: Any = None,
        *,
        first: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        checkpoint: files.Path | Checkpoint | None = None,
    ) -> Self:
        """Go on learning from more documents, or from the same ones again.

        What the model has learned of words is where the training starts from. Words that reach
        `min_count` in these documents and are unknown are added, as far as `max_vocabulary` allows.
        The counts of words add up over all documents read, so that noise, thinning out and the
        weights of an encoder are those of all the text. The parameters are those of `fit`, whatever
        `set_params` has changed since, but for `threads` and `progress`.

        Parameters
        ----------
        documents
            As for `fit`, but for an `EncodedCorpus`, which has left rare words out.
        y : ignored
        first : int, optional
            The row of `document_vectors_` that is the first document's; the others follow. Rows
            that exist are where their documents start from, and their words are not counted again.
            So 0, with the documents of `fit` and new ones behind them, continues the training of
            all. By default all documents are new, and their rows come after those that exist.
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
            knows or takes up, the weights become infinite, or `first` is given and the model's file
            held no `document_vectors_`. The model is as before then.
        KeyboardInterrupt
            As for `fit`.

        See Also
        --------
        extend : Adds documents without changing what is known of words.

        Notes
        -----
        Vectors and codes that were made before are those of the model as it was: make anew what is
        to be compared. That goes for the rows of `document_vectors_` that are not trained here too;
        `transform` infers all documents by the model as it is. AdaGrad's sums of squares begin
        anew, for no file holds them. An encoder with `neighbors` is trained once, not twice, with
        neighbours that it finds as it is; codes by ITQ keep their rotation. `certificate_` is gone.

        Examples
        --------
        >>> from bitsense import BinaryParagraphVector
        >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
        >>> model = BinaryParagraphVector(bits=16, min_count=1, threads=1).fit(texts)
        >>> model = model.partial_fit(["a red apple and a green apple"] * 20, epochs=2)
        >>> "apple" in model.vocabulary_, len(model.losses_), model.n_documents_
        (True, 12, 80)
        """
        if not self.__sklearn_is_fitted__():
            if first is not None:
                check_count("first", first, least=0, most=0)
            return self._first_fit(documents, epochs, learning_rate, checkpoint)
        recipe = self._continued_recipe(epochs, learning_rate, checkpoint)
        place = self._first_row(first)
        seen = max(0, self._trained_rows() - place)
        options = self._with(recipe)._train_options(recipe)
        more = self._grown(documents, recipe, seen)
        end = place + more.corpus.n_documents
        training = {
            "documents": more.corpus.n_documents,
            "epochs": options.epochs,
            "learning_rate": recipe["learning_rate"] or options.learning_rate,
        }
        extended = min(end, self.n_documents_) - max(place, self._trained_rows())
        made = {
            "n_documents_": max(self.n_documents_, end),
            "n_extended_": self.n_extended_ - max(0, extended),
            "_continued": [*self._continued, training],
        }
        rows = self._output[:0] if self._hidden is None else self._hidden[place:end]
        tables = Tables(rows, self._output, self._bias, self._context, self._projection)
        begun = Begun(tables, more.ids, place)
        task = self._task(recipe, more.vocabulary, more.corpus, options, begun)
        self._run(task, recipe, more.vocabulary, self._more_idf(more, seen), checkpoint, made)
        return self

    def _trained_rows(self) -> int:
        """Return how many documents a training has seen; those of `extend` are the last ones."""
        return self.n_documents_ - self.n_extended_

    def _first_row(self, first: Any) -> int:
        """Return the row of the first document, checked."""
        if first is None:
            return self.n_documents_
        row = check_count("first", first, least=0, most=self.n_documents_)
        if self._hidden is None:
            raise ValueError(
                "`first` must be None: the file of this model holds no `document_vectors_`; save "
                "it with documents=True"
            )
        return row

    def _all_hidden(self, trained: FloatArray, begun: Begun | None) -> FloatArray | None:
        """Return the rows of all documents, among them those that were trained."""
        if begun is None or self._hidden is None:
            return None if begun is not None else trained
        last = begun.first + len(trained)
        return np.concatenate([self._hidden[: begun.first], trained, self._hidden[last:]])

    def _more_idf(self, more: Grown, seen: int) -> FloatArray | None:
        """Return the idf of an encoder's words over all documents that were counted.

        How many documents hold a word follows from its idf, log(1 + documents / holders).
        """
        if self._idf is None:
            return None
        words, before = len(more.vocabulary), self._trained_rows()
        holders = np.zeros(words)
        holders[more.ids] = np.rint(before / np.expm1(self._idf.astype(np.float64)))
        offsets = more.corpus.offsets[min(seen, more.corpus.n_documents) :]
        ids = more.corpus.ids[int(offsets[0]) :]
        added = len(offsets) - 1
        if added:
            idf = _core.inverse_frequencies(ids, offsets - offsets[0], words).astype(np.float64)
            occurs = np.bincount(ids, minlength=words) > 0
            holders[occurs] += np.rint(added / np.expm1(idf[occurs]))
        idf_of_all = np.ones(words, np.float32)
        held = holders > 0
        idf_of_all[held] = np.log1p((before + added) / holders[held])
        return idf_of_all
