"""The only place that names every adapter: settings go in, working parts come out."""

from service.bootstrap.keeping import (
    Keeping,
    engine_of,
    megapixels_of,
    migrate_database,
    opened_job_ledger,
    opened_keeping,
    opened_ledger,
    own_store_of,
    purge_of,
    reconcile_of,
    restore_of,
    store_of,
)
from service.bootstrap.serving import (
    Machine,
    api_of,
    assembled,
    auth_rule_of,
    ingest_of,
    job_rules_of,
    policy_of,
    segmenter_of,
)
from service.bootstrap.worker import JobWorker, worker_of

__all__ = [
    "JobWorker",
    "Keeping",
    "Machine",
    "api_of",
    "assembled",
    "auth_rule_of",
    "engine_of",
    "ingest_of",
    "job_rules_of",
    "megapixels_of",
    "migrate_database",
    "opened_job_ledger",
    "opened_keeping",
    "opened_ledger",
    "own_store_of",
    "policy_of",
    "purge_of",
    "reconcile_of",
    "restore_of",
    "segmenter_of",
    "store_of",
    "worker_of",
]
