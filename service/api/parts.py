"""What the routes work with; one value, made in `bootstrap`, kept on the application."""

from __future__ import annotations

from dataclasses import dataclass

from service.api.keys import Authentication
from service.core.photo import Limits
from service.ports import JobLedger, Ledger, ObjectStore, Segmenter
from service.usecases.jobs import JobRules
from service.usecases.restore import Restore
from service.usecases.upload import Intake


@dataclass(frozen=True, slots=True)
class Parts:
    intake: Intake
    restore: Restore
    store: ObjectStore
    ledger: Ledger
    jobs: JobLedger
    job_rules: JobRules
    segmenter: Segmenter
    limits: Limits
    max_concurrent_megapixels: float
    authentication: Authentication
    price_per_gb_month: float
    min_billable_bytes: int
    currency: str = "USD"
    savings_days: int = 0
    """How far reports without a `from` go back; 0 is all the way."""
