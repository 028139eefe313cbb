"""A comparison as one Markdown report with its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from models.comparison.beside_papers import beside_papers
from models.comparison.chart import Point, chart
from models.comparison.comparison import Comparison, Row, over_seeds
from models.comparison.figure import Line, figure
from models.comparison.papers import UNET_PARAMETERS
from models.comparison.tables import ABSENT, measured, percent, table
from models.comparison.training_table import how_trained
from models.origin import Origin

MASKS = (
    ("Dice", "dice"),
    ("Jaccard", "jaccard"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("accuracy", "accuracy"),
    ("mIoU", "miou"),
    ("box IoU", "box_iou"),
)
METHOD = "network or method"
LEARNED_FROM = "†"
MEASURES_EXPLAINED = (
    "All in %, means over photos in the model's square; with several seeds, mean ± SD over seeds. "
    "*mIoU* is of region and background; *box IoU* of the region's box with the annotated one, "
    "whatever was decided about it. *Readings lost*: the annotated region is not wholly inside "
    "what would be stored. *Kept*: originals stored whole, most since the model was not sure "
    "enough (its file says how sure it must be). *Bytes saved* is over all bytes. A classical "
    "method has no confidence: what bounds its mask, with the same margin, is trusted wholly, so "
    "it keeps an original only where it finds nothing or a crop would save nothing."
)


def write_report(compared: Comparison, to: Path) -> None:
    """Writes `to` and its pictures beside it, the report last: where it is, all is."""
    to.parent.mkdir(parents=True, exist_ok=True)
    masks, speed = (to.with_name(f"{to.stem}-{what}.png") for what in ("masks", "speed"))
    _figure(compared, masks)
    _chart(compared, speed)
    beside = to.with_name(f"{to.name}.partial")
    beside.write_text(report(compared, masks=masks.name, speed=speed.name), encoding="utf-8")
    beside.replace(to)


def report(compared: Comparison, *, masks: str, speed: str) -> str:
    """Markdown; `masks` and `speed` are the pictures' names."""
    sections = [
        "# Networks and classical methods side by side",
        _measured(compared),
        "## All at a glance",
        _overview(compared),
        _costs_explained(compared),
        f"![The networks' quality against their time]({speed})",
        *(part for folder in compared.folders for part in _folder(compared, folder.title)),
        MEASURES_EXPLAINED,
        "## How each was trained",
        how_trained(compared.rows),
        "*Trusted from*: the confidence from which a crop is stored in place of the photo.",
        "## Beside the papers' own tables",
        beside_papers(compared),
        "## What each finds",
        "Drawn photos, which none has learned from; the number is the Dice coefficient in %.",
        f"![Photos, truth and each method's mask]({masks})",
    ]
    return "\n\n".join(sections) + "\n"


def _measured(compared: Comparison) -> str:
    machine = compared.machine
    gpu = "" if machine.has_gpu else " There is no GPU on this machine, so no time on one."
    return (
        f"Measured in one run on one machine: {machine.processor}, ONNX Runtime "
        f"{machine.onnxruntime}. Times are medians of {machine.repeats} rounds in which each took "
        f"its turn, of the mask of one letterboxed photo at one thread.{gpu}"
    )


def _overview(compared: Comparison) -> str:
    titles = [folder.title for folder in compared.folders]
    on_gpu = ("ms, GPU",) if compared.machine.has_gpu else ()
    heads = (
        METHOD,
        *(f"Dice on {title}" for title in titles),
        *("parameters", "of U-Net's", "file", "GFLOP", "ms, 1 thread", *on_gpu),
    )
    return table(heads, ([row.name, *_overview_cells(compared, row)] for row in compared.rows))


def _overview_cells(compared: Comparison, row: Row) -> list[str]:
    dice = [percent(over_seeds(row.scores[one.title])["dice"]) for one in compared.folders]
    times = [f"{row.cpu_ms:.1f}"]
    if compared.machine.has_gpu:
        times.append(ABSENT if row.gpu_ms is None else f"{row.gpu_ms:.2f}")
    if row.entrant is None:
        return [*dice, *[ABSENT] * 4, *times]
    cost = row.entrant.cost
    return [
        *dice,
        f"{cost.parameters / 1e6:.2f} M",
        f"1/{UNET_PARAMETERS / max(cost.parameters, 1):.1f}",
        f"{row.entrant.bytes / 1e6:.2f} MB",
        f"{cost.gflop:.2f}",
        *times,
    ]


def _costs_explained(compared: Comparison) -> str:
    several = any(row.entrant and len(row.entrant.files) > 1 for row in compared.rows)
    first = " Time and file are those of a row's first seed." if several else ""
    return (
        "Parameters and GFLOP are counted in the exported graph, where batch norm is folded into "
        "the convolutions; GFLOP are two for each multiplication of a convolution or matrix "
        "product. *Of U-Net's*: of the 31.02 M that Chen et al. count (their Table 1)." + first
    )


def _folder(compared: Comparison, title: str) -> Iterable[str]:
    folder = next(one for one in compared.folders if one.title == title)
    part = "photos held out of training" if folder.is_held_out else "photos, all there are"
    yield f"## On {title}"
    yield f"{len(folder.examples)} {part}, with their annotations `{folder.sha256}`."
    learned = {
        row.name
        for row in compared.rows
        if any(folder.was_learned_by(one) for one in _origins_of(row))
    }
    heads = (METHOD, *(head for head, _ in MASKS), "readings lost", "kept", "bytes saved")
    rows = (
        [f"{row.name} {LEARNED_FROM}" if row.name in learned else row.name, *_scores(row, title)]
        for row in compared.rows
    )
    yield table(heads, rows)
    if learned:
        yield f"{LEARNED_FROM} It has learned from photos of this folder: no measure of it."


def _scores(row: Row, title: str) -> list[str]:
    scores = row.scores[title]
    found = over_seeds(scores)
    lost, photos = found["readings_lost"], scores[0].photos
    return [
        *(percent(found[name]) for _, name in MASKS),
        f"{measured(lost, digits=0 if lost.sd is None else 1)} of {photos}",
        percent(found["kept"]),
        percent(found["saved_fraction"]),
    ]


def _origins_of(row: Row) -> tuple[Origin, ...]:
    return () if row.entrant is None else row.entrant.origins


def _figure(compared: Comparison, to: Path) -> None:
    lines = [
        Line(row.name, [one.found[row.name] for one in compared.shown]) for row in compared.rows
    ]
    figure([one.scene for one in compared.shown], lines).save(to)


def _chart(compared: Comparison, to: Path) -> None:
    title = compared.folders[0].title
    points = [
        Point(row.name, row.cpu_ms, over_seeds(row.scores[title])["dice"].mean)
        for row in compared.rows
        if row.entrant is not None
    ]
    chart(points, on=title).save(to)
