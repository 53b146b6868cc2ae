"""What all models that are trained on documents share: their display, pickles and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import files
from ._check import check_threads
from ._continued import Grown, grown, overrides
from ._estimator import Estimator
from ._model_file import missing_tokenizer
from ._progress import ProgressOption, check_progress, wants_bar
from .checkpoints import Checkpoint, check_checkpoint
from .errors import FormatError
from .text import Tokenizer, Vocabulary

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SavedModel"]

Splitter = Callable[[str], Sequence[str]]


class SavedModel(Estimator):
    """An estimator that learns from documents and lives in a file of kind "model"."""

    _takes_text = True

    tokenizer: Tokenizer | Splitter | None
    tokenizer_: Tokenizer | Splitter
    vocabulary_: Vocabulary
    losses_: list[float]
    partial_: bool
    n_documents_: int
    threads: int | None
    progress: ProgressOption
    _recipe: dict[str, Any]  # the checked parameters of the training, of JSON types
    _continued: list[dict[str, Any]]

    def fit(
        self,
        documents: Any,
        y: Any = None,
        *,
        checkpoint: files.Path | Checkpoint | None = None,
    ) -> Self:
        """Learn from documents."""
        raise NotImplementedError

    @property
    def continued_(self) -> list[dict[str, Any]]:
        """The calls of `partial_fit`: the `documents`, `epochs` and `learning_rate` of each."""
        self._check_fitted()
        return [dict(each) for each in self._continued]

    def _whole_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the header and the arrays that hold all that was learned."""
        raise NotImplementedError

    @classmethod
    def _restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes of a model, after checking everything about them."""
        raise NotImplementedError

    def _with(self, parameters: dict[str, Any]) -> Self:
        """Return a model of other parameters that shares all that was learned."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, **parameters)
        return twin

    # Going on: what every `partial_fit` begins with.

    def _first_fit(self, documents: Any, epochs: Any, learning_rate: Any, checkpoint: Any) -> Self:
        """Fit with other epochs and another rate, which are no parameters of the model then."""
        given = {"epochs": epochs, "learning_rate": learning_rate}
        model = self._with({name: value for name, value in given.items() if value is not None})
        try:
            model.fit(documents, checkpoint=checkpoint)
        finally:
            own = self.get_params(deep=False)
            self.__dict__.update({n: v for n, v in vars(model).items() if n not in own})
        return self

    def _continued_recipe(self, epochs: Any, learning_rate: Any, checkpoint: Any) -> dict[str, Any]:
        """Return the parameters of a training that goes on; all that it was given is checked."""
        check_progress(self.progress)
        check_checkpoint(checkpoint)
        return overrides(self._recipe, self._continued, epochs, learning_rate)

    def _grown(self, documents: Any, recipe: dict[str, Any], seen: int = 0) -> Grown:
        """Read documents, the first `seen` of which were counted before."""
        return grown(
            self.vocabulary_,
            documents,
            recipe,
            tokenizer=self.tokenizer_,
            threads=check_threads(self.threads),
            progress=wants_bar(self.progress),
            seen=seen,
        )

    def __repr__(self) -> str:
        shown = super().__repr__()
        if not self.__sklearn_is_fitted__():
            return shown
        stopped = f", stopped in epoch {max(1, len(self.losses_))}" if self.partial_ else ""
        words, extended = len(self.vocabulary_), vars(self).get("n_extended_", 0)
        added = f", extended by {extended:,}" if extended else ""
        documents = f"{self.n_documents_ - extended:,} documents{added}"
        return f"<{shown}: {words:,} words, fitted to {documents}{stopped}>"

    def __getstate__(self) -> dict[str, Any]:
        pickled: dict[str, Any] = {
            "parameters": {**self.get_params(deep=False), "progress": None},
            "output": vars(self).get("_sklearn_output_config"),
        }
        if self.__sklearn_is_fitted__():
            pickled["contents"] = files.write_bytes("model", *self._whole_state())
            pickled["tokenizer"] = self.tokenizer_
        return pickled

    def __setstate__(self, pickled: dict[str, Any]) -> None:
        if "contents" in pickled:
            self.__dict__.update(files.load_bytes(pickled["contents"]).__dict__)
            self.tokenizer_ = pickled["tokenizer"]
        if pickled["output"] is not None:
            self._sklearn_output_config = pickled["output"]
        self.__dict__.update(pickled["parameters"])

    @classmethod
    def load(cls, path: files.Path, *, tokenizer: Splitter | None = None) -> Self:
        """Load a model that `save` wrote; its tables stay in the mapped file.

        Parameters
        ----------
        path : path
        tokenizer : callable, optional
            The callable that the model was trained with, where it was one; needed only for texts,
            not for lists of tokens.

        Returns
        -------
        The fitted estimator.

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        ValueError
            If a tokeniser is given and the file holds the model's own.
        """
        if tokenizer is not None and not callable(tokenizer):
            raise TypeError(f"`tokenizer` must be a callable, got {type(tokenizer).__name__}")
        model = files.load(path)
        if not isinstance(model, cls):
            raise FormatError(f"{path}: holds a {type(model).__name__}, not a {cls.__name__}")
        if tokenizer is not None:
            if model.tokenizer_ is not missing_tokenizer:
                raise ValueError("`tokenizer` must be None: the file holds that of the model")
            model.tokenizer = model.tokenizer_ = tokenizer
        return model

    @classmethod
    def _from_state(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Self:
        model = cls.__new__(cls)
        model.__dict__.update(cls._restored(header, arrays))
        return model
