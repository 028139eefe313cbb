"""Fakes of the ports: real behaviour in memory, held to the same contract tests as the adapters."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from service.adapters.objects import checked_key, checked_range, is_own, round_trip
from service.core.access import ApiKey, SignIn
from service.core.drift import (
    ModelDay,
    confidence_millionths,
    is_refused,
    region_millionths,
    version_of,
)
from service.core.errors import RequestRejected, Unavailable
from service.core.fields import check_name
from service.core.history import HistoryEntry, Told, deleted, next_entry, recorded
from service.core.record import (
    Page,
    PhotoFilter,
    Record,
    Recorded,
    Retention,
    Status,
    is_address,
)
from service.core.savings import (
    GroupBy,
    Period,
    Rebuilt,
    SavingsReport,
    SavingsTotals,
    report_of,
)
from service.ports import OwnedObject, StoredObject


class FakeLedger:
    """A `Ledger` in memory, safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._records: dict[UUID, Record] = {}
        self._originals: dict[str, str] = {}  # SHA-256 by idempotency key
        self._keys: dict[UUID, ApiKey] = {}
        self._sessions: dict[str, SignIn] = {}
        self._histories: dict[UUID, list[HistoryEntry]] = {}

    def record(self, record: Record, *, idempotency_key: str | None = None) -> Recorded:
        check_name("idempotency_key", idempotency_key)
        sha256 = record.original.sha256
        with self._lock:
            if idempotency_key and self._originals.get(idempotency_key, sha256) != sha256:
                raise RequestRejected(
                    "idempotency.conflict", f"{idempotency_key!a} was used with other bytes"
                )
            if idempotency_key:
                self._originals[idempotency_key] = sha256
            earlier = self.by_original(sha256)
            if earlier is not None:
                return Recorded(earlier, created=False)
            self._records[record.id] = record
            self._tell(record.id, recorded(record))
            return Recorded(record, created=True)

    def by_id(self, photo_id: UUID) -> Record | None:
        with self._lock:
            return self._records.get(photo_id)

    def by_original(self, sha256: str) -> Record | None:
        with self._lock:
            found = (r for r in self._records.values() if r.original.sha256 == sha256)
            return next(found, None)

    def of_bytes(self, sha256: str) -> Record | None:
        with self._lock:
            records = tuple(self._records.values())
        found = [each for each in records if sha256 in (each.original.sha256, each.stored.sha256)]
        return max(found, key=lambda each: each.original.sha256 == sha256, default=None)

    def original_of_idempotency_key(self, idempotency_key: str) -> str | None:
        check_name("idempotency_key", idempotency_key)
        with self._lock:
            return self._originals.get(idempotency_key)

    def page(self, where: PhotoFilter, *, limit: int, cursor: str | None = None) -> Page:
        newest_first = sorted(self._selected(where), key=_position, reverse=True)
        if cursor is not None:
            last = _position_of(cursor)
            newest_first = [record for record in newest_first if _position(record) < last]
        items = tuple(newest_first[:limit])
        if len(newest_first) <= limit:
            return Page(items, None)
        return Page(items, _cursor_after(items[-1]))

    def change(self, before: Record, after: Record, *, told: Told | None = None) -> bool:
        with self._lock:
            if self._records.get(before.id) != before:
                return False
            if told is not None:
                self._tell(before.id, told)
            self._records[before.id] = after
            return True

    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:
        with self._lock:
            return tuple(self._histories.get(photo_id, ()))

    def due(self, now: datetime, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        with self._lock:
            over = [
                record
                for record in self._records.values()
                if record.original.retention is Retention.GRACE and _end_of_grace(record)[0] <= now
            ]
        in_order = sorted(over, key=_end_of_grace)
        if after is not None:
            in_order = [each for each in in_order if _end_of_grace(each) > _end_of_grace(after)]
        return tuple(in_order[:limit])

    def locked(self, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        return self._after(
            after, limit, lambda record: record.original.retention is Retention.LOCKED
        )

    def never_packed(
        self, received_before: datetime, *, limit: int, after: Record | None = None
    ) -> tuple[Record, ...]:
        return self._after(
            after,
            limit,
            lambda record: (
                record.stored.at_rest is None
                and record.status is Status.CROPPED
                and record.stored.media_type == "image/jpeg"
                and not is_address(record.stored.key)
                and record.received_at < received_before
            ),
        )

    def packed(self, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        return self._after(after, limit, lambda record: record.stored.is_packed)

    def delete(self, photo_id: UUID, *, at: datetime) -> Record | None:
        with self._lock:
            record = self._records.pop(photo_id, None)
            if record is not None:
                self._tell(photo_id, deleted(record, at=at))
                sha256 = record.original.sha256
                self._originals = {k: s for k, s in self._originals.items() if s != sha256}
            return record

    def owned_objects(self) -> Iterator[OwnedObject]:
        with self._lock:
            owned = [each for record in self._records.values() for each in _owned_by(record)]
        yield from sorted(owned, key=lambda each: each.key)

    def owned_of(self, keys: Collection[str]) -> frozenset[str]:
        return frozenset(each.key for each in self.owned_objects()) & frozenset(keys)

    def totals(self, where: PhotoFilter, *, min_billable_bytes: int) -> SavingsTotals:
        records = self._selected(where)
        return _summed(SavingsTotals.of(r, min_billable_bytes=min_billable_bytes) for r in records)

    def savings(
        self, period: Period, *, group_by: GroupBy | None = None, min_billable_bytes: int
    ) -> SavingsReport:
        groups: dict[str | None, SavingsTotals] = defaultdict(SavingsTotals)
        for record in self._selected(PhotoFilter(from_=period.from_, to=period.to)):
            one = SavingsTotals.of(record, min_billable_bytes=min_billable_bytes)
            groups[_key_of(record, group_by)] += one
        return report_of(period, group_by, groups)

    def model_days(self, since: date, before: date) -> tuple[ModelDay, ...]:
        days: dict[tuple[date, str], list[Record]] = defaultdict(list)
        for record in self._selected(PhotoFilter()):
            if since <= (day := record.received_at.astimezone(UTC).date()) < before:
                days[day, version_of(record.model)].append(record)
        return tuple(_model_day(day, model, of) for (day, model), of in sorted(days.items()))

    def rebuild_savings(self, *, min_billable_bytes: int) -> Rebuilt:  # noqa: ARG002 - the port names it
        """It keeps no sums that could be wrong."""
        return Rebuilt(photos=len(self._selected(PhotoFilter())), sums=0, wrong=0)

    def add_key(self, key: ApiKey) -> None:
        check_name("name", key.name)
        with self._lock:
            self._keys.setdefault(key.id, key)

    def key_by_secret(self, secret_sha256: str) -> ApiKey | None:
        found = (key for key in self.keys() if key.secret_sha256 == secret_sha256)
        return next(found, None)

    def keys(self) -> tuple[ApiKey, ...]:
        with self._lock:
            return tuple(sorted(self._keys.values(), key=lambda key: (key.created_at, key.id)))

    def revoke_key(self, key_id: UUID, *, at: datetime) -> ApiKey | None:
        with self._lock:
            key = self._keys.get(key_id)
            if key is not None and key.revoked_at is None:
                self._keys[key_id] = replace(key, revoked_at=at)
            return self._keys.get(key_id)

    def add_session(self, sign_in: SignIn, *, at: datetime) -> None:
        with self._lock:
            lasting = {k: s for k, s in self._sessions.items() if s.expires_at > at}
            self._sessions = {**lasting, sign_in.id_sha256: sign_in}

    def session_key(self, id_sha256: str, *, at: datetime) -> ApiKey | None:
        with self._lock:
            sign_in = self._sessions.get(id_sha256)
            if sign_in is None or sign_in.expires_at <= at:
                return None
            return self._keys[sign_in.key_id]

    def end_session(self, id_sha256: str) -> None:
        with self._lock:
            self._sessions.pop(id_sha256, None)

    def check(self) -> None:
        """It is always there."""

    def _after(
        self, last: Record | None, limit: int, wanted: Callable[[Record], bool]
    ) -> tuple[Record, ...]:
        """In the order of their ids."""
        with self._lock:
            found = [each for each in self._records.values() if wanted(each)]
        found = [each for each in found if last is None or each.id > last.id]
        return tuple(sorted(found, key=lambda each: each.id)[:limit])

    def _tell(self, photo_id: UUID, told: Told) -> None:
        entries = self._histories.setdefault(photo_id, [])
        entries.append(next_entry(entries[-1] if entries else None, photo_id, told))

    def _selected(self, where: PhotoFilter) -> list[Record]:
        with self._lock:
            return [record for record in self._records.values() if _is_selected(record, where)]


def _is_selected(record: Record, where: PhotoFilter) -> bool:
    return (
        where.meter_id in {None, record.capture.meter_id}
        and where.site in {None, record.capture.site}
        and where.status in {None, record.status}
        and where.reason in {None, record.reason}
        and (where.from_ is None or where.from_ <= record.received_at)
        and (where.to is None or record.received_at < where.to)
    )


def _owned_by(record: Record) -> Iterator[OwnedObject]:
    sizes = {record.stored.key: record.stored.bytes}
    if record.original.retained_key is not None:
        sizes[record.original.retained_key] = record.original.bytes
    if record.context is not None:
        sizes[record.context.key] = record.context.bytes
    for key, size in sizes.items():
        if not is_address(key):
            yield OwnedObject(key, size, record.id)


def _position(record: Record) -> tuple[datetime, UUID]:
    return record.received_at, record.id


def _end_of_grace(record: Record) -> tuple[datetime, UUID]:
    """Before all others those whose original is about to be deleted."""
    return record.original.retained_until or datetime.min.replace(tzinfo=UTC), record.id


def _cursor_after(record: Record) -> str:
    return f"{record.received_at.isoformat()} {record.id}".encode().hex()


def _position_of(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, _, photo_id = bytes.fromhex(cursor).decode().partition(" ")
        return datetime.fromisoformat(moment), UUID(photo_id)
    except ValueError as error:
        raise RequestRejected("field.invalid", f"cursor can't be read: {cursor[:60]!a}") from error


def _summed(totals: Iterable[SavingsTotals]) -> SavingsTotals:
    return sum(totals, start=SavingsTotals())


def _key_of(record: Record, group_by: GroupBy | None) -> str | None:
    day = record.received_at.astimezone(UTC).date()
    keys: dict[GroupBy | None, str | None] = {
        None: None,
        GroupBy.DAY: day.isoformat(),
        GroupBy.WEEK: (day - timedelta(days=day.weekday())).isoformat(),
        GroupBy.MONTH: day.replace(day=1).isoformat(),
        GroupBy.SITE: record.capture.site,
        GroupBy.METER_TYPE: record.capture.meter_type,
        GroupBy.MODEL: record.model.name,
        GroupBy.REASON: record.reason,
        GroupBy.SOURCE: record.source,
    }
    return keys[group_by]


def _model_day(day: date, model: str, records: list[Record]) -> ModelDay:
    return ModelDay(
        day=day,
        model=model,
        photos=len(records),
        cropped=sum(record.status is Status.CROPPED for record in records),
        refused=sum(map(is_refused, records)),
        confidence_millionths=sum(map(confidence_millionths, records)),
        region_millionths=sum(map(region_millionths, records)),
    )


class FakeObjectStore:
    """An `ObjectStore` in memory, safe to use from many threads.

    While `available` is False every call raises `Unavailable`, as a server that is down does.
    """

    def __init__(self) -> None:
        self.available = True
        self._lock = threading.RLock()
        self._contents: dict[str, tuple[bytes, datetime]] = {}

    def put(self, key: str, content: bytes, *, media_type: str) -> None:  # noqa: ARG002 - the port names it
        self._require_available()
        with self._lock:
            self._contents[checked_key(key)] = (bytes(content), datetime.now(UTC))

    def get(self, key: str) -> bytes | None:
        self._require_available()
        with self._lock:
            content, _ = self._contents.get(checked_key(key), (None, None))
            return content

    def get_range(self, key: str, *, start: int, length: int) -> bytes | None:
        checked_range(start, length)
        content = self.get(key)
        return None if content is None else content[start : start + length]

    def head(self, key: str) -> StoredObject | None:
        self._require_available()
        with self._lock:
            return self._stored(key) if checked_key(key) in self._contents else None

    def delete(self, key: str) -> None:
        self._require_available()
        with self._lock:
            self._contents.pop(checked_key(key), None)

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        self._require_available()
        with self._lock:
            keys = sorted(key for key in self._contents if key.startswith(prefix))
            found = [self._stored(key) for key in keys if not is_own(key)]
        yield from found

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:  # noqa: ARG002 - the port names it
        return None

    def check(self) -> None:
        round_trip(self)

    def _stored(self, key: str) -> StoredObject:
        content, modified_at = self._contents[key]
        return StoredObject(key, len(content), modified_at)

    def _require_available(self) -> None:
        if not self.available:
            raise Unavailable("store.unavailable", "the fake store was told to be unavailable")
