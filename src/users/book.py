"""Users, tokens and sessions as rows: in memory for every look, written through to the store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from ..common.device_loop import DeviceLoop
from ..store.store import Store

WRITE_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class User:
    """``hash``: of the password, see ``passwords``; times in seconds since 1970."""

    table: ClassVar[str] = "users"
    name: str
    role: str
    hash: str
    created: float
    changed: float
    disabled: bool = False

    @property
    def key(self) -> str:
        return self.name

    def shown(self) -> dict[str, Any]:
        """Return what may be seen of it."""
        return {name: value for name, value in asdict(self).items() if name != "hash"}


@dataclass(frozen=True, slots=True)
class Token:
    """A secret for a program. ``role``: the most it may do; it never may more than its user. ``expires``: None, never.

    ``hash``  SHA-256 of the secret, which has 256 random bits, so that no salt and no slow hash is needed
    """

    table: ClassVar[str] = "tokens"
    id: str
    name: str
    user: str
    role: str
    hash: str
    created: float
    last_used: float | None = None
    expires: float | None = None

    @property
    def key(self) -> str:
        return self.id

    def shown(self) -> dict[str, Any]:
        """Return what may be seen of it."""
        return {name: value for name, value in asdict(self).items() if name != "hash"}


@dataclass(frozen=True, slots=True)
class Login:
    """A session: somebody logged in with a password. ``agent``: the browser, as it calls itself."""

    table: ClassVar[str] = "sessions"
    id: str
    user: str
    hash: str
    created: float
    last_used: float
    address: str = ""
    agent: str = ""

    @property
    def key(self) -> str:
        return self.id

    def shown(self) -> dict[str, Any]:
        """Return what may be seen of it."""
        return {name: value for name, value in asdict(self).items() if name != "hash"}


Row = User | Token | Login


class Book:
    """All rows. To read takes no lock; who decides by what it reads and then writes holds ``lock`` meanwhile.

    ``users`` by casefolded name, ``secrets`` (tokens and sessions) by the hash of what their holder presents.
    """

    def __init__(self, store: Store, loop: DeviceLoop) -> None:
        self.lock = threading.RLock()
        self._memory = threading.Lock()  # held for no longer than a change of the two dicts takes
        self.users: dict[str, User] = {}
        self.secrets: dict[str, Token | Login] = {}
        self._store = store
        self._loop = loop

    def open(self) -> None:
        """Take up what the store holds. Raises StoreError."""
        self.users = {row["name"].casefold(): User(**row) for row in self._store.load("users")}
        found: list[Token | Login] = [Token(**row) for row in self._store.load("tokens")]
        found += [Login(**row) for row in self._store.load("sessions")]
        self.secrets = {one.hash: one for one in found}

    def tokens(self) -> list[Token]:
        return sorted((one for one in tuple(self.secrets.values()) if isinstance(one, Token)), key=_age)

    def of(self, user: str) -> list[Token | Login]:
        """Return the tokens and sessions of a user."""
        return [one for one in tuple(self.secrets.values()) if one.user == user]

    def logins(self) -> list[Login]:
        return sorted((one for one in tuple(self.secrets.values()) if isinstance(one, Login)), key=_age)

    def write(self, *rows: Row, gone: Iterable[Row] = ()) -> None:
        """Save ``rows`` and remove those that are ``gone``, in one commit. For a thread that may wait.

        Raises StoreError; the change holds all the same as long as the process lives, and is written when that works
        again.
        """
        gone = tuple(gone)
        with self.lock:
            with self._memory:
                for row in rows:
                    self._hold(row)
                for row in gone:
                    self._drop(row)
            self._loop.call(self._commit(rows, gone), WRITE_TIMEOUT_S)

    def note(self, row: Token | Login) -> None:
        """Save a row with the store's next commit, whenever that is. From any thread; does not wait."""
        with self._memory:
            if row.hash not in self.secrets:  # it was removed meanwhile, and does not come back
                return
            self.secrets[row.hash] = row
        self._loop.post(self._put, row)

    def _hold(self, row: Row) -> None:
        if isinstance(row, User):
            self.users[row.name.casefold()] = row
        else:
            self.secrets[row.hash] = row

    def _drop(self, row: Row) -> None:
        if isinstance(row, User):
            self.users.pop(row.name.casefold(), None)
        else:
            self.secrets.pop(row.hash, None)

    async def _commit(self, rows: tuple[Row, ...], gone: tuple[Row, ...]) -> None:
        for row in rows:
            self._put(row)
        for row in gone:
            self._store.remove(row.table, row.key)
        await asyncio.shield(self._store.commit())

    def _put(self, row: Row) -> None:
        if isinstance(row, User) or row.hash in self.secrets:  # one that was removed meanwhile does not come back
            values = asdict(row)
            key = values.pop(next(iter(values)))
            self._store.put(row.table, key, **values)


def _age(row: Token | Login) -> float:
    return row.created
