"""Commands about users, their sessions and tokens, and the audit log."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Any

from ..common.access import ANYONE, ROLES, suffices
from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..store.audit import Filter
from ..users.book import Login, Token, User
from ..users.names import checked_name
from ..users.users import Users
from .group import CommandGroup, Data

_WHO = {"user": "name", "password": "secret"}
_CLIENT = {"address?": "for a web server: where its client is", "agent?": "the browser, as it calls itself"}
_ROLE = ", ".join(ROLES)
_AUDIT = {
    "limit?": "how many, newest first; default 100, at most 1000",
    "before_id?": "only entries before that one, for the next page",
    "who?": "a part of the name",
    "server?": "name",
    "command?": "name",
    "since?": "seconds since 1970",
    "check?": "true: look whether the whole log is as it was written",
}
MOST_ENTRIES = 1000


class UserCommands(CommandGroup):
    """Who may log in, as what, and what they did."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        self._add("setupState", self.setup_state, ANYONE)
        self._add("setupUser", self.set_up, ANYONE, {"code": "from setupCode", **_WHO, **_CLIENT}, recorded=True)
        self._add("userLogin", self.log_in, ANYONE, _WHO | _CLIENT, recorded=True)
        self._add("setupCode", self.setup_code, "admin")
        self._add("userLogout", self.log_out, recorded=True)
        self._add("whoAmI", self.who_am_i)
        self._add("passwordCheck", self.check_password, params={"password": "secret"}, recorded=True)
        self._add("passwordChange", self.change_password, params={"old": "secret", "new": "secret"}, recorded=True)
        self._add("users", self.users, "admin", recorded=False)
        self._add("userAdd", self.add_user, "admin", {**_WHO, "role": _ROLE})
        change = {"user": "name", "role?": _ROLE, "password?": "the new one", "disabled?": "true or false"}
        self._add("userChange", self.change_user, "admin", change)
        self._add("userRemove", self.remove_user, "admin", {"user": "name"})
        self._add("sessions", self.sessions)
        self._add("sessionEnd", self.end_session, params={"id": "from sessions"}, recorded=True)
        self._add("tokens", self.tokens)
        token = {
            "name": "for what",
            "role?": "default: the user's",
            "expires_s?": "seconds",
            "user?": "default: one's own",
        }
        self._add("tokenAdd", self.add_token, params=token, recorded=True)
        self._add("tokenRemove", self.remove_token, params={"id": "from tokens"}, recorded=True)
        self._add("audit", self.audit, "admin", _AUDIT, recorded=False)

    def _add(
        self,
        name: str,
        function: Any,
        role: str = "viewer",
        params: dict[str, str] | None = None,
        *,
        recorded: bool | None = None,
    ) -> None:
        add = self._daemon.communicationHandler.AddCommandToList
        add(name, function, role=role, params=params, recorded=recorded)

    @property
    def _users(self) -> Users:
        users: Users = self._daemon.users
        return users

    # -- the first user

    def setup_state(self, data: Data) -> Data:
        """Return ``needed``: whether there is no admin yet who could log in."""
        return {"needed": self._users.setup.is_needed()}

    def setup_code(self, data: Data) -> Data:
        """Return ``code``, which makes one an admin as long as there is none."""
        return {"code": self._users.setup.show()}

    def set_up(self, data: Data) -> Data:
        """Make the first user, an admin, and log in; returns what userLogin does."""
        who = data["user"], data["password"], _place(data), data.get("agent", "")
        return self._session(*self._users.set_up(data["code"], *who))

    # -- logging in and out

    def log_in(self, data: Data) -> Data:
        """Return a session by a password: session (the secret for ``login``), name, role, expires_s.

        Refused as "throttled" after too many failures of this user from there; then ``retry_s`` says how long to wait.
        """
        return self._session(*self._users.log_in(data["user"], data["password"], _place(data), data.get("agent", "")))

    def _session(self, secret: str, login: Login, user: User) -> Data:
        limits = self._users.logins.limits
        return {
            "session": secret,
            "name": user.name,
            "role": user.role,
            "idle_s": limits.idle_s,
            "expires_s": self._users.logins.left_s(login),
        }

    def log_out(self, data: Data) -> Data:
        """End the session that this connection logged in with."""
        mine = self._mine()
        if not isinstance(mine, Login):
            raise CommandError("this connection did not log in with a session", "refused")
        self._users.logins.end(mine)
        return {}

    def who_am_i(self, data: Data) -> Data:
        """Return name, role, user ("" for a token of the configuration), via, address, and id of session or token."""
        caller, mine = current_caller(), self._mine()
        return {
            "name": caller.name,
            "role": caller.role,
            "user": caller.user,
            "via": caller.via,
            "address": caller.reported or caller.address,
            "id": mine.id if mine is not None else "",
            "session": isinstance(mine, Login),
        }

    def check_password(self, data: Data) -> Data:
        """Tell whether this is the caller's password: asked for again before what cannot be undone."""
        self._users.check_password(self._me(), data["password"])
        return {}

    def change_password(self, data: Data) -> Data:
        """Change one's own password. All sessions of the user end; returns a new one, as userLogin does."""
        user = self._me()
        secret, login = self._users.change_password(user, data["old"], data["new"], _place({}))
        return self._session(secret, login, user)

    # -- users

    def users(self, data: Data) -> Data:
        """Return ``users``: for each name, role, disabled, created, changed, and how many sessions and tokens."""
        users = self._users
        sessions = Counter(one.user for one in users.logins.sessions())
        tokens = Counter(one.user for one in users.logins.tokens())
        return {
            "users": [
                {**user.shown(), "sessions": sessions[user.name], "tokens": tokens[user.name]}
                for user in users.accounts.everybody()
            ]
        }

    def add_user(self, data: Data) -> Data:
        """Add a user; returns the user."""
        return self._users.accounts.add(data["user"], data["role"], data["password"]).shown()

    def change_user(self, data: Data) -> Data:
        """Give a user another role or password, or disable them; the user's sessions end. Returns the user."""
        change = {name: data.get(name) for name in ("role", "password", "disabled")}
        if all(value is None for value in change.values()):
            raise CommandError("userChange needs role, password or disabled")
        return self._users.accounts.change(data["user"], **change).shown()

    def remove_user(self, data: Data) -> Data:
        """Remove a user with all sessions and tokens; refused for the last admin."""
        return {"user": self._users.accounts.remove(data["user"]).name}

    # -- sessions and tokens: everybody's own, an admin's all

    def sessions(self, data: Data) -> Data:
        """Return ``sessions``: id, user, created, last_used, address, agent; an admin sees those of all."""
        return {"sessions": [one.shown() for one in self._users.logins.sessions() if self._concerns(one)]}

    def end_session(self, data: Data) -> Data:
        """End a session, one's own or, as an admin, anybody's."""
        self._end([one for one in self._users.logins.sessions() if one.id == data["id"]], "session")
        return {}

    def tokens(self, data: Data) -> Data:
        """Return ``tokens``: id, name, user, role, created, last_used, expires; an admin sees those of all."""
        return {"tokens": [one.shown() for one in self._users.logins.tokens() if self._concerns(one)]}

    def add_token(self, data: Data) -> Data:
        """Make an API token. Returns it with ``token``, the secret for ``login``, which is told this once.

        It never may more than its user, nor than who makes it.
        """
        caller = current_caller()
        user = self._users.accounts.get(data["user"]) if data.get("user") else self._me()
        if user.name != caller.user and caller.role != "admin":
            raise CommandError("a token for somebody else needs the role admin", "denied")
        role = data.get("role") or user.role
        if role not in ROLES:
            raise CommandError(f"role is one of {_ROLE}")
        if not suffices(user.role, role) or not suffices(caller.role, role):
            raise CommandError(f"a token cannot be {role}: that is more than {user.name} or you may do", "denied")
        expires_s = data.get("expires_s")
        if expires_s is not None and (
            isinstance(expires_s, bool) or not isinstance(expires_s, int | float) or not 0 < expires_s < 1e10
        ):
            raise CommandError("expires_s is a number of seconds")
        secret, token = self._users.logins.make_token(checked_name(data["name"], "token"), user, role, expires_s)
        return {**token.shown(), "token": secret}

    def remove_token(self, data: Data) -> Data:
        """Remove a token, one's own or, as an admin, anybody's."""
        self._end([one for one in self._users.logins.tokens() if one.id == data["id"]], "token")
        return {}

    def _end(self, found: list[Login] | list[Token], what: str) -> None:
        mine = [one for one in found if self._concerns(one)]
        if not mine:  # also when it is somebody else's: whose it is, is nobody's business
            raise CommandError(f"there is no such {what}", "not_found")
        self._users.logins.end(*mine)

    # -- audit

    def audit(self, data: Data) -> Data:
        """Return ``entries``, newest first: who did what, from where, by which way, and what became of it.

        ``problem`` is, when asked to check, where the log is not as it was written, "" if it is. ``details`` are the
        parameters as JSON, without what may be secret.
        """
        texts = {name: data.get(name) or "" for name in ("who", "server", "command")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise CommandError("who, server and command are texts")
        limit = _number(data, "limit") or 100
        before, since = _number(data, "before_id"), _number(data, "since")
        wanted = Filter(**texts, before_id=None if before is None else int(before), since=since)
        log = self._users.audit
        reply: Data = {"entries": log.newest(max(1, min(int(limit), MOST_ENTRIES)), wanted)}
        return reply | ({"problem": log.problem()} if data.get("check") else {})

    # -- the caller

    def _mine(self) -> Login | Token | None:
        """Return the session or token that the caller logged in with."""
        grant = current_caller().grant
        return self._users.logins.behind(grant) if grant is not None else None

    def _me(self) -> User:
        user = current_caller().user
        if not user:
            raise CommandError("this connection is no user's: log in with a password, or name the user", "refused")
        return self._users.accounts.get(user)

    @staticmethod
    def _concerns(one: Login | Token) -> bool:
        caller = current_caller()
        return caller.role == "admin" or one.user == caller.user


def _place(data: Data) -> str:
    """Return where the person is who logs in. What a client reports counts only if it could as well have lied better:

    it is on this machine, or has a token of the configuration, as a web server does, or is an admin. Else every guess
    would come from somewhere new.
    """
    caller = current_caller()
    host = caller.address.rpartition(":")[0].strip("[]").partition("%")[0] or caller.address
    reported = data.get("address") or caller.reported
    if not isinstance(reported, str):
        raise CommandError("address is a text")
    if reported and (_is_local(host) or caller.role == "admin" or (caller.role and not caller.user)):
        try:
            return str(ipaddress.ip_address(reported))
        except ValueError:
            raise CommandError("address is an IP address") from None
    return host


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True  # a Unix socket, or no socket at all


def _number(data: Data, name: str) -> float | None:
    value = data.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise CommandError(f"{name} is a number")
    return value
