"""What `metercrop doctor` looks at; each part on its own, so that none hides another."""
# ruff: noqa: PLC0415  a part that cannot even be imported is that part's problem alone

from __future__ import annotations

import difflib
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter

from service.core.encoding import Encoding
from service.core.errors import MetercropError
from service.settings import PREFIX, Device, Settings, masked, variable

Fact = str | int | float | bool | None
Facts = dict[str, Fact]
Look = Callable[[Facts], Iterator[str]]
"""Fills in what it finds and yields each problem, with what to do about it."""

PACKAGES = ("numpy", "pillow", "jpeglib", "simplejpeg", "pi-heif", "sqlalchemy")
RUNTIMES = ("onnxruntime", "onnxruntime-gpu")
LITTLE_DISK_BYTES = 1_000_000_000
TRIES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    facts: Facts
    problems: tuple[str, ...]


def examined(part: str, look: Look) -> Finding:
    """What was found, up to where looking failed; never raises."""
    facts: Facts = {}
    problems: list[str] = []
    try:
        problems.extend(look(facts))
    except MetercropError as error:
        problems.append(str(error))
    except Exception as error:  # noqa: BLE001  a broken machine breaks in ways nobody foresaw
        problems.append(f"{type(error).__name__}: {error}")
    return Finding(part, facts, tuple(" ".join(problem.split()) for problem in problems))


def findings(settings: Settings) -> Iterator[Finding]:
    yield examined("versions", versions)
    yield examined("settings", lambda facts: settings_in_force(settings, facts))
    yield examined("machine", lambda facts: machine(settings, facts))
    yield examined("codecs", codecs)
    yield examined("archive_tier", lambda facts: archive_tier(settings, facts))
    yield examined("model", lambda facts: model(settings, facts))
    yield examined("store", lambda facts: store(settings, facts))
    yield examined("database", lambda facts: database(settings, facts))


def versions(facts: Facts) -> Iterator[str]:
    facts["python"] = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    facts["metercrop"] = version("metercrop") if _is_installed("metercrop") else "from its source"
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            yield f"{package} is not installed; `pip install metercrop` brings all it needs"
    runtimes = [package for package in RUNTIMES if _is_installed(package)]
    facts.update({package: version(package) for package in runtimes})
    if len(runtimes) != 1:
        yield (
            f"{' and '.join(runtimes) or 'no ONNX Runtime'} installed, but exactly one works: "
            "`pip uninstall onnxruntime onnxruntime-gpu`, then `pip install metercrop`"
        )


def settings_in_force(settings: Settings, facts: Facts) -> Iterator[str]:
    facts.update(settings.printable())
    known = [variable(field) for field in Settings.model_fields]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            yield f"{name} is no setting{f'; is {near[0]} meant?' if near else ''}"


def machine(settings: Settings, facts: Facts) -> Iterator[str]:
    from service import bootstrap
    from service.adapters.machine import usable_cpus, usable_memory_bytes
    from service.cli.serve import engines

    facts["event_loop"], facts["http_parser"] = engines()
    facts["cpus"] = usable_cpus()
    facts["memory_bytes"] = usable_memory_bytes()
    facts["concurrent_megapixels"] = round(bootstrap.megapixels_of(settings), 1)
    facts["free_disk_bytes"] = free = shutil.disk_usage(_existing(settings.home)).free
    if free < LITTLE_DISK_BYTES:
        yield f"only {free:,} bytes are free at {settings.home}; make room or move METERCROP_HOME"


def codecs(facts: Facts) -> Iterator[str]:
    from PIL import Image, features

    from service.core.geometry import Box
    from service.core.photo import Limits, PhotoFormat
    from service.imaging.encode import encoded_crop
    from service.imaging.jpeg_native import is_available
    from service.imaging.probe import photo_of
    from service.imaging.raw_frame import RawFrame

    for codec in ("webp", "avif"):
        facts[codec] = features.version(codec) or "missing"
    drawn = BytesIO()
    Image.effect_noise((256, 256), 40).convert("RGB").save(drawn, "JPEG")
    photo, box = photo_of(drawn.getvalue(), Limits()), Box(64, 64, 128, 128)
    crop = encoded_crop(
        RawFrame(photo), box=box, region=box, encoding=Encoding.AUTO, keep_gps=False
    )
    on_coefficients = crop.exact and crop.format is PhotoFormat.JPEG
    facts["jpeg_path"] = "native" if is_available() else "library, slower"
    facts["jpeg_crops"] = "exact, cut from the coefficients" if on_coefficients else "as pixels"
    if not on_coefficients:
        yield "JPEG crops grow into pixel formats; `pip install --force-reinstall jpeglib`"


def archive_tier(settings: Settings, facts: Facts) -> Iterator[str]:
    from service import bootstrap
    from service.imaging.jpeg_xl import INSTALLATION, is_available

    facts["encoding"] = settings.archive_encoding
    missing = f"missing; {INSTALLATION} brings it"
    facts["imagecodecs"] = version("imagecodecs") if is_available() else missing
    bootstrap.require_codec(settings)
    yield from ()


def model(settings: Settings, facts: Facts) -> Iterator[str]:
    import numpy as np

    from service import bootstrap
    from service.adapters.onnx import CPU, available_providers, cuda_is_present

    facts["file"] = str(settings.model)
    facts["providers_available"] = ", ".join(available_providers())
    segmenter = bootstrap.segmenter_of(settings)
    description = segmenter.description
    facts |= {
        "name": description.name,
        "version": description.version,
        "licence": description.licence,
        "sha256": description.sha256,
        "provider_in_use": description.provider,
        "batches": segmenter.way,
        "side": description.side,
        "threshold": description.threshold,
        "min_confidence": bootstrap.policy_of(settings, description).min_confidence,
    }
    grey = np.full((description.side, description.side, 3), 128, dtype=np.uint8)
    facts["inference_ms"] = _median_ms(lambda: segmenter.probabilities(grey))
    if description.provider == CPU and settings.device is Device.AUTO and cuda_is_present():
        yield (
            "a GPU driver is here, yet the model runs on the CPU; `pip install 'metercrop[cuda]'` "
            "brings CUDA's libraries, or set METERCROP_DEVICE=cpu"
        )


def store(settings: Settings, facts: Facts) -> Iterator[str]:
    from service import bootstrap

    facts["address"] = masked(settings.store)
    if settings.s3_endpoint:
        facts["endpoint"] = settings.s3_endpoint
    facts["round_trip_ms"] = _median_ms(bootstrap.store_of(settings).check)
    yield from ()


def database(settings: Settings, facts: Facts) -> Iterator[str]:
    from service import bootstrap
    from service.adapters.sql.ledger import SqlLedger
    from service.adapters.sql.migrate import is_current

    facts["address"] = masked(settings.database)
    engine = bootstrap.engine_of(settings)
    facts["kind"] = engine.dialect.name
    if settings.database_is_embedded and not Path(engine.url.database or "").exists():
        facts["schema"] = "not made yet; serve and ingest make it"
        return
    try:
        facts["round_trip_ms"] = _median_ms(SqlLedger(engine).check)
        current = is_current(engine)
    finally:
        engine.dispose()
    facts["schema"] = "current" if current else "of another version"
    if not current and not settings.database_is_embedded:
        yield "the database is not up to date; run `metercrop migrate`"


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


def _median_ms(work: Callable[[], object]) -> float:
    return round(median(_ms(work) for _ in range(TRIES)), 2)


def _ms(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000.0
