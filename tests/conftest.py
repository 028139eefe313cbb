"""Fixtures for all tests: real servers, started once a run and stopped at its end."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.postgres", "tests.servers.s3"]

# A busy machine is no failure: timings belong to the benchmarks. Nor is chance: the examples are
# the same each time, and `make test ARGS=--hypothesis-profile=new-examples` looks for others.
settings.register_profile(
    "new-examples", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("metercrop", settings.get_profile("new-examples"), derandomize=True)
settings.load_profile("metercrop")
