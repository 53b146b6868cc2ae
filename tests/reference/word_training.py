"""The training of word vectors, slowly and in float64, one pair at a time.

It takes the plans (which words are kept, whose contexts, which noise, which blocks) from the engine
and does all of the arithmetic itself, from the formulas of cpp/train/tiles.hpp and cpp/models.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

RUN = {"skip-gram": 3, "cbow": 6}  # centres that share their noise
MOST_REPEATS = 4  # of a word in one context
MOST_TARGETS = 32  # of a centre at full rate


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def pair_loss(z, label):
    """Negative sampling: -log s(z) of a target, -log s(-z) of noise."""
    return np.logaddexp(0.0, -z if label else z)


def tiles(model, plan, begin, end, negatives):
    """Yield of each tile of a block the pairs of its centres: lists of (input, output word, label).

    An input is a word under skip-gram, the number of a centre under CBOW.
    """
    tokens, noise = plan["tokens"], plan["noise"].reshape(-1, negatives)
    for run in range(begin, end, RUN[model]):
        centres = []
        for c in range(run, min(run + RUN[model], end)):
            at, first, last = plan["centres"][c][:3]
            inputs, seen = [c], Counter()
            if model == "skip-gram":
                inputs = []
                for j in range(first, last):
                    seen[tokens[j]] += j != at
                    if j != at and seen[tokens[j]] <= MOST_REPEATS:
                        inputs.append(tokens[j])
            pairs = [(i, tokens[at], 1) for i in inputs]
            pairs += [(i, w, 0) for i in inputs for w in noise[run] if w != tokens[at]]
            centres.append(pairs)
        yield centres


@dataclass
class WordTwin:
    """The tables of a training. `bags[w]` are the rows whose mean word w is."""

    model: str
    negatives: int
    learning_rate: float
    input: np.ndarray
    output: np.ndarray
    bags: list
    move_input: bool = True
    move_output: bool = True

    def rows(self, plan, item):
        """Return the rows whose mean an input is."""
        if self.model == "skip-gram":
            return list(self.bags[item])
        at, first, last = plan["centres"][item][:3]
        return [r for j in range(first, last) if j != at for r in self.bags[plan["tokens"][j]]]

    def block_loss(self, plan, begin, end):
        """Return the loss of a block at the tables as they are."""
        return sum(
            pair_loss(self.input[self.rows(plan, i)].mean(axis=0) @ self.output[o], label)
            for centres in tiles(self.model, plan, begin, end, self.negatives)
            for pairs in centres
            for i, o, label in pairs
        )

    def step(self, plan, begin, end):
        """Train on a block: scalars at its start, then tile after tile."""
        rate = self.learning_rate * max(1e-4, 1.0 - plan["progress"])
        all_tiles = list(tiles(self.model, plan, begin, end, self.negatives))
        inputs = sorted({i for tile in all_tiles for pairs in tile for i, _, _ in pairs})
        before = {i: self.input[self.rows(plan, i)].mean(axis=0) for i in inputs}
        start_output = self.output.copy()
        loss, targets = 0.0, 0
        moved = {i: h.copy() for i, h in before.items()}
        for centres in all_tiles:
            pairs = [pair for of_centre in centres for pair in of_centre]
            most = max(sum(label for _, _, label in of_centre) for of_centre in centres)
            tile_inputs = {i: moved[i].copy() for i, _, _ in pairs}
            tile_outputs = {o: self.output[o].copy() for _, o, _ in pairs}
            damping = min(1.0, MOST_TARGETS / most)
            for i, o, label in pairs:
                z = before[i] @ start_output[o]
                loss += pair_loss(z, label)
                targets += label
                g = damping * rate * (label - sigmoid(z))
                moved[i] = moved[i] + g * tile_outputs[o]
                if self.move_output:
                    self.output[o] += g * tile_inputs[i]
        if self.move_input:
            for i in inputs:
                rows = self.rows(plan, i)
                np.add.at(self.input, rows, (moved[i] - before[i]) / len(rows))
        return loss, targets

    def train(self, plans):
        """Train on all plans; return the mean loss of each epoch."""
        sums = {}
        for plan in plans:
            epoch = sums.setdefault(plan["epoch"], [0.0, 0])
            for begin, end in pairwise(plan["blocks"]):
                loss, targets = self.step(plan, begin, end)
                epoch[0] += loss
                epoch[1] += targets
        return [loss / targets for loss, targets in sums.values()]
