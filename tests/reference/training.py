"""The training and inference of paragraph vectors, slowly and in float64.

It takes the plans (which documents, words and noise a block holds) from the engine and does all of
the arithmetic itself, one target at a time, straight from the formulas of cpp/train/objective.hpp.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

FIRST_SQUARE = 0.1
UNSEEN = 2**32 - 1


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def noise_probabilities(counts):
    weights = np.maximum(np.asarray(counts, dtype=np.float64), 1.0) ** 0.75
    return weights / weights.sum()


def forward(model, a):
    return (a > 0).astype(np.float64) if model == "binary-pv-dbow" else a.copy()


def backward(model, a, g):
    if model == "binary-pv-dbow":
        s = sigmoid(a)
        return g * s * (1.0 - s)
    return g


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
    hidden: np.ndarray
    output: np.ndarray
    bias: np.ndarray
    squares: dict = field(default_factory=dict)

    def __post_init__(self):
        self.q = noise_probabilities(self.counts)
        for name in ("hidden", "output", "bias"):
            self.squares[name] = np.full(getattr(self, name).shape, FIRST_SQUARE)

    def descend(self, name, row, gradient, rate):
        values, squares = getattr(self, name), self.squares[name]
        if self.optimizer == "sgd" and name != "hidden":
            values[row] -= rate * gradient
            return
        squares[row] += gradient**2
        values[row] -= rate * gradient / np.sqrt(squares[row])

    def step(self, plan, dropout=None):
        """Train on one plan; return the sum of the losses of its targets."""
        rate = self.learning_rate * max(1e-4, 1.0 - plan["progress"])
        noise, times = plan["noise"], plan["noise_times"].astype(np.float64)
        draws = times.sum()
        hidden = np.array([forward(self.model, self.hidden[d]) for d in plan["documents"]])
        hidden_gradient = np.zeros_like(hidden)
        output_gradient = np.zeros_like(self.output)
        bias_gradient = np.zeros_like(self.bias)
        contributions = np.zeros(len(self.bias))
        loss = 0.0
        for target, run in zip(plan["targets"], plan["target_run"], strict=True):
            others = noise != target
            rows = noise[others]
            h = hidden[run]
            target_loss, g_target, g_noise = target_gradients(
                self.objective,
                self.output[target] @ h + self.bias[target],
                self.output[rows] @ h + self.bias[rows],
                times[others],
                self.q[target],
                self.q[rows],
                draws,
                self.negatives,
            )
            loss += target_loss
            hidden_gradient[run] += g_target * self.output[target] + g_noise @ self.output[rows]
            output_gradient[target] += g_target * h
            output_gradient[rows] += np.outer(g_noise, h)
            bias_gradient[target] += g_target
            bias_gradient[rows] += g_noise
            contributions[target] += 1
        for run, document in enumerate(plan["documents"]):
            g = backward(self.model, self.hidden[document], hidden_gradient[run])
            self.descend("hidden", document, g, rate * self.document_rate)
        for row in np.union1d(noise, plan["targets"]):
            scale = 1.0
            if self.optimizer == "sgd" and contributions[row] > 32:
                scale = 32 / contributions[row]
            self.descend("output", row, scale * output_gradient[row], rate)
            self.descend("bias", row, scale * bias_gradient[row], rate)
        return loss


def quantile_noise(counts, draws):
    """The words at evenly spaced quantiles of the noise distribution, and how often each."""
    edges = np.cumsum(noise_probabilities(counts))
    edges[-1] = 2.0
    words = np.searchsorted(edges, (np.arange(draws) + 0.5) / draws, side="right")
    return np.unique(words, return_counts=True)


def infer(model, objective, output, bias, counts, words, *, noise, iterations, rate, negatives):
    """Infer the hidden vector of one document."""
    q = noise_probabilities(counts)
    noise_words, times = quantile_noise(counts, noise)
    a = np.zeros(output.shape[1])
    squares = np.full(output.shape[1], FIRST_SQUARE)
    for step in range(iterations):
        h = forward(model, a)
        g = np.zeros_like(a)
        for target in words:
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
            g += g_target * output[target] + g_noise @ output[rows]
        g = backward(model, a, g)
        squares += g**2
        a -= rate * (1 - step / iterations) * g / np.sqrt(squares)
    return a
