"""The pages over the same fakes and small model as the API."""

from tests.service.api.conftest import client, ledger, parts, segmenter, store

__all__ = ["client", "ledger", "parts", "segmenter", "store"]
