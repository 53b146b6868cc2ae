"""The training of the disambiguated skip-gram, slowly and in float64, one pair at a time.

It takes the plans from the engine and does all of the arithmetic itself, from the formulas of
cpp/models/disambiguated_skip_gram.hpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .word_training import pair_loss, sigmoid

RUN = 8  # centres that share their noise
GUMBEL_BITS = 12
MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(x):
    """The finaliser of SplitMix64."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def stream(seed, a, b=0):
    x = mix((seed + GAMMA) & MASK)
    return mix((mix((x + (a + 1) * GAMMA) & MASK) + (b + 1) * GAMMA) & MASK)


def gumbel(seed, centre, count):
    """Noise of a centre: quantiles of the Gumbel distribution, chosen by SplitMix64."""
    state, drawn = stream(seed, centre), []
    for _ in range(count):
        state = (state + GAMMA) & MASK
        u = ((mix(state) >> (64 - GUMBEL_BITS)) + 0.5) / 2**GUMBEL_BITS
        drawn.append(-np.log(-np.log(u)))
    return np.array(drawn)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def entropy(z):
    return -(z * np.log(np.maximum(z, 1e-9))).sum()


@dataclass
class SenseTwin:
    """The tables of a training and what it is told."""

    options: object
    offsets: np.ndarray
    senses: np.ndarray
    output: np.ndarray
    gate: np.ndarray
    gate_bias: np.ndarray
    shared_gate: np.ndarray
    shared_bias: np.ndarray

    def stage(self, plan):
        """Return whether the gate is shared, and the temperature."""
        o = self.options
        if plan["progress"] < o.shared_until:
            return True, 1.0
        part = (plan["progress"] - o.shared_until) / (1 - o.shared_until)
        return False, 1 - (1 - o.temperature) * min(1.0, part / o.annealed_after)

    def rows(self, word):
        return np.arange(int(self.offsets[word]), int(self.offsets[word + 1]))

    def context(self, plan, c):
        """The mean of the words around a centre, scaled to length 1."""
        at, _, _, begin, end = plan["centres"][c]
        window = self.options.gate_window
        around = [j for j in range(max(begin, at - window), min(end, at + window + 1)) if j != at]
        total = self.output[plan["tokens"][around]].sum(axis=0)
        length = np.linalg.norm(total)
        return total / length if length > 1e-6 else 0 * total

    def mixture(self, plan, c, context):
        """z of a centre, and the softmax of its logits."""
        shared, tau = self.stage(plan)
        rows = self.rows(plan["tokens"][plan["centres"][c][0]])
        if len(rows) == 1:
            return np.ones(1)
        k = np.arange(len(rows))
        logits = (self.gate[rows] + self.shared_gate[k]) @ context
        logits += self.gate_bias[rows] + self.shared_bias[k]
        if not shared:
            logits = (logits + gumbel(plan["seed"], c, len(rows))) / tau
        return softmax(logits)

    def pairs(self, plan, begin, end):
        """Yield (centre, word, label, weight) of a block."""
        tokens, noise = plan["tokens"], plan["noise"].reshape(-1, self.options.negatives)
        for run in range(begin, end, RUN):
            last = min(run + RUN, end)
            for c in range(run, last):
                at, first, stop = plan["centres"][c][:3]
                yield from ((c, tokens[j], 1, 1.0) for j in range(first, stop) if j != at)
                weight = (stop - first - 1) / (last - run)
                words = noise[run:last].ravel()
                yield from ((c, w, 0, weight) for w in words if w != tokens[at])

    def block_loss(self, plan, begin, end, contexts, with_entropy):
        """The loss of a block, the gates' contexts being given."""
        shared, _ = self.stage(plan)
        z = {c: self.mixture(plan, c, contexts[c]) for c in range(begin, end)}
        words = {c: plan["tokens"][plan["centres"][c][0]] for c in z}
        h = {c: z[c] @ self.senses[self.rows(words[c])] for c in z}
        loss = sum(
            weight * pair_loss(h[c] @ self.output[w], label)
            for c, w, label, weight in self.pairs(plan, begin, end)
        )
        if with_entropy and shared:
            for c, mixture in z.items():
                _, first, stop = plan["centres"][c][:3]
                loss += self.options.entropy_cost * (stop - first - 1) * entropy(mixture)
        return loss

    def step(self, plan, begin, end):
        """Train on a block; all gradients are taken at its start."""
        o = self.options
        shared, tau = self.stage(plan)
        left = max(1e-4, 1.0 - plan["progress"])
        rate = o.learning_rate * left
        gate_rate = (o.shared_gate_rate if shared else o.gate_rate) * left
        contexts = {c: self.context(plan, c) for c in range(begin, end)}
        z = {c: self.mixture(plan, c, contexts[c]) for c in contexts}
        rows = {c: self.rows(plan["tokens"][plan["centres"][c][0]]) for c in contexts}
        h = {c: z[c] @ self.senses[rows[c]] for c in contexts}
        pull = {c: np.zeros(self.output.shape[1]) for c in contexts}
        output = np.zeros_like(self.output)
        loss, targets = 0.0, 0
        for c, w, label, weight in self.pairs(plan, begin, end):
            score = h[c] @ self.output[w]
            loss += weight * pair_loss(score, label)
            targets += label
            g = weight * (label - sigmoid(score))
            pull[c] += g * self.output[w]
            output[w] += g * h[c]
        old = self.senses.copy()
        self.output += rate * output
        for c, context in contexts.items():
            np.add.at(self.senses, rows[c], rate * np.outer(z[c], pull[c]))
            if len(rows[c]) == 1:
                continue
            gain = old[rows[c]] @ pull[c]
            logits = z[c] * (gain - z[c] @ gain) / tau
            if shared:
                _, first, stop = plan["centres"][c][:3]
                logs = np.log(np.maximum(z[c], 1e-9))
                cost = o.entropy_cost * (stop - first - 1)
                logits += cost * z[c] * (logs + entropy(z[c]))
            gate, bias = (
                (self.shared_gate, self.shared_bias) if shared else (self.gate, self.gate_bias)
            )
            places = np.arange(len(rows[c])) if shared else rows[c]
            np.add.at(gate, places, gate_rate * np.outer(logits, context))
            np.add.at(bias, places, gate_rate * logits)
        return loss, targets

    def train(self, plans):
        """Train on all plans; return the mean loss of each epoch."""
        sums = {}
        for plan in plans:
            epoch = sums.setdefault(plan["epoch"], [0.0, 0])
            for begin, end in pairwise(plan["blocks"]):
                loss, targets = self.step(plan, int(begin), int(end))
                epoch[0] += loss
                epoch[1] += targets
        return [loss / targets for loss, targets in sums.values()]

    def prior_sums(self, plans):
        """Return the sums of softmax(l) over all centres, per row."""
        sums = np.zeros(len(self.gate))
        for plan in plans:
            for c, centre in enumerate(plan["centres"]):
                rows = self.rows(plan["tokens"][centre[0]])
                if len(rows) > 1:
                    k = np.arange(len(rows))
                    logits = (self.gate[rows] + self.shared_gate[k]) @ self.context(plan, c)
                    sums[rows] += softmax(logits + self.gate_bias[rows] + self.shared_bias[k])
        return sums
