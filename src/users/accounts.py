"""The users: who there is, their roles and passwords. There is always somebody left who can make others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..common.access import ROLES
from ..common.errors import CommandError
from . import passwords
from .book import Book, Login, User
from .names import checked_name


class Accounts:
    """Makes, changes and removes users. Each method raises CommandError, or StoreError when it is not on disk yet."""

    def __init__(self, book: Book, wall: Callable[[], float]) -> None:
        self._book = book
        self._wall = wall

    def everybody(self) -> list[User]:
        return sorted(self._book.users.values(), key=lambda user: user.name.casefold())

    def get(self, name: object) -> User:
        user = self._book.users.get(checked_name(name).casefold())
        if user is None:
            raise CommandError(f"there is no user {name}", "not_found")
        return user

    def has_admin(self) -> bool:
        """Tell whether a user can log in who may do everything."""
        return any(_rules(user) for user in self._book.users.values())

    def add(self, name: object, role: object, password: object) -> User:
        name = checked_name(name)
        user = User(name, _role(role), self._hash(password, name), self._wall(), self._wall())
        with self._book.lock:
            if name.casefold() in self._book.users:
                raise CommandError(f"there is a user {self._book.users[name.casefold()].name} already", "conflict")
            self._book.write(user)
        return user

    def change(self, name: object, *, role: object = None, password: object = None, disabled: object = None) -> User:
        """Change what is not None; whatever it is, the user's sessions end."""
        before = self.get(name)
        digest = None if password is None else self._hash(password, before.name)
        if disabled is not None and not isinstance(disabled, bool):
            raise CommandError("disabled is true or false")
        with self._book.lock:
            user = self.get(name)
            after = replace(
                user,
                role=user.role if role is None else _role(role),
                hash=digest or user.hash,
                disabled=user.disabled if disabled is None else disabled,
                changed=self._wall(),
            )
            if not _rules(after):
                self._keep_an_admin(user)
            self._book.write(after, gone=self._sessions(user))
        return after

    def remove(self, name: object) -> User:
        """Remove a user, with all sessions and tokens."""
        with self._book.lock:
            user = self.get(name)
            self._keep_an_admin(user)
            self._book.write(gone=(user, *self._book.of(user.name)))
        return user

    def verified(self, name: object, password: object) -> User | None:
        """Return the user whose password this is, None for a wrong one and for who is not there or disabled.

        Takes as long in each case. A hash of another cost is renewed on the way.
        """
        if not isinstance(name, str) or not isinstance(password, str) or len(password) > passwords.LONGEST:
            return None
        try:
            user = self.get(name)
        except CommandError:
            user = None
        if not passwords.fits(password, user.hash if user is not None and not user.disabled else None):
            return None
        if user is not None and passwords.is_outdated(user.hash):
            self._renew(user, passwords.make_hash(password))
        return user

    def _renew(self, user: User, digest: str) -> None:
        with self._book.lock:
            if self._book.users.get(user.name.casefold()) == user:  # it is still the same password
                self._book.write(replace(user, hash=digest))

    def _hash(self, password: object, name: str) -> str:
        if not isinstance(password, str):
            raise CommandError("a password is a text")
        if problem := passwords.problem(password, name):
            raise CommandError(problem)
        return passwords.make_hash(password)

    def _sessions(self, user: User) -> list[Login]:
        return [one for one in self._book.logins() if one.user == user.name]

    def _keep_an_admin(self, user: User) -> None:
        if _rules(user) and not any(_rules(one) for one in self._book.users.values() if one.name != user.name):
            raise CommandError(f"{user.name} is the last admin: make another one first", "refused")


def _rules(user: User) -> bool:
    return user.role == "admin" and not user.disabled


def _role(role: object) -> str:
    if role not in ROLES:
        raise CommandError(f"role is {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    return str(role)
