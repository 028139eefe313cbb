"""What a dry run found, as one page that needs nothing else, to be looked at before the job."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

from service.core.crop import Reason
from service.core.figures import duration, money, printable, share, size
from service.core.job import Forecast, Item, ItemState, Job, JobPlan, Mode, SamplePicture

MOST_FAILED = 200
"""Rows; the job's report has them all."""
WHY_KEPT = {
    Reason.NO_REGION: "no counter found",
    Reason.LOW_CONFIDENCE: "the model is not sure",
    Reason.SEVERAL_REGIONS: "several counters",
    Reason.REGION_AT_BORDER: "the counter is cut off by the photo's edge",
    Reason.NO_GAIN: "a crop would not be smaller",
}
LEGEND = (
    '<p class="legend"><span><i class="box"></i>what would be stored</span>'
    '<span><i class="region"></i>what the model took for the counter</span>'
    '<span><i class="kept"></i>kept whole</span></p>'
)
SKIPPED = (
    "<p>Photos that an upload or another job has dealt with, what was refused before and has not "
    "changed since, and crops that metercrop made.</p>"
)


def contact_sheet(job: Job, pictures: Sequence[SamplePicture], items: Mapping[int, Item]) -> str:
    """A whole HTML page; pictures are within, nothing is loaded and nothing runs.

    `items` holds, by number, those of the pictures, and the failed ones that are to be listed.
    """
    template, plan = _template(), job.plan
    return Template(template).substitute(
        policy=escape(content_policy()),
        source=_text(plan.source or plan.manifest or ""),
        summary=_summary(job),
        main="\n".join(
            (_forecast(job), *_photos(job, pictures, items), *_others(job, items.values()))
        ),
        job=job.id,
        mode=plan.mode,
        day=f"{job.created_at:%Y-%m-%d %H:%M} UTC",
    )


def content_policy() -> str:
    """What the page may do, for an HTTP header too: show its own style and pictures, no more."""
    style = _template().partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    return f"{policy}; base-uri 'none'; form-action 'none'"


def _template() -> str:
    return files("service.usecases").joinpath("contact_sheet.html").read_text("utf-8")


def _summary(job: Job) -> str:
    forecast = job.forecast
    if forecast is None:
        return f"<p>{job.counts.finished:,} of {job.counts.total:,} objects are tried so far.</p>"
    if forecast.sampled == forecast.objects:
        return f"<p>All {forecast.objects:,} objects were tried. Nothing was written.</p>"
    return (
        f"<p>{forecast.sampled:,} of {forecast.objects:,} objects, drawn at random, were tried. "
        "Nothing was written.</p>"
    )


def _forecast(job: Job) -> str:
    if job.forecast is None:
        return "<p>There is no forecast yet; it is made when the dry run is complete.</p>"
    cards = "".join(
        f"<div><dt>{name}</dt><dd>{value}<small>{remark}</small></dd></div>"
        for name, value, remark in _figures(job.forecast)
    )
    return f"<dl>{cards}</dl><h2>What the job would do</h2><p>{_way(job.plan)}</p>"


def _figures(forecast: Forecast) -> Iterable[tuple[str, str, str]]:
    stored = round(forecast.original_bytes * (1.0 - forecast.saved_fraction))
    yield "saved", *_saved(forecast)
    yield "less to pay a month", money(forecast.money_per_month), "once originals are deleted"
    yield "bytes", size(stored), f"of {size(forecast.original_bytes)} now"
    yield "objects", f"{forecast.objects:,}", f"{forecast.sampled:,} tried"
    yield "kept whole", share(forecast.kept_fraction), "of the photos"
    yield "failing", share(forecast.failed_fraction), "of the objects"
    yield "takes", duration(forecast.duration_s), "on one worker such as this one"
    yield "transferred", size(forecast.transferred_bytes), "read and written in all"


def _saved(forecast: Forecast) -> tuple[str, str]:
    """With a decimal only where the bounds are close enough for one to mean something."""
    low, high = forecast.saved_fraction_low, forecast.saved_fraction_high
    digits = 0 if high - low >= 0.02 else 1
    if low == high:
        return f"{forecast.saved_fraction:.1%}", "of all bytes"
    bounds = f"{low * 100:.{digits}f} to {high:.{digits}%}, 19 times of 20"
    return f"{forecast.saved_fraction:.{digits}%}", bounds


def _way(plan: JobPlan) -> str:
    where = f"<bdi>{_text(plan.destination)}</bdi>" if plan.destination else ""
    match plan.mode:
        case Mode.COPY:
            return (
                f"Crops and kept photos are written to {where or 'the store of this service'}. The "
                "archive is not touched: its originals are paid for until somebody deletes them."
            )
        case Mode.REPLACE:
            return (
                f"Each crop is written {f'to {where}' if where else 'beside its photo'}, read back "
                f"and compared; {plan.keep_originals_days} days later the photo may be deleted. "
                "Photos that are kept whole stay where they are."
            )


def _photos(
    job: Job, pictures: Sequence[SamplePicture], items: Mapping[int, Item]
) -> Iterable[str]:
    shown = [(items[each.number], each.jpeg) for each in pictures if each.number in items]
    if not shown:
        yield "<p>There are no pictures to show.</p>"
        return
    yield LEGEND
    for heading, state, count in (
        ("Cropped", ItemState.CROPPED, job.counts.cropped),
        ("Kept whole", ItemState.KEPT_ORIGINAL, job.counts.kept_original),
    ):
        figures = [_figure(item, jpeg) for item, jpeg in shown if item.state is state]
        if figures:
            remark = "" if len(figures) >= count else f", {len(figures):,} of them shown"
            yield f"<h2>{heading}: {max(count, len(figures)):,}{remark}</h2>"
            yield f'<ul class="photos">{"".join(figures)}</ul>'


def _figure(item: Item, jpeg: bytes) -> str:
    key, told = _key(item), size(item.original_bytes)
    if item.state is ItemState.CROPPED:
        saved = 1.0 - item.stored_bytes / max(1, item.original_bytes)
        told = f"<span>{told} → {size(item.stored_bytes)}</span>"
        told += f'<span class="saved">{saved:.0%} saved</span>'
        alt = "with what would be stored of it outlined"
    else:
        told, alt = f"<span>{told}, {_why(item)}</span>", "kept whole"
    picture = f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
    return (
        f'<li><figure><img src="{picture}" alt="Photo {_text(item.object.key)}, {alt}">'
        f'<figcaption>{told}<bdi class="key">{key}</bdi></figcaption></figure></li>'
    )


def _why(item: Item) -> str:
    code = item.code or ""
    return WHY_KEPT[Reason(code)] if code in WHY_KEPT else _text(code.replace("_", " "))


def _others(job: Job, items: Iterable[Item]) -> Iterable[str]:
    if job.counts.skipped:
        yield f"<h2>Skipped: {job.counts.skipped:,}</h2>{SKIPPED}"
    found = (item for item in items if item.state is ItemState.FAILED)
    failed = sorted(found, key=lambda item: (item.code or "", item.object.key))
    if failed:
        yield _failed_table(failed[:MOST_FAILED], max(len(failed), job.counts.failed))


def _failed_table(failed: Sequence[Item], count: int) -> str:
    rows = "".join(
        f'<tr><td class="code">{_text(item.code or "")}</td><td><bdi>{_key(item)}</bdi></td>'
        f"<td>{_text(item.message or '')}</td></tr>"
        for item in failed
    )
    head = '<th scope="col">code</th><th scope="col">key</th><th scope="col">message</th>'
    more = f"<p>{count - len(failed):,} more are in the job's report.</p>" * (count > len(failed))
    return (
        f'<h2 id="failed">Failed: {count:,}</h2><div class="table"><table aria-labelledby="failed">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}"
    )


def _key(item: Item) -> str:
    """It may be broken behind each folder."""
    return _text(item.object.key).replace("/", "/<wbr>")


def _text(foreign: str) -> str:
    return escape(printable(foreign))
