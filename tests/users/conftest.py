"""A site with users, and cheap hashes: what is tested here is not how long scrypt takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ockle.users import passwords
from users_site import UsersSite, users_site


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "LOG2_N", 4)
    monkeypatch.setattr(passwords, "_NOBODY", passwords.make_hash("nobody's own"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[UsersSite]:
    with users_site(tmp_path) as found:
        yield found
