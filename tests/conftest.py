"""Fixtures for all tests: real servers, started once a run and stopped at its end."""

from hypothesis import settings

pytest_plugins = ["tests.servers.postgres", "tests.servers.s3"]

# A busy machine is no failure: timings belong to the benchmarks.
settings.register_profile("metercrop", deadline=None)
settings.load_profile("metercrop")
