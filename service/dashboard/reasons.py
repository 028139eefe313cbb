"""Why originals were kept, in the words of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.core.crop import Reason


@dataclass(frozen=True, slots=True)
class Explained:
    """`name` fits a tab, `why` and `advice` are a sentence each."""

    name: str
    why: str
    advice: str


EXPLAINED: Mapping[Reason, Explained] = {
    Reason.NO_REGION: Explained(
        "No meter seen",
        "The model saw no meter in the photo.",
        "If there is one, it may be too dark, blurred or far away: take the photo again, closer.",
    ),
    Reason.LOW_CONFIDENCE: Explained(
        "Not sure",
        "The model saw a meter, but was not sure enough of where it ends.",
        "Nothing needs to be done; many of these at one site point to a kind of meter that the "
        "model does not know.",
    ),
    Reason.SEVERAL_REGIONS: Explained(
        "Several meters",
        "The photo shows several meters, and nothing says which one is meant.",
        "Take a photo of each meter alone.",
    ),
    Reason.REGION_AT_BORDER: Explained(
        "Cut off",
        "The meter is cut off by the edge of the photo, so a part of the reading may be missing.",
        "Check that the whole reading is in the photo, or take it again from further away.",
    ),
    Reason.NO_GAIN: Explained(
        "No gain",
        "A crop would not have been smaller than the photo.",
        "Nothing needs to be done: the photo is small already, or the meter fills it.",
    ),
    Reason.RESTORED: Explained(
        "Brought back",
        "It had been cropped, and somebody brought the whole photo back.",
        "Its history tells when; a batch job over it may crop it again.",
    ),
}
