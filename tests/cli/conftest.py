"""The command line against a daemon that only takes down what it is told (``cli_site``)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli_site import Site, cli_site


@pytest.fixture(scope="module")
def shared() -> Iterator[Site]:
    with cli_site() as found:
        yield found


@pytest.fixture
def site(shared: Site) -> Site:
    return shared.fresh()
