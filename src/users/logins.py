"""Sessions and API tokens: making them, what they give, and how they end."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ..common.access import ROLES, Grant
from ..common.errors import CommandError
from .book import Book, Login, Token, User

NOTED_EVERY_S = 300.0
"""How old what the store knows of the last use may be."""
MOST = 50
"""Sessions of one user, and tokens of one user."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts unused, and at all (seconds)."""

    idle_s: float = 12 * 3600.0
    most_s: float = 7 * 86400.0


class Logins:
    """Makes, finds and ends what stands for a user. ``wall``: seconds since 1970."""

    def __init__(self, book: Book, wall: Callable[[], float]) -> None:
        self.limits = Limits()
        self._book = book
        self._wall = wall

    # -- what a secret gives

    def grant(self, secret: str) -> Grant | None:
        """Return what ``secret`` gives; using it is noted."""
        return self._look_up(_digest(secret))

    def current(self, grant: Grant) -> Grant | None:
        """Return what the secret of ``grant`` gives now; None once it has ended."""
        return self._look_up(grant.id)

    def behind(self, grant: Grant) -> Token | Login | None:
        """Return what a grant came from, None once that is gone."""
        return self._book.secrets.get(grant.id)

    def _look_up(self, digest: str) -> Grant | None:
        found = self._book.secrets.get(digest)
        given = self._granted(found) if found is not None else None
        if given is not None and found is not None:
            self._used(found)
        return given

    def _granted(self, found: Token | Login) -> Grant | None:
        user = self._book.users.get(found.user.casefold())
        if user is None or user.disabled or self.has_ended(found):
            return None
        if isinstance(found, Login):
            return Grant(user.name, user.role, user.name, session=True, id=found.hash)
        role = ROLES[min(ROLES.index(found.role), ROLES.index(user.role))]
        return Grant(f"{user.name} (token {found.name})", role, user.name, id=found.hash)

    def has_ended(self, found: Token | Login) -> bool:
        now = self._wall()
        if isinstance(found, Token):
            return found.expires is not None and now >= found.expires
        return now - found.last_used > self.limits.idle_s or now - found.created > self.limits.most_s

    def _used(self, found: Token | Login) -> None:
        now = self._wall()
        if found.last_used is None or not 0 <= now - found.last_used < min(NOTED_EVERY_S, self.limits.idle_s / 4):
            self._book.note(replace(found, last_used=now))

    def left_s(self, login: Login) -> float:
        """Return how long a session lasts at most from now on, in seconds."""
        return max(0.0, login.created + self.limits.most_s - self._wall())

    # -- sessions

    def begin(self, user: User, address: str, agent: str, gone: Iterable[Login] = ()) -> tuple[str, Login]:
        """Make a session, and end others with the same commit; return its secret, which nobody can find out later.

        Who has too many loses the oldest. Raises StoreError, and CommandError when the user was changed meanwhile: an
        old session must not wait for a user who is added again under that name.
        """
        secret = f"os_{secrets.token_urlsafe(32)}"
        now = self._wall()
        login = Login(secrets.token_hex(8), user.name, _digest(secret), now, now, address, agent)
        with self._book.lock:
            now_is = self._book.users.get(user.name.casefold())
            if now_is is None or now_is.disabled or now_is.created != user.created or now_is.changed != user.changed:
                raise CommandError(f"{user.name} has just been changed: log in again", "denied")
            mine = [one for one in self._book.logins() if one.user == user.name]
            ended = {one.id: one for one in (*self._over(), *mine[: max(0, len(mine) - MOST + 1)], *gone)}
            self._book.write(login, gone=ended.values())
        return secret, login

    def sessions(self) -> list[Login]:
        """Return the sessions that last, oldest first."""
        return [one for one in self._book.logins() if not self.has_ended(one)]

    def _over(self) -> list[Login]:
        return [one for one in self._book.logins() if self.has_ended(one)]

    # -- tokens

    def tokens(self) -> list[Token]:
        return self._book.tokens()

    def make_token(self, name: str, user: User, role: str, expires_s: float | None) -> tuple[str, Token]:
        """Make an API token; return its secret, which is told this once. Raises CommandError, StoreError."""
        secret = f"ot_{secrets.token_urlsafe(32)}"
        now = self._wall()
        with self._book.lock:
            if self._book.users.get(user.name.casefold()) != user:
                raise CommandError(f"{user.name} has just been changed: try again", "conflict")
            mine = [one for one in self._book.tokens() if one.user == user.name]
            if any(one.name == name for one in mine):
                raise CommandError(f"{user.name} has a token {name} already; remove it, or name another", "conflict")
            if len(mine) >= MOST:
                raise CommandError(f"{user.name} has {MOST} tokens already; remove one first", "refused")
            expires = None if expires_s is None else now + expires_s
            token = Token(secrets.token_hex(8), name, user.name, role, _digest(secret), now, None, expires)
            self._book.write(token)
        return secret, token

    def end(self, *found: Token | Login) -> None:
        """End sessions and tokens; connections that use them lose their role. Raises StoreError."""
        self._book.write(gone=found)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
