"""Job and photo ledgers on one database; and which tests there are at all.

Those of versions and locks need a server that has them.
"""

import pytest
from sqlalchemy import Engine

from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.ports import JobLedger, Ledger
from tests.servers.s3 import CEPH

collect_ignore = [] if CEPH else ["test_archive_versions.py"]


@pytest.fixture
def jobs(engine: Engine) -> JobLedger:
    """An empty one in each database in turn."""
    return SqlJobLedger(engine)


@pytest.fixture
def photos(engine: Engine) -> Ledger:
    """On the same database."""
    return SqlLedger(engine)
