"""Looking into a store past Ockle's own classes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from ockle.store.connect import make_engine


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that is committed at the end; nothing stays open."""
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
