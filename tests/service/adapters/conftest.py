"""Which tests there are at all: those of versions and locks need a server that has them."""

from tests.servers.s3 import CEPH

collect_ignore = [] if CEPH else ["test_archive_versions.py"]
