"""From the meter's own frame to the photo: one pose projects the picture and its mask alike.

The frame's unit is the counter's width and its origin the counter's centre; x points right along
the digits, y down, z towards the viewer. The counter lies in the plane z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.rendering.materials import Colour, ink

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pose:
    """A pinhole camera in front of a meter."""

    rotation: Points  # (3, 3)
    perspective: float
    """One over the distance from camera to counter, in counter widths."""
    scale: float
    """Photo pixels a unit at the origin."""
    shift: tuple[float, float]
    """Where the origin lies in the photo, in pixels."""

    def project(self, points: Points) -> Points:
        """(n, 2) photo pixels of (n, 3) points; a pixel's centre is at one half."""
        turned = points @ self.rotation.T
        nearness = self.scale / np.maximum(1.0 - self.perspective * turned[:, 2:], 0.15)
        projected: Points = turned[:, :2] * nearness + np.array(self.shift)
        return projected

    def faces_viewer(self, corners: Points) -> bool:
        """Whether a polygon, clockwise as seen from its outside, shows that outside."""
        return signed_area(self.project(corners)) > 0.0

    def light_in_frame(self, light: tuple[float, float]) -> tuple[float, float]:
        """A direction of the photo as the meter's plane sees it."""
        across, down = self.rotation[:2, :2].T @ np.array(light)
        return float(across), float(down)

    def scaled(self, factor: float) -> Pose:
        """The same view in a photo `factor` times as large."""
        left, top = self.shift
        return replace(self, scale=self.scale * factor, shift=(left * factor, top * factor))


@dataclass(frozen=True, slots=True)
class Panel:
    """A flat picture in space; `corners` (4, 3) are its top left, top right, bottom right, ..."""

    texture: Image.Image  # RGBA
    corners: Points


@dataclass(frozen=True, slots=True)
class Wall:
    """The sides of a case: `outline` (n, 3), clockwise, drawn back by `depth`."""

    outline: Points
    depth: float
    colour: Colour


Part = Panel | Wall


def rotation(*, yaw: float, pitch: float, roll: float) -> Points:
    """Radians; roll is applied last, so that it turns the finished photo."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turned: Points = about_z @ about_x @ about_y
    return turned


def rectangle(left: float, top: float, right: float, bottom: float, *, z: float = 0.0) -> Points:
    """(4, 3) corners of an upright rectangle."""
    return np.array([[left, top, z], [right, top, z], [right, bottom, z], [left, bottom, z]])


def rounded_rectangle(
    left: float, top: float, right: float, bottom: float, *, radius: float, z: float = 0.0
) -> Points:
    """(24, 3) outline, clockwise, with quarter circles for corners."""
    quarter = np.linspace(0.0, np.pi / 2, 6)
    arcs = []
    for turn, x, y in (
        (np.pi, left + radius, top + radius),
        (np.pi * 1.5, right - radius, top + radius),
        (0.0, right - radius, bottom - radius),
        (np.pi / 2, left + radius, bottom - radius),
    ):
        angle = turn + quarter
        arcs.append(np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1))
    flat = np.concatenate(arcs)
    return np.column_stack([flat, np.full(len(flat), z)])


def signed_area(polygon: Points) -> float:
    """In square pixels, positive for clockwise as a photo shows it."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2.0


def paste_part(photo: Image.Image, part: Part, *, pose: Pose, light: tuple[float, float]) -> None:
    """Draws the part into the photo as the pose sees it."""
    match part:
        case Panel(texture, corners):
            paste_quad(photo, texture, pose.project(corners))
        case Wall():
            _paste_wall(photo, part, pose=pose, light=light)


def paste_quad(photo: Image.Image, texture: Image.Image, quad: Points) -> None:
    """Warps the RGBA texture onto the four photo points `quad` (4, 2)."""
    left, top = (int(v) for v in np.maximum(np.floor(quad.min(axis=0)), 0))
    right = min(int(np.ceil(quad[:, 0].max())), photo.width)
    bottom = min(int(np.ceil(quad[:, 1].max())), photo.height)
    if right <= left or bottom <= top:
        return
    width, height = texture.size
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=float)
    warped = texture.transform(
        (right - left, bottom - top),
        Image.Transform.PERSPECTIVE,
        homography(quad - [left, top], source),
        Image.Resampling.BILINEAR,
    )
    photo.paste(warped, (left, top), warped)


def homography(here: Points, there: Points) -> list[float]:
    """The eight coefficients that Pillow's PERSPECTIVE takes: output `here` from source `there`."""
    rows = []
    for (x, y), (u, v) in zip(here, there, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    return [float(c) for c in np.linalg.solve(np.array(rows), there.reshape(8))]


def region_mask(polygons: tuple[Points, ...], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(height, width), true where a pixel's centre lies in a polygon, convex and clockwise."""
    width, height = size
    mask = np.zeros((height, width), dtype=bool)
    for polygon in polygons:
        left, top = (int(v) for v in np.maximum(np.floor(polygon.min(axis=0)), 0))
        right, bottom = (int(v) for v in np.minimum(np.ceil(polygon.max(axis=0)), size))
        if right <= left or bottom <= top:
            continue
        x = np.arange(left, right)[None, :] + 0.5
        y = np.arange(top, bottom)[:, None] + 0.5
        inside = np.ones((bottom - top, right - left), dtype=bool)
        for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0.0
        mask[top:bottom, left:right] |= inside
    return mask


def _paste_wall(photo: Image.Image, wall: Wall, *, pose: Pose, light: tuple[float, float]) -> None:
    draw = ImageDraw.Draw(photo)
    front = wall.outline
    back = front - [0.0, 0.0, wall.depth]
    following = np.roll(np.arange(len(front)), -1)
    for here, there in zip(range(len(front)), following, strict=True):
        corners = np.array([front[there], front[here], back[here], back[there]])
        if not pose.faces_viewer(corners):
            continue
        edge = (front[there] - front[here]) @ pose.rotation.T
        normal = np.array([edge[1], -edge[0]]) / max(float(np.hypot(edge[0], edge[1])), 1e-9)
        shade = 0.55 + 0.4 * float(normal @ np.array(light))
        red, green, blue = wall.colour
        fill = ink((red * shade, green * shade, blue * shade))
        draw.polygon([tuple(p) for p in pose.project(corners).tolist()], fill=fill)
