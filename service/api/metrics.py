"""What Prometheus reads: one registry an application."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from service.core.budget import Budget
from service.core.record import Record
from service.ports import ModelDescription

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counts since the process began; thread-safe."""

    def __init__(self, model: ModelDescription, *, admission: Budget, memory: Budget) -> None:
        self._registry = CollectorRegistry()
        self._count_requests()
        self._count_photos()
        self._watch(admission, memory)
        Gauge(
            "metercrop_info",
            "The version that runs, its model and where the model runs; always 1.",
            ("version", "model", "model_sha256", "provider"),
            registry=self._registry,
        ).labels(program_version(), model.name, model.sha256, model.provider).set(1)

    def count_request(self, method: str, route: str, *, status: int, seconds: float) -> None:
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._request_seconds.labels(known, route).observe(seconds)

    def count_photo(self, record: Record) -> None:
        """A photo that was newly recorded."""
        self._photos.labels(record.status, record.reason or "").inc()
        self._original_bytes.inc(record.original.bytes)
        self._stored_bytes.inc(record.kept_bytes)
        timings = record.timings_ms
        for stage in ("decode", "segment", "crop", "store", "total"):
            self._stage_seconds.labels(stage).observe(getattr(timings, stage) / 1000.0)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def _count_requests(self) -> None:
        self._requests = Counter(
            "metercrop_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "metercrop_http_request_seconds",
            "From a request's first byte to the answer's last.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self._registry,
        )

    def _count_photos(self) -> None:
        self._photos = Counter(
            "metercrop_photos",
            "Photos newly recorded.",
            ("status", "reason"),
            registry=self._registry,
        )
        self._original_bytes = Counter(
            "metercrop_original_bytes", "Their bytes as they came in.", registry=self._registry
        )
        self._stored_bytes = Counter(
            "metercrop_stored_bytes", "Their bytes as they are stored.", registry=self._registry
        )
        self._stage_seconds = Histogram(
            "metercrop_stage_seconds",
            "What each stage of a photo took.",
            ("stage",),
            buckets=SECONDS,
            registry=self._registry,
        )

    def _watch(self, admission: Budget, memory: Budget) -> None:
        gauges = (
            ("metercrop_admitted_pixels", "Pixels being worked on.", lambda: admission.held),
            ("metercrop_admitted_pixels_limit", "Pixels allowed.", lambda: admission.limit),
            ("metercrop_body_bytes", "Bytes of bodies held in memory.", lambda: memory.held),
        )
        for name, meaning, value in gauges:
            Gauge(name, meaning, registry=self._registry).set_function(value)


def program_version() -> str:
    try:
        return version("metercrop")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"
