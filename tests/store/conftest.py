"""Databases for the tests of the store: each of them runs on SQLite and on a PostgreSQL that nobody here wrote."""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from peers import missing
from peers_postgres import postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server's first database."""
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg is not installed (the extra postgresql)")
    with tempfile.TemporaryDirectory(prefix="ockle-pg-") as folder:
        Path(folder).chmod(0o755)
        with postgres(Path(folder)) as address:
            yield address


@pytest.fixture
def postgresql(server: str) -> str:
    """The URL of an empty database."""
    name = f"test{next(_numbers)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    address: str = request.getfixturevalue("postgresql")
    return address
