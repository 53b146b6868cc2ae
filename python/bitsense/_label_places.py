"""Where the labels of a picture go so that they can be read.

Greedy: the labels are placed one by one, those of senses first, each at the free place nearest to
its point among a fixed fan of places around it. Where no place is free the one that covers least is
taken. Nothing is random, so the same picture comes out each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["place_labels"]

_RADII = (7.0, 12.0, 19.0, 28.0, 40.0, 55.0, 72.0, 92.0)  # points, from a point to its label
_ANGLES = 24
_LEADER = 16.0  # a label farther away than this is joined to its point
_GAP = 1.5  # points between labels
_DOT = 3.0  # half the width of a point that labels keep clear of
_BIG_DOT = 7.0

Box = npt.NDArray[np.float64]  # x0, y0, x1, y1 in pixels


def place_labels(ax: Any, points: Any, labels: list[tuple[str, str, bool]]) -> None:
    """Draw labels (text, colour, whether it is of a sense) beside the first of `points`."""
    from matplotlib import patheffects

    figure = ax.figure
    figure.draw_without_rendering()  # settles the layout, on which the places depend
    scale = figure.dpi / 72
    places = ax.transData.transform(np.asarray(points, dtype=np.float64))
    heavy = [sense for _, _, sense in labels]
    halves = np.full(len(places), _DOT * scale)
    halves[: sum(heavy)] = _BIG_DOT * scale
    taken = np.hstack([places - halves[:, None], places + halves[:, None]])
    frame = ax.get_window_extent().extents
    outline = [patheffects.withStroke(linewidth=2.2, foreground="white", alpha=0.9)]
    for place, (text, color, sense) in zip(places, labels, strict=False):
        artist = ax.annotate(
            text, (0, 0), xycoords="figure pixels", color=color, ha="center", va="center",
            fontsize=10.5 if sense else 8, fontweight="bold" if sense else "normal",
            zorder=6 if sense else 5, path_effects=outline, annotation_clip=False,
        )  # fmt: skip
        extent = artist.get_window_extent()
        size = np.array([extent.width, extent.height]) + 2 * _GAP * scale
        first = _BIG_DOT * scale if sense else 0.0
        centre, distance = _best_place(place, size, first, taken, frame, scale)
        taken = np.vstack([taken, np.hstack([centre - size / 2, centre + size / 2])])
        artist.remove()
        _write(ax, artist, place, centre, distance > _LEADER * scale + first)


def _best_place(
    point: Any, size: Any, first: float, taken: Any, frame: Any, scale: float
) -> tuple[Any, float]:
    """Return the centre of a label and how far its edge is from the point."""
    angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    compass = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    best, least, far = point, np.inf, 0.0
    for radius in _RADII:
        distance = radius * scale + first
        centres = point + compass * distance + compass * size / 2
        boxes = np.hstack([centres - size / 2, centres + size / 2])
        costs = _covered(boxes, taken) + 4 * _outside(boxes, frame)
        lowest = int(costs.argmin())
        if costs[lowest] < least:
            best, least, far = centres[lowest], float(costs[lowest]), distance
        if least == 0:
            break
    return best, far


def _covered(boxes: Any, taken: Any) -> Any:
    """Return the area of each box that others cover."""
    low = np.maximum(boxes[:, None, :2], taken[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], taken[None, :, 2:])
    return np.prod(np.maximum(high - low, 0), axis=2).sum(axis=1)


def _outside(boxes: Any, frame: Any) -> Any:
    """Return the area of each box that lies outside the frame."""
    low = np.maximum(boxes[:, :2], frame[:2])
    high = np.minimum(boxes[:, 2:], frame[2:])
    inside = np.prod(np.maximum(high - low, 0), axis=1)
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - inside


def _write(ax: Any, artist: Any, point: Any, centre: Any, leader: bool) -> None:
    """Draw a label at a fixed offset from its point, so that it stays there in any size."""
    unit = ax.figure.dpi / 72
    arrow = None
    if leader:
        arrow = {"arrowstyle": "-", "color": artist.get_color(), "alpha": 0.5, "linewidth": 0.5}
    ax.annotate(
        artist.get_text(), ax.transData.inverted().transform(point),
        xytext=tuple((centre - point) / unit), textcoords="offset points",
        color=artist.get_color(), ha="center", va="center", fontsize=artist.get_fontsize(),
        fontweight=artist.get_fontweight(), zorder=artist.get_zorder(), arrowprops=arrow,
        path_effects=artist.get_path_effects(), annotation_clip=False,
    )  # fmt: skip
