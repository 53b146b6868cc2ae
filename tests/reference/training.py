"""The training and inference of paragraph vectors, slowly and in float64.

It takes the plans (which documents, words and noise a block holds) from the engine and does all of
the arithmetic itself, one target at a time, straight from the formulas of cpp/train/objective.hpp.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import encoders
from .compositions import compose, send_back, sigmoid

FIRST_SQUARE = 0.1
UNSEEN = 2**32 - 1


def noise_probabilities(counts):
    weights = np.maximum(np.asarray(counts, dtype=np.float64), 1.0) ** 0.75
    return weights / weights.sum()


def softmax_loss(z_target, z_noise, times, q_target, q_noise, draws):
    """Sampled softmax of one target; noise that equals the target must have been left out."""
    e_target = np.exp(z_target - np.log(draws * q_target))
    e_noise = times * np.exp(z_noise - np.log(draws * q_noise))
    return -np.log(e_target / (e_target + e_noise.sum()))


def sampling_loss(z_target, z_noise, times, negatives, draws):
    """Negative sampling of one target; noise that equals the target must have been left out."""
    share = negatives / draws
    return np.logaddexp(0.0, -z_target) + (share * times * np.logaddexp(0.0, z_noise)).sum()


def target_gradients(objective, z_target, z_noise, times, q_target, q_noise, draws, negatives):
    """Return loss, dloss/dz_target and dloss/dz_noise."""
    if objective == "softmax":
        e_target = np.exp(z_target - np.log(draws * q_target))
        e_noise = times * np.exp(z_noise - np.log(draws * q_noise))
        total = e_target + e_noise.sum()
        loss = softmax_loss(z_target, z_noise, times, q_target, q_noise, draws)
        return loss, e_target / total - 1.0, e_noise / total
    share = negatives / draws
    loss = sampling_loss(z_target, z_noise, times, negatives, draws)
    return loss, sigmoid(z_target) - 1.0, share * times * sigmoid(z_noise)


@dataclass
class Twin:
    """The parameters of a training and their optimiser."""

    model: str
    objective: str
    optimizer: str
    negatives: int
    learning_rate: float
    document_rate: float
    counts: np.ndarray
    hidden: np.ndarray | None
    output: np.ndarray
    bias: np.ndarray
    context: np.ndarray | None = None
    projection: np.ndarray | None = None
    context_rate: float = 1.0
    projection_rate: float = 1.0
    round_words: bool = True
    squares: dict = field(default_factory=dict)

    def __post_init__(self):
        self.q = noise_probabilities(self.counts)
        for name in ("hidden", "output", "bias", "context", "projection"):
            if getattr(self, name) is not None:
                self.squares[name] = np.full(getattr(self, name).shape, FIRST_SQUARE)

    def descend(self, name, row, gradient, rate):
        values, squares = getattr(self, name), self.squares[name]
        if self.optimizer == "sgd" and name not in ("hidden", "projection"):
            values[row] -= rate * gradient
            return
        squares[row] += gradient**2
        values[row] -= rate * gradient / np.sqrt(squares[row])

    def words_of(self, plan, run):
        """Return the rows of the words around the target of a run, and their ids."""
        slots = len(plan["context"]) // len(plan["documents"])
        ids = plan["context"][run * slots : (run + 1) * slots]
        return [None if word == UNSEEN else self.context[word] for word in ids], ids

    def inputs_of(self, plan, run):
        """Return the weights of the words that a document is the sum of, and their ids."""
        here = (plan["target_run"] == run) & (plan["target_input"] > 0)
        return plan["target_input"][here].astype(np.float64), plan["targets"][here]

    def compose(self, plan, run):
        if self.model in encoders.ENCODERS:
            x, words = self.inputs_of(plan, run)
            return encoders.compose(self.model, x, self.context[words])
        width = 0 if self.context is None else self.context.shape[1]
        return compose(
            self.model, self.hidden[plan["documents"][run]], self.words_of(plan, run)[0],
            self.projection, self.round_words, width=width,
        )  # fmt: skip

    def step(self, plan):
        """Train on one plan; return the sum of the losses of its targets."""
        rate = self.learning_rate * max(1e-4, 1.0 - plan["progress"])
        hidden = np.array([self.compose(plan, run) for run in range(len(plan["documents"]))])
        asked = {name: np.zeros_like(getattr(self, name)) for name in self.squares}
        hidden_gradient = np.zeros_like(hidden)
        contributions = np.zeros(len(self.bias))
        loss = 0.0
        weights = self.weights(plan)
        for target, run, weight in zip(plan["targets"], plan["target_run"], weights, strict=True):
            loss += self.score(plan, target, weight, hidden[run], hidden_gradient[run], asked)
            contributions[target] += 1
        uses = self.take_back(plan, hidden_gradient, asked)
        for document in [] if self.hidden is None else np.unique(plan["documents"]):
            self.descend("hidden", document, asked["hidden"][document], rate * self.document_rate)
        for row in np.union1d(plan["noise"], plan["targets"]):
            scale = self.brake(contributions[row])
            self.descend("output", row, scale * asked["output"][row], rate)
            self.descend("bias", row, scale * asked["bias"][row], rate)
        for row in np.flatnonzero(uses):
            gradient = self.brake(uses[row]) * asked["context"][row]
            self.descend("context", row, gradient, rate * self.context_rate)
        if self.projection is not None:
            self.descend("projection", ..., asked["projection"], rate * self.projection_rate)
        return loss

    def brake(self, contributions):
        return 32 / contributions if self.optimizer == "sgd" and contributions > 32 else 1.0

    @staticmethod
    def weights(plan):
        """Return how much each target counts."""
        given = plan["target_weight"].astype(np.float64)
        return given if len(given) else np.ones(len(plan["targets"]))

    def score(self, plan, target, weight, h, pull, asked):
        """Add the gradients of one target; return its loss."""
        times = plan["noise_times"].astype(np.float64)
        others = plan["noise"] != target
        rows = plan["noise"][others]
        loss, g_target, g_noise = target_gradients(
            self.objective,
            self.output[target] @ h + self.bias[target],
            self.output[rows] @ h + self.bias[rows],
            times[others],
            self.q[target],
            self.q[rows],
            times.sum(),
            self.negatives,
        )
        loss, g_target, g_noise = weight * loss, weight * g_target, weight * g_noise
        pull += g_target * self.output[target] + g_noise @ self.output[rows]
        asked["output"][target] += g_target * h
        asked["output"][rows] += np.outer(g_noise, h)
        asked["bias"][target] += g_target
        asked["bias"][rows] += g_noise
        return loss

    def take_back(self, plan, hidden_gradient, asked):
        """Add the gradients of the inputs; return how often each word stood around a target."""
        uses = np.zeros(len(self.bias))
        if self.model in encoders.ENCODERS:
            for run in range(len(plan["documents"])):
                x, words = self.inputs_of(plan, run)
                asked["context"][words] += encoders.send_back(
                    self.model, hidden_gradient[run], x, self.context[words]
                )
                uses[words] = 1  # never braked: the squares of a document's weights sum to 1
            return uses
        for run, document in enumerate(plan["documents"]):
            words, ids = self.words_of(plan, run)
            row, pulls, projection = send_back(
                self.model, hidden_gradient[run], self.hidden[document], words, self.projection
            )
            asked["hidden"][document] += row
            for word, pull in zip(ids, pulls, strict=True):
                if word != UNSEEN:
                    asked["context"][word] += pull
                    uses[word] += 1
            if projection is not None:
                asked["projection"] += projection
        return uses


def quantile_noise(counts, draws):
    """The words at evenly spaced quantiles of the noise distribution, and how often each."""
    edges = np.cumsum(noise_probabilities(counts))
    edges[-1] = 2.0
    words = np.searchsorted(edges, (np.arange(draws) + 0.5) / draws, side="right")
    return np.unique(words, return_counts=True)


def words_around(words, place, width, context):
    """Return the rows of the words around a place of a document, None beyond its ends."""
    places = [*range(place - width, place), *range(place + 1, place + width + 1)]
    return [context[words[i]] if 0 <= i < len(words) else None for i in places]


def infer(
    model, objective, output, bias, counts, words, *, noise, iterations, rate, negatives, dim,
    width=0, context=None, projection=None, round_words=True,
):  # fmt: skip
    """Infer the row of one document."""
    q = noise_probabilities(counts)
    word_dim = 0 if context is None else context.shape[1]
    noise_words, times = quantile_noise(counts, noise)
    r = np.zeros(dim)
    squares = np.full(dim, FIRST_SQUARE)
    for step in range(iterations):
        g = np.zeros(dim)
        for place, target in enumerate(words):
            around = words_around(words, place, width, context)
            h = compose(model, r, around, projection, round_words, width=word_dim)
            others = noise_words != target
            rows = noise_words[others]
            _, g_target, g_noise = target_gradients(
                objective,
                output[target] @ h + bias[target],
                output[rows] @ h + bias[rows],
                times[others].astype(np.float64),
                q[target],
                q[rows],
                float(noise),
                negatives,
            )
            pull = g_target * output[target] + g_noise @ output[rows]
            g += send_back(model, pull, r, around, projection)[0]
        squares += g**2
        r -= rate * (1 - step / iterations) * g / np.sqrt(squares)
    return r
