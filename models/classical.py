"""What came before networks: Otsu's threshold, Canny's edges and k-means, each as a segmenter.

A segmenter takes the photo's pixels, uint8 (h, w, 3), and answers the region, bool (h, w); give it
the photo without the letterbox's padding, which has a colour and edges of its own. None of the
three knows what a meter is, so each is turned into one region by the plainest rule:

- a threshold and clusters part the pixels in classes; the region is that class which touches the
  picture's border least for its size, since what is photographed on purpose lies inside;
- edges are joined where they lie close, as those of a meter's face do, and outlines are filled.

Of what remains, the largest connected part counts, its holes filled.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

CLUSTERS = 3
JOINING_SHARE = 1 / 16
"""Edges no farther apart than this share of the longer side are joined."""
SMOOTHING = (5, 5)
ROUNDS = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 20, 1.0)
"""Of k-means: at most 20, or until no centre moves by one level of colour."""


def otsu(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """By the threshold of brightness that parts the photo best (Otsu 1979)."""
    _, bright = _otsu_threshold(pixels)
    return _largest_part(_innermost_class(bright))


def canny(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """By edges (Canny 1986), whose upper threshold is Otsu's and the lower half of it."""
    upper, _ = _otsu_threshold(pixels)
    edges = cv2.Canny(_smooth_grey(pixels), upper / 2, upper)
    reach = max(3, round(JOINING_SHARE * max(edges.shape)))
    joining = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    return _largest_part(cv2.morphologyEx(edges, cv2.MORPH_CLOSE, joining) > 0)


def k_means(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """By clusters of colour in CIELAB (Lloyd 1982), begun from equal shares of the brightness."""
    smooth = cv2.GaussianBlur(pixels, SMOOTHING, 0)
    colours = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    ranks = np.empty(len(colours), dtype=np.int64)
    ranks[np.argsort(colours[:, 0], kind="stable")] = np.arange(len(colours))
    start = (ranks * CLUSTERS // len(colours)).astype(np.int32)[:, None]  # no chance in it
    _, found, _ = cv2.kmeans(colours, CLUSTERS, start, ROUNDS, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    return _largest_part(_innermost_class(found.astype(np.int64).reshape(pixels.shape[:2])))


def _smooth_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.GaussianBlur(grey, SMOOTHING, 0), dtype=np.uint8)


def _otsu_threshold(pixels: NDArray[np.uint8]) -> tuple[float, NDArray[np.int64]]:
    """The threshold in 0..255, and whether each pixel lies above it, 0 or 1, (h, w)."""
    threshold, bright = cv2.threshold(
        _smooth_grey(pixels), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    return threshold, bright.astype(np.int64)


def _innermost_class(classes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the class lies, of all in (h, w), that touches the border least for its size."""
    border = np.concatenate([classes[0], classes[-1], classes[:, 0], classes[:, -1]])
    sizes = np.bincount(classes.ravel())
    at_border = np.bincount(border, minlength=len(sizes))
    shares = np.where(sizes > 0, at_border / np.maximum(sizes, 1), np.inf)
    return np.equal(classes, shares.argmin())


def _largest_part(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected part with the largest outline, filled; empty where the region is."""
    outlines, _ = cv2.findContours(
        region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = np.zeros(region.shape, dtype=np.uint8)
    if outlines:
        cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled > 0


METHODS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.bool_]]] = {
    "otsu": otsu,
    "canny": canny,
    "k_means": k_means,
}
