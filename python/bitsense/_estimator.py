"""What every estimator shares: parameters, display, fitted or not, scikit-learn's tags."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import check_option
from .errors import NotFittedError

__all__ = ["Estimator"]

# What other libraries call a parameter: gensim, fastText, word2vec.c, scikit-learn, faiss,
# sentence-transformers.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "vector_size": ("dim", "bits"),
    "size": ("dim", "bits"),
    "d": ("dim",),
    "n_components": ("bits", "dim"),
    "n_bits": ("bits",),
    "nbits": ("bits",),
    "num_bits": ("bits",),
    "code_size": ("bits",),
    "dimension": ("dim", "bits"),
    "dimensions": ("dim", "bits"),
    "embedding_dim": ("dim", "bits"),
    "max_vocab_size": ("max_vocabulary",),
    "max_final_vocab": ("max_vocabulary",),
    "max_features": ("max_vocabulary",),
    "vocab_size": ("max_vocabulary",),
    "ws": ("window",),
    "window_size": ("window",),
    "mincount": ("min_count",),
    "minCount": ("min_count",),
    "min_df": ("min_count",),
    "negative": ("negatives",),
    "neg": ("negatives",),
    "sample": ("subsample",),
    "t": ("subsample",),
    "epoch": ("epochs",),
    "iter": ("epochs", "iterations"),
    "n_iter": ("epochs", "iterations"),
    "max_iter": ("epochs", "iterations"),
    "alpha": ("learning_rate",),
    "lr": ("learning_rate",),
    "rate": ("learning_rate",),
    "workers": ("threads",),
    "thread": ("threads",),
    "n_jobs": ("threads",),
    "n_threads": ("threads",),
    "num_threads": ("threads",),
    "dm": ("mode",),
    "dm_mean": ("mode",),
    "dm_concat": ("mode",),
    "dbow_words": ("mode",),
    "sg": ("mode",),
    "hs": ("objective",),
    "loss": ("objective",),
    "batch_size": ("batch",),
    "verbose": ("progress",),
    "callbacks": ("progress",),
    "show_progress_bar": ("progress",),
    "model": ("mode",),
    "ngrams": ("tokenizer",),
    "wordNgrams": ("tokenizer",),
    "ngram_range": ("tokenizer",),
    "stop_words": ("tokenizer",),
    "lowercase": ("tokenizer",),
    "analyzer": ("tokenizer",),
    "random_state": ("seed",),
    "random_seed": ("seed",),
}


def parameter_names(cls: type) -> list[str]:
    """Return the names of the constructor's parameters, in its order."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    return [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]


def unknown_parameter(owner: str, name: str, known: list[str]) -> str:
    """Return the text of the error for a parameter that does not exist."""
    guesses = [ours for ours in SYNONYMS.get(name, ()) if ours in known]
    guesses += difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{guesses[0]}`?" if guesses else f"it has {', '.join(known) or 'none'}"
    return f"{owner} got an unknown parameter `{name}`; {hint}"


def _refuse_unknown(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap a constructor so that an unknown keyword is answered with a suggestion.

    `functools.wraps` leaves the signature as it was written, which scikit-learn, `help` and type
    checkers look at; a `**unknown` in it would be refused by scikit-learn.
    """
    known = [name for name in inspect.signature(init).parameters if name != "self"]

    @functools.wraps(init)
    def checked(self: Estimator, *args: Any, **params: Any) -> None:
        for name in params:
            if name not in known:
                raise TypeError(unknown_parameter(type(self).__name__, name, known))
        init(self, *args, **params)

    return checked


def _contained(transform: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method so that the matrix that it returns comes as `set_output` asked for."""

    @functools.wraps(transform)
    def method(self: Estimator, documents: Any, *args: Any, **options: Any) -> Any:
        result = transform(self, documents, *args, **options)
        if isinstance(result, tuple):
            return (self._in_container(result[0], documents), *result[1:])
        return self._in_container(result, documents)

    return method


class Estimator:
    """Base of the estimators: works with scikit-learn's tools and does not need scikit-learn.

    A subclass writes a constructor that only stores its parameters under their own names, checks
    them in `fit`, and stores what it learned under names with a trailing underscore.
    """

    # Whether `fit` takes texts (a sequence of strings) rather than a matrix.
    _takes_text = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = _refuse_unknown(cls.__init__)  # type: ignore[method-assign]
        for name in ("transform", "fit_transform"):
            if name in vars(cls):
                setattr(cls, name, _contained(vars(cls)[name]))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters as they were given.

        Parameters
        ----------
        deep : bool, default True
            Also return the parameters of parameters that are estimators, as `name__parameter`.
        """
        params = {name: getattr(self, name) for name in parameter_names(type(self))}
        if deep:
            for name, value in list(params.items()):
                if hasattr(value, "get_params") and not isinstance(value, type):
                    inner = value.get_params(deep=True)
                    params.update({f"{name}__{key}": item for key, item in inner.items()})
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters and return the estimator; what was learned stays until the next `fit`.

        Raises
        ------
        ValueError
            A parameter does not exist; the text suggests one that does. None is set then.
        """
        known = parameter_names(type(self))
        for name in params:
            head, _, rest = name.partition("__")
            if head not in known:
                raise ValueError(unknown_parameter(type(self).__name__, name, known))
            if rest and not hasattr(getattr(self, head), "set_params"):
                raise ValueError(f"`{head}` has no parameters of its own to set `{name}`")
        for name, value in params.items():
            head, _, rest = name.partition("__")
            if rest:
                getattr(self, head).set_params(**{rest: value})
            else:
                setattr(self, head, value)
        return self

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self).__init__).parameters
        shown = [
            f"{name}={value!r}"
            for name, value in self.get_params(deep=False).items()
            if repr(value) != repr(parameters[name].default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_is_fitted__(self) -> bool:
        return any(name.endswith("_") and not name.startswith("_") for name in vars(self))

    def _check_fitted(self) -> None:
        """Raise NotFittedError unless `fit` has been called."""
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call `fit` first")

    def set_output(self, *, transform: str | None = None) -> Any:
        """Choose what `transform` and `fit_transform` return: an array, or a data frame.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            An array, or a frame with the columns of `get_feature_names_out`; the index of a pandas
            column of texts is kept. None leaves it as it is.

        Returns
        -------
        self
        """
        if transform is not None:
            check_option("transform", transform, ("default", "pandas", "polars"))
            # Under this name scikit-learn's `clone` copies it.
            self._sklearn_output_config = {"transform": transform}
        return self

    def _in_container(self, result: Any, documents: Any) -> Any:
        kind = getattr(self, "_sklearn_output_config", {}).get("transform", "default")
        if kind == "default" or not isinstance(result, np.ndarray):
            return result
        names = list(self.get_feature_names_out())
        if kind == "polars":
            import polars  # type: ignore[import-not-found, unused-ignore]

            return polars.DataFrame(result, schema=names, orient="row")
        import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]

        is_pandas = isinstance(documents, (pandas.Series, pandas.DataFrame))
        return pandas.DataFrame(result, columns=names, index=documents.index if is_pandas else None)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns of `transform`, as scikit-learn asks for them.

        A column of packed codes is a byte, eight bits. `input_features` is ignored.
        """
        self._check_fitted()
        stem = type(self).__name__.lower()
        return np.array([f"{stem}{i}" for i in range(self._n_columns())], dtype=object)

    def _n_columns(self) -> int:
        """Return the number of columns of what `transform` returns."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags; only scikit-learn (1.6 or newer) calls this."""
        from sklearn import utils  # type: ignore[import-untyped, unused-ignore]

        return utils.Tags(
            estimator_type=None,
            target_tags=utils.TargetTags(required=False),
            transformer_tags=utils.TransformerTags() if hasattr(self, "transform") else None,
            input_tags=utils.InputTags(two_d_array=not self._takes_text, string=self._takes_text),
            non_deterministic=False,
        )
