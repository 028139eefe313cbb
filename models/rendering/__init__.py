"""Draws photos of water, gas and electricity meters as phones take them, with exact masks.

    rendered = render(7, kind=MeterKind.WATER, width=1024, height=768)
    rendered.photo, rendered.mask, rendered.boxes, rendered.reading

Nothing but the seed and the arguments decides a pixel, and no photograph is needed: this is how a
model is trained before the first photo has been labelled.
"""

from models.rendering.dataset import write_dataset
from models.rendering.photo import MeterKind, Rendered, render
from models.rendering.posing import Difficulty

__all__ = ["Difficulty", "MeterKind", "Rendered", "render", "write_dataset"]
