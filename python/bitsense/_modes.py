"""The modes of the paragraph-vector models: the engine's name of each, and its numbers.

They were chosen on a validation split of the training part of 20 Newsgroups (docs/models.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Mode"]


@dataclass(frozen=True)
class Mode:
    """What a mode of a model is to the engine."""

    model: str
    document_rate: float
    """Times the learning rate: the rate of the documents' own rows."""
    infer_rate: float
    """AdaGrad's, in inference."""
    objective: str = "softmax"
    """Where None leaves it to the mode."""
    optimizer: str = "sgd"
    """Of the words' rows, in the same way."""
    epochs: int = 10
    """In the same way."""
    learning_rates: dict[str, float] = field(default_factory=dict)
    """By optimiser, where the class does not say it otherwise."""
    negatives: dict[str, int] = field(default_factory=dict)
    """By objective, in the same way."""
    noise: int = 1024
    """Quantiles of the noise distribution that inference uses."""
    context: bool = False
    """Whether the words around a target are inputs."""
    concatenated: bool = False
    """Whether they stand side by side; else their mean is taken."""
    encoder: bool = False
    """Whether documents are sums of their words' rows."""
    context_rate: float = 1.0
    context_scale: float = 0.01
    projection_rate: float = 1.0
    scale: float = 0.01
    """The documents' rows start uniform within plus and minus this."""
