"""The records of a job's outcomes, many in a transaction, where others may write the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from service.adapters.sql.history import append_recorded, append_superseded
from service.adapters.sql.mapping import photo_columns, record_of
from service.adapters.sql.queries import insert_or_lock
from service.adapters.sql.rollup import count_changes
from service.adapters.sql.tables import PhotoRow
from service.adapters.sql.upserts import table_of
from service.core.crop import Reason
from service.core.record import Record


@dataclass(frozen=True, slots=True)
class Claim:
    """The wish to keep a record, which with `supersedes` is to replace the one with its id."""

    record: Record
    supersedes: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """The photo under which some bytes are recorded; `kept` is the claim's record that made it so.

    A record that should have superseded one which was deleted has become a photo of its own.
    """

    photo_id: UUID
    stored_key: str
    kept: Record | None = None


def keep_records(session: Session, claims: Mapping[str, Claim]) -> dict[str, Owner]:
    """Both by the SHA-256 of the original.

    Each row is inserted, or locked where there is one, in the order of the hashes; so that of two
    transactions with the same bytes one waits for the other, never both.
    """
    if not claims:
        return {}
    new = {sha256: _as_new(claims[sha256]) for sha256 in sorted(claims)}
    rows = [photo_columns(record) for record in new.values()]
    dialect = session.get_bind().dialect.name
    session.execute(insert_or_lock(dialect, PhotoRow, key="original_sha256"), rows)
    owners = _owners(session, claims)
    inserted = {sha256 for sha256, owner in owners.items() if owner.photo_id == new[sha256].id}
    append_recorded(session, (new[sha256] for sha256 in inserted))
    count_changes(session, ((None, new[sha256]) for sha256 in inserted))
    met = (claim for sha256, claim in claims.items() if sha256 not in inserted)
    for sha256 in inserted | _supersede(session, met):
        record = claims[sha256].record
        owners[sha256] = replace(owners[sha256], stored_key=record.stored.key, kept=record)
    return owners


def _as_new(claim: Claim) -> Record:
    return replace(claim.record, id=uuid7()) if claim.supersedes else claim.record


def _owners(session: Session, hashes: Collection[str]) -> dict[str, Owner]:
    found = session.execute(_owning(), {"hashes": list(hashes)})
    return {sha256: Owner(photo_id, key) for sha256, photo_id, key in found}


@cache
def _owning() -> Select[str, UUID, str]:
    columns = PhotoRow.original_sha256, PhotoRow.id, PhotoRow.stored_key
    return select(*columns).where(PhotoRow.original_sha256.in_(bindparam("hashes", expanding=True)))


def _supersede(session: Session, claims: Iterable[Claim]) -> set[str]:
    """The hashes of the bytes whose records it replaced; their rows are locked."""
    by_id = {claim.record.id: claim for claim in claims if claim.supersedes}
    if not by_id:
        return set()
    before = map(record_of, session.scalars(select(PhotoRow).where(PhotoRow.id.in_(by_id))))
    due = [record for record in before if _yields(record, by_id[record.id])]
    for record in due:
        claim = by_id[record.id]
        append_superseded(session, record, claim.record, at=claim.at)
    _replace(session, [by_id[record.id].record for record in due])
    count_changes(session, ((record, by_id[record.id].record) for record in due))
    return {record.original.sha256 for record in due}


def _yields(before: Record, claim: Claim) -> bool:
    """Whether the record is still such as the claim takes it for.

    It may have been made anew, restored or purged in the meantime; then nothing may come to
    depend on an original that is no longer there, or about to go.
    """
    if before.reason is Reason.RESTORED:
        return False
    if before.fingerprint is not None and before.fingerprint == claim.record.fingerprint:
        return False
    if before.original.retained_key is None:
        return claim.record.stored.key != claim.record.original.retained_key
    if claim.record.crop is None:
        return not before.original.may_be_deleted
    return before.original == claim.record.original


def _replace(session: Session, records: Collection[Record]) -> None:
    photos = table_of(PhotoRow)
    rows = [{"this": record.id, **photo_columns(record)} for record in records]
    if rows:
        session.execute(update(photos).where(photos.c.id == bindparam("this")), rows)
