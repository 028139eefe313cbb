"""What was saved, over many photos."""

from __future__ import annotations

from dataclasses import dataclass

BYTES_PER_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SavingsTotals:
    """Sums over records; `freed_bytes` leaves out originals that are still kept beside a crop."""

    photos: int = 0
    cropped: int = 0
    kept_original: int = 0
    original_bytes: int = 0
    stored_bytes: int = 0
    retained_bytes: int = 0
    billable_saved_bytes: int = 0
    """`freed_bytes` after each object is counted with at least the billable minimum."""

    @property
    def saved_bytes(self) -> int:
        return self.original_bytes - self.stored_bytes

    @property
    def freed_bytes(self) -> int:
        return self.saved_bytes - self.retained_bytes

    @property
    def saved_fraction(self) -> float:
        return self.saved_bytes / self.original_bytes if self.original_bytes else 0.0

    @property
    def mean_saved_bytes(self) -> int:
        return round(self.saved_bytes / self.photos) if self.photos else 0

    def money_per_month(self, *, price_per_gb_month: float) -> float:
        return self.billable_saved_bytes / BYTES_PER_GB * price_per_gb_month
