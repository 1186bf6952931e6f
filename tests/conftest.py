"""For every test: hypothesis profiles, and nothing but loopback traffic."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import loopback

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

loopback.install()


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """Fail a test whose code tried to leave the machine, even when that code swallowed the guard's error."""
    loopback.strayed.clear()
    yield
    assert not loopback.strayed, f"traffic to elsewhere: {loopback.strayed}"
