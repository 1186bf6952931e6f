"""The daemon's users as one thing: what the registry of commands asks, and what the commands about users work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from ..common.access import Access, Action, Grant
from ..common.clock import Clock
from ..common.device_loop import DeviceLoop
from ..common.errors import CommandError
from ..store.store import Store
from .accounts import Accounts
from .audit_log import AuditLog
from .book import Book, Login, User
from .logins import Limits, Logins
from .names import folded, plain
from .setup_code import SetupCode
from .throttle import Throttle, surroundings

WRONG = "wrong name or password"


class Users(Access):
    """``accounts``: who there is; ``logins``: sessions, tokens; ``audit``: what was done; ``setup``: the first user."""

    def __init__(self, store: Store, loop: DeviceLoop, clock: Clock) -> None:
        book = Book(store, loop)
        self._book = book
        self.logins = Logins(book, clock.wall)
        self.accounts = Accounts(book, clock.wall)
        self.audit = AuditLog(store, loop, clock.now, clock.wall)
        self.setup = SetupCode(clock.now, lambda: not self.accounts.has_admin())
        self._throttle = Throttle(clock.now)

    def configure(self, options: Mapping[str, Any]) -> None:
        """Take the options of ``[users]``."""
        self.logins.limits = Limits(options["session_idle"], options["session_limit"])
        self.audit.keep = options["audit_limit"]

    def open(self) -> None:
        """Take up what the store holds; it is open. Raises StoreError."""
        self._book.open()
        self.audit.open()
        self.setup.announce()

    # -- for the registry of commands and the listeners

    @override
    def grant(self, token: str) -> Grant | None:
        return self.logins.grant(token)

    @override
    def current(self, grant: Grant) -> Grant | None:
        return self.logins.current(grant)

    @override
    def record(self, action: Action) -> None:
        self.audit.record(action)

    # -- logging in

    def log_in(self, name: object, password: object, address: str, agent: object = "") -> tuple[str, Login, User]:
        """Return a new session of a user: its secret, the session, the user.

        ``address``  where the person is, as far as that can be believed: guesses from there are slowed down together
        Raises CommandError: "denied", or "throttled" with ``retry_s`` in its data; StoreError.
        """
        key = ("user", folded(name), surroundings(address))
        self._throttle.begin(key)
        user = self.accounts.verified(name, password)
        if user is None:
            raise CommandError(WRONG, "denied")
        self._throttle.forget(key)
        return *self.logins.begin(user, address, plain(agent, 200)), user

    def set_up(
        self, code: object, name: object, password: object, address: str, agent: object = ""
    ) -> tuple[str, Login, User]:
        """Make the first user, an admin, and log in. Raises as ``log_in`` does."""
        key = ("setup", surroundings(address))
        self._throttle.begin(key)
        self.setup.check(code)
        self._throttle.forget(key)
        with self._book.lock:
            self.setup.check(code)  # nobody was faster
            user = self.accounts.add(name, "admin", password)
            self.setup.spend()
        return *self.logins.begin(user, address, plain(agent, 200)), user

    def change_password(self, user: User, old: object, new: object, address: str) -> tuple[str, Login]:
        """Change one's own password, by the old one; every session ends, and a new one is begun."""
        self.check_password(user, old)
        return self.logins.begin(self.accounts.change(user.name, password=new), address, "")

    def check_password(self, user: User, password: object) -> None:
        """Raise CommandError unless this is the user's password.

        Who asks has a login of the user: from wherever they say they are, their guesses are slowed down together.
        """
        key = ("again", user.name.casefold())
        self._throttle.begin(key)
        if self.accounts.verified(user.name, password) is None:
            raise CommandError("the password is wrong", "denied")
        self._throttle.forget(key)
