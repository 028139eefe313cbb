"""The pages over the same fakes and small model as the API."""

from tests.service.api.conftest import client, ledger, parts, segmenter, store
from tests.service.api.jobs.conftest import jobs

__all__ = ["client", "jobs", "ledger", "parts", "segmenter", "store"]
