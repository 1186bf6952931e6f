"""A broker for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers_mosquitto import Mosquitto, running


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running(tmp_path_factory.mktemp("mosquitto")) as found:
        yield found
