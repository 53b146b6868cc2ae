"""One training of a paragraph-vector model by the engine, or two where the second knows neighbours.

An encoder that is told of neighbours is trained twice. After the first training every document is
encoded, its nearest documents are looked for (a shortlist by the signs, in order of the cosine),
and the second training begins anew and predicts some of their words too (docs/models.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._model_file import is_finite
from ._word_file import padded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._progress import Reporter
    from ._saver import Saver
    from .text import Corpus

__all__ = ["Begun", "Tables", "Task", "Trained", "nearest_documents"]

FloatArray = npt.NDArray[np.float32]
_SHORTLIST = 20  # candidates by Hamming distance for each neighbour that is wanted
_SLICE = 4096  # documents whose neighbours are looked for at a time


class Tables(NamedTuple):
    """What a model has learned: padded rows, and none where a model has no such table."""

    hidden: FloatArray
    output: FloatArray
    bias: FloatArray
    context: FloatArray
    projection: FloatArray


class Trained(NamedTuple):
    """The tables, the loss of each epoch, and what stopped the training, if anything did."""

    tables: Tables
    losses: list[float]
    error: BaseException | None


class Begun(NamedTuple):
    """What a model has learned, where its training goes on."""

    tables: Tables
    """Of the documents those rows that belong to the first ones of the training."""
    ids: npt.NDArray[np.int64]
    """The id that each of its words has now."""
    first: int
    """The row of the first document among those of the model."""

    def fill(self, state: _core.TrainState) -> None:
        """Copy it to where it belongs in the tables of a training."""
        tables = Tables(*state.tables())
        for name in ("output", "bias", "context"):
            if len(getattr(tables, name)):
                getattr(tables, name)[self.ids] = getattr(self.tables, name)
        if len(tables.projection):
            tables.projection[:] = self.tables.projection
        if len(tables.hidden):
            tables.hidden[: len(self.tables.hidden)] = self.tables.hidden


class Task(NamedTuple):
    """All that the engine is told of a training."""

    model: str
    corpus: Corpus
    counts: npt.NDArray[np.uint64]
    shape: _core.Shape
    init: _core.InitOptions
    options: _core.TrainOptions
    begun: Begun | None = None

    def run(
        self, reporter: Reporter, idf: FloatArray | None, recipe: dict[str, Any], saver: Saver
    ) -> Trained:
        """Train, and an encoder, which has `idf`, by `recipe` a second time."""
        if idf is None:
            return self._train(reporter.watch, saver)
        neighbors, weight = recipe["neighbors"], recipe["neighbor_weight"]
        if self.begun is not None:
            return self._continue_encoder(reporter.watch, idf, neighbors, weight, saver)
        return self._run_encoder(reporter, idf, neighbors, weight, saver)

    def _run_encoder(
        self, reporter: Reporter, idf: FloatArray, neighbors: int, weight: float, saver: Saver
    ) -> Trained:
        """Train an encoder, and with `neighbors` a second time; its documents get their vectors."""
        neighbors = min(neighbors, self.corpus.n_documents - 1)
        parts = 2 if neighbors > 0 and weight > 0 else 1
        words = self.corpus.n_tokens * self.options.epochs
        saved = saver.found(1) if parts == 2 else {}
        if saved:
            first, near = self._first_of(saved, neighbors)
            first = self._encoded(first, idf)
        else:
            first = self._encoded(self._train(reporter.part(0, parts, words), saver), idf)
            if parts == 1 or first.error is not None:
                return first
            try:
                near = nearest_documents(
                    first.tables.hidden[:, : self.shape.dim], neighbors, self.options.threads
                )
            except KeyboardInterrupt as error:
                return first._replace(error=error)
        second = self._train(reporter.part(1, parts, words), saver, first, near, weight)
        if second.error is not None:  # begun anew, so the first one has learned more
            return first._replace(error=second.error)
        return self._encoded(second, idf)

    def _continue_encoder(
        self, watch: Any, idf: FloatArray, neighbors: int, weight: float, saver: Saver
    ) -> Trained:
        """Train once: the neighbours are those that the encoder finds as it is."""
        state, near = self._state(), None
        state.idf = idf.tolist()
        neighbors = min(neighbors, self.corpus.n_documents - 1)
        if neighbors > 0 and weight > 0:
            hidden = self._encode(Tables(*state.tables()), idf)
            near = nearest_documents(hidden[:, : self.shape.dim], neighbors, self.options.threads)
        return self._encoded(self._train(watch, saver, None, near, weight, state), idf)

    def _first_of(
        self, saved: Mapping[str, Any], neighbors: int
    ) -> tuple[Trained, npt.NDArray[np.uint32]]:
        """Return the first training and the neighbours that a checkpoint of the second holds."""
        arrays = {name: np.array(array) for name, array in saved.items()}  # not of the mapped file
        near = files.require_array(arrays, "near", "uint32", self.corpus.n_documents, neighbors)
        words, width = len(self.counts), padded(self.shape.dim)
        losses = files.require_array(arrays, "first_losses", "float64", self.options.epochs)
        none = np.zeros((0, 0), np.float32)
        tables = Tables(
            none,
            files.require_array(arrays, "first_output", "float32", words, width),
            files.require_array(arrays, "first_bias", "float32", words),
            files.require_array(arrays, "first_context", "float32", words, width),
            none,
        )
        return Trained(tables, losses.tolist(), None), near

    def _train(
        self,
        watch: Any,
        saver: Saver,
        first: Trained | None = None,
        near: npt.NDArray[np.uint32] | None = None,
        weight: float = 0.0,
        state: _core.TrainState | None = None,
    ) -> Trained:
        if state is None and (saver.is_active or self.begun is not None):
            state = self._state()
        if state is not None and saver.is_active:
            self._begin(saver, state, first, near)
        more = () if state is None else (None, state)
        *tables, losses, error = _core.train(
            self.model,
            self.corpus.ids,
            self.corpus.offsets,
            self.counts,
            self.shape,
            self.init,
            self.options,
            saver.watch(watch),
            near,
            weight,
            *more,
        )
        learned = Tables(*tables)
        if state is not None and saver.is_active:
            saver.now(lambda: _named(learned, Tables(*state.squares())))
        if not all(map(is_finite, tables)):
            saver.discard()
            raise error or ValueError(
                f"`learning_rate`={self.options.learning_rate:g} made the weights infinite; a "
                "smaller one is needed"
            )
        if error is None:  # an epoch of which thinning left nothing has no loss
            losses += [0.0] * (self.options.epochs - len(losses))
        return Trained(learned, losses, saver.stopped(error))

    def _state(self) -> _core.TrainState:
        """Return the tables of a training before it begins."""
        state = _core.TrainState(
            self.model,
            self.corpus.n_documents,
            self.counts,
            self.shape,
            self.init,
            self.options,
        )
        if self.begun is not None:
            self.begun.fill(state)
        return state

    def _begin(
        self,
        saver: Saver,
        state: _core.TrainState,
        first: Trained | None,
        near: npt.NDArray[np.uint32] | None,
    ) -> None:
        """Restore what was saved of a training, or save it for the first time."""
        if self.begun is not None:
            saver.start_with(_named(Tables(*state.tables())))
        beside: dict[str, Any] = {}
        if first is not None:
            beside = {
                "first_output": first.tables.output,
                "first_bias": first.tables.bias,
                "first_context": first.tables.context,
                "first_losses": np.array(first.losses),
                "near": near,
            }
        saver.begin(
            state.position,
            lambda: _named(Tables(*state.tables()), Tables(*state.squares())),
            part=int(first is not None),
            beside=beside,
        )

    def _encoded(self, trained: Trained, idf: FloatArray) -> Trained:
        """Give the documents their vectors, without which nothing that was learned can be kept."""
        try:
            hidden = self._encode(trained.tables, idf)
        except KeyboardInterrupt as error:  # so it is done even then: it takes one pass
            trained = trained._replace(error=trained.error or error)
            hidden = self._encode(trained.tables, idf)
        return trained._replace(tables=trained.tables._replace(hidden=hidden))

    def _encode(self, tables: Tables, idf: FloatArray) -> FloatArray:
        options = _core.InferOptions()
        options.threads = self.options.threads
        values = _core.infer(
            self.model,
            self.corpus.ids,
            self.corpus.offsets,
            self.counts,
            tables.output,
            tables.bias,
            tables.context,
            tables.projection,
            idf,
            self.shape,
            options,
        )
        hidden = np.zeros((len(values), tables.output.shape[1]), np.float32)
        hidden[:, : self.shape.dim] = values
        return hidden


def _named(tables: Tables, squares: Tables | None = None) -> dict[str, FloatArray]:
    """Return the tables that a model has, and their squares, by the names of a checkpoint."""
    named = tables._asdict()
    if squares is not None:
        named |= {f"squares_{name}": each for name, each in squares._asdict().items()}
    return {name: table for name, table in named.items() if len(table)}


def nearest_documents(vectors: FloatArray, k: int, threads: int) -> npt.NDArray[np.uint32]:
    """Return the k documents nearest to each by cosine, but itself: uint32, shape (n, k), k < n.

    Exact among a shortlist of 20 k by the signs of the centred values.
    """
    from .search import TwoStageIndex

    codes = np.packbits(vectors > vectors.mean(axis=0, dtype=np.float64), axis=1)
    index = TwoStageIndex(codes, vectors)
    found = np.empty((len(vectors), k), np.uint32)
    for first in range(0, len(vectors), _SLICE):
        last = min(first + _SLICE, len(vectors))
        rows, _ = index.search(
            codes[first:last],
            vectors[first:last],
            k + 1,
            shortlist=min(_SHORTLIST * k, len(vectors)),
            threads=threads,
        )
        others = rows != np.arange(first, last)[:, None]
        others[others.all(axis=1), -1] = False  # equals of a document may hide it
        found[first:last] = rows[others].reshape(last - first, k)
    return found
