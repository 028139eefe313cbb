"""Draws the README's picture from a rendered photo and the bundled model: `make pictures`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from models.rendering import MeterKind, render
from models.serving import optimizer_of
from service.core.photo import Limits
from service.imaging.overlay import overlay_png
from service.imaging.probe import photo_of
from service.settings import BUNDLED_MODEL

HERE = Path(__file__).parent
HEIGHT = 480
GAP = 16


def draw() -> None:
    """Writes `meter.jpg`, the photo that the README uploads, and `crop.jpg`."""
    rendered = render(308, kind=MeterKind.GAS, width=2400, height=1800)
    photo_path = HERE / "meter.jpg"
    rendered.photo.save(photo_path, quality=88)
    optimizer = optimizer_of(BUNDLED_MODEL)
    photo = photo_of(photo_path.read_bytes(), Limits())
    judged = optimizer.judged(photo)
    result = optimizer.carried_out(photo, judged)
    overlay = overlay_png(judged.raw, photo.orientation, mask=judged.mask, decision=judged.decision)
    whole, crop = (
        Image.open(BytesIO(content)).convert("RGB") for content in (overlay, result.content)
    )
    whole.thumbnail((whole.width, HEIGHT), Image.Resampling.LANCZOS)
    crop.thumbnail((whole.width, HEIGHT), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (whole.width + GAP + crop.width, HEIGHT), "white")
    sheet.paste(whole, (0, 0))
    sheet.paste(crop, (whole.width + GAP, (HEIGHT - crop.height) // 2))
    sheet.save(HERE / "crop.jpg", quality=88)


if __name__ == "__main__":
    draw()
