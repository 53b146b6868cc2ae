"""How hidden vectors are made from rows and how their gradients go back, one at a time.

A composition is a function of the document's row, the rows of the words around a target (None
beyond the ends of the document; no words at all in models without a context) and the projection.
"""

from __future__ import annotations

import numpy as np

DBOW = ["pv-dbow", "binary-pv-dbow", "real-binary-pv-dbow"]
DM = ["pv-dm-mean", "pv-dm-concat", "binary-pv-dm"]
MODELS = [*DBOW, *DM]


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def is_binary(model):
    return "binary" in model


def activate(model, a, soft=False):
    """The code of pre-activations; `soft` leaves out the rounding, which has no derivative."""
    if not is_binary(model):
        return np.array(a)
    return sigmoid(a) if soft else (a > 0).astype(np.float64)


def deactivate(model, a, g):
    if not is_binary(model):
        return np.array(g)
    return g * sigmoid(a) * (1.0 - sigmoid(a))


def compose(model, row, words=(), projection=None, round_words=True, soft=False, width=0):
    """Return the hidden vector; `width` is that of a word's row."""
    if model == "real-binary-pv-dbow":
        return activate(model, projection @ row, soft)
    if model == "pv-dm-mean":
        return np.mean([row, *(word for word in words if word is not None)], axis=0)
    parts = [activate(model, row, soft)]
    for word in words:
        absent = word is None
        part = np.zeros(width) if absent else activate(model, word, soft or not round_words)
        parts.append(part)
    return np.concatenate(parts)


def send_back(model, g, row, words=(), projection=None):
    """Return the gradients of the row, of each word (None where there is none), of the projection.

    `g` is that of the hidden vector.
    """
    if model == "real-binary-pv-dbow":
        g_a = deactivate(model, projection @ row, g)
        return projection.T @ g_a, [], np.outer(g_a, row)
    if model == "pv-dm-mean":
        share = g / (1 + sum(word is not None for word in words))
        return share, [None if word is None else share for word in words], None
    dim = len(row)
    parts = np.split(g[dim:], len(words)) if len(g) > dim else [None] * len(words)
    return (
        deactivate(model, row, g[:dim]),
        [
            None if word is None else deactivate(model, word, part)
            for word, part in zip(words, parts, strict=True)
        ],
        None,
    )
