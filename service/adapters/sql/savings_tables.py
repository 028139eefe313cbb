"""Sums over photos, kept so that a report costs what it shows, and the changes to come into them.

Who writes a photo's row adds a row to `savings_changes` in the same transaction, which waits for
nobody: two writers of a sum's own row would queue for each other's commits. Now and then one of
them folds the waiting changes into `savings_sums`; reports read both in one snapshot.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Identity, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from service.adapters.sql.tables import NAME, Base


class SavingsSumRow(Base):
    """Of one key of a dimension, over a day or a month of UTC.

    `key` is empty where the photos have none, else an equals sign and the key. Billable bytes
    are those of the minimum in `savings_basis`; confidence and region are in millionths.
    """

    __tablename__ = "savings_sums"
    __table_args__ = ({"sqlite_with_rowid": False},)

    dimension: Mapped[str] = mapped_column(primary_key=True)
    grain: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[date] = mapped_column(Date(), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)

    photos: Mapped[int] = mapped_column(BigInteger)
    cropped: Mapped[int] = mapped_column(BigInteger)
    original_bytes: Mapped[int] = mapped_column(BigInteger)
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    retained_bytes: Mapped[int] = mapped_column(BigInteger)
    billable_original_bytes: Mapped[int] = mapped_column(BigInteger)
    billable_stored_bytes: Mapped[int] = mapped_column(BigInteger)
    billable_retained_bytes: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    confidence_millionths: Mapped[int] = mapped_column(BigInteger)
    region_millionths: Mapped[int] = mapped_column(BigInteger)


class SavingsChangeRow(Base):
    """A photo that was added, with the sign 1, or taken away, with -1; a changed one is both."""

    __tablename__ = "savings_changes"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True
    )
    sign: Mapped[int] = mapped_column(SmallInteger)
    day: Mapped[date] = mapped_column(Date())
    site: Mapped[str | None] = mapped_column(NAME)
    meter_type: Mapped[str | None] = mapped_column(NAME)
    model: Mapped[str]
    model_version: Mapped[str]
    reason: Mapped[str | None]
    source: Mapped[str]
    cropped: Mapped[int] = mapped_column(SmallInteger)
    refused: Mapped[int] = mapped_column(SmallInteger)
    retained: Mapped[int] = mapped_column(SmallInteger)
    original_bytes: Mapped[int] = mapped_column(BigInteger)
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    context_bytes: Mapped[int | None] = mapped_column(BigInteger)
    confidence_millionths: Mapped[int] = mapped_column(BigInteger)
    region_millionths: Mapped[int] = mapped_column(BigInteger)


class SavingsBasisRow(Base):
    """The one row that says with which minimum the billable sums are made."""

    __tablename__ = "savings_basis"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    min_billable_bytes: Mapped[int] = mapped_column(BigInteger)
