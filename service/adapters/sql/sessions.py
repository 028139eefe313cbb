"""Who is signed in, in `sessions`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from service.adapters.sql.queries import insert_if_new
from service.adapters.sql.tables import ApiKeyRow, SessionRow
from service.core.access import SignIn


def add(session: Session, sign_in: SignIn, *, at: datetime) -> None:
    """Those that have expired by then are deleted in passing."""
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= at))
    columns = {
        "id_sha256": sign_in.id_sha256,
        "key_id": sign_in.key_id,
        "expires_at": sign_in.expires_at,
    }
    session.execute(insert_if_new(session, SessionRow), columns)


def end(session: Session, id_sha256: str) -> None:
    session.execute(delete(SessionRow).where(SessionRow.id_sha256 == id_sha256))


def key_of_session(id_sha256: str, *, at: datetime) -> Select[ApiKeyRow]:
    """The key that somebody signed in with, while that lasts."""
    return (
        select(ApiKeyRow)
        .join(SessionRow, SessionRow.key_id == ApiKeyRow.id)
        .where(SessionRow.id_sha256 == id_sha256, SessionRow.expires_at > at)
    )
