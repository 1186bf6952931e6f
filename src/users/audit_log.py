"""Writes down who did what, from where, and what became of it: for good, in the state database, each entry sealed.

In the state database and not beside the events, because it must not be lost: that one is written with an fsync and
gives way to nothing. A reply is sent after its entry is on disk.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..common.access import Action
from ..common.device_loop import DeviceLoop
from ..common.errors import OckleError
from ..common.logs import redact
from ..store import audit
from ..store.store import Store
from ..store.transfer import connected
from .names import plain

log = logging.getLogger(__name__)

WRITE_TIMEOUT_S = 10.0
PRUNE_EVERY = 200
REFUSALS_PER_S, REFUSALS_AT_ONCE = 0.1, 60.0
"""What may be written of those who are not let in: a flood of them must not wash everything else out."""
SAME_LOGIN_S = 600.0
"""How long the next wrong token from one place is not written down: a page left open goes on asking with its own."""

SHOWN = """
server servers obj object state action rev run held force forced for_s deadline_s note status name user role do kind
disabled id session file files section key iniPath message base limit plan targets exclude order expires_s
board boards host mac ip image power pdu ports write alert silence subject for channel node
""".split()  # noqa: SIM905 - a list of literals would take a line for each
"""Parameters that are written down with their values; of all others only that they were given, as some are secret."""
_LOGINS = frozenset({"userLogin", "setupUser"})
"""Whoever sends these is the one whom they name."""
_OBJECTS = """
server servers targets board host mac pdu name user id session file files iniPath alert silence subject channel node
""".split()  # noqa: SIM905 - as above


class AuditLog:
    """Entries go in with ``record``. ``keep``: how many stay; ``wall``: seconds since 1970; ``now``: monotonic."""

    def __init__(self, store: Store, loop: DeviceLoop, now: Callable[[], float], wall: Callable[[], float]) -> None:
        self.keep = 20_000
        self._store = store
        self._loop = loop
        self._now, self._wall = now, wall
        self._head = audit.Link()
        self._since_prune = 0
        self._lock = threading.Lock()
        self._allowance, self._filled = REFUSALS_AT_ONCE, now()
        self._left_out = 0
        self._wrong_tokens: dict[tuple[str, str], float] = {}  # place -> when it was written down

    def open(self) -> None:
        """Go on after the newest entry. Raises StoreError."""
        self._head = self._store.read(audit.head)
        self._prune()

    def record(self, action: Action) -> None:
        """Write ``action`` down and return once it is on disk; when that fails, the daemon's log says so."""
        if action.result in ("denied", "throttled") and not self._is_worth_it(action):
            return
        row = self._row(action)
        try:
            self._loop.call(self._append(row), WRITE_TIMEOUT_S)
        except OckleError as error:
            log.error("audit: not on disk yet: %s", error)

    def newest(self, limit: int, wanted: audit.Filter) -> list[dict[str, Any]]:
        """Return entries, newest first. Raises StoreError."""
        with connected(self._store.url) as connection:  # one of its own: the writer has better things to do
            return audit.newest(connection, limit, wanted)

    def problem(self) -> str:
        """Return where the chain is broken, "" while it is whole. Reads it all. Raises StoreError."""
        with connected(self._store.url) as connection:
            return audit.problem(connection)

    def _is_worth_it(self, action: Action) -> bool:
        """Tell whether a refusal is to be written down; one that is not is counted."""
        with self._lock:
            now = self._now()
            self._allowance = min(REFUSALS_AT_ONCE, self._allowance + (now - self._filled) * REFUSALS_PER_S)
            self._filled = now
            if self._allowance < 1 or (action.command == "login" and self._is_known(action, now)):
                self._left_out += 1
                return False
            self._allowance -= 1
            return True

    def _is_known(self, action: Action, now: float) -> bool:
        place = action.caller.address.rpartition(":")[0], action.caller.reported
        self._wrong_tokens = {one: when for one, when in self._wrong_tokens.items() if now - when < SAME_LOGIN_S}
        is_known = place in self._wrong_tokens
        self._wrong_tokens.setdefault(place, now)
        return is_known

    def _row(self, action: Action) -> dict[str, Any]:
        caller, data = action.caller, action.data
        with self._lock:
            left_out, self._left_out = self._left_out, 0
        text = f"{action.text} ({left_out} more refusals were not written down)" if left_out else action.text
        logs_in = action.command in _LOGINS
        run = action.reply.get("run", data.get("run", ""))
        return {
            "time": self._wall(),
            "who": plain(data.get("user", "") if logs_in else caller.name, 100),
            "role": str(action.reply.get("role", "")) if logs_in else caller.role,
            "via": caller.via,
            "address": caller.address,
            "reported": plain(data.get("address") or caller.reported if logs_in else caller.reported, 60),
            "command": action.command,
            "object": plain(", ".join(_objects(data)), 1000),
            "run": plain(run, 40) if isinstance(run, str | int) else "",
            "result": action.result,
            "text": plain(redact(text), 500),
            "details": _details(data),
        }

    async def _append(self, row: dict[str, Any]) -> None:
        row = {"id": self._head.id + 1, **row, "before": self._head.hash}
        self._head = audit.link(row)
        number = row.pop("id")
        self._store.put("audit", number, **row)
        self._store.put("meta", audit.HEAD, value=str(self._head))
        log.info(
            "audit %d: %s (%s, %s, %s%s) %s %s: %s [%s]",
            *(number, row["who"] or "nobody", row["role"] or "no role", row["via"], row["address"]),
            f" for {row['reported']}" if row["reported"] else "",
            *(row["command"], row["object"], row["result"], self._head.hash[:16]),
        )
        self._since_prune += 1
        await self._store.commit()
        if self._since_prune >= PRUNE_EVERY:
            self._since_prune = 0
            self._prune()

    def _prune(self) -> None:
        self._store.tidy(lambda connection: audit.prune(connection, self.keep), "audit")


def _objects(data: Mapping[str, Any]) -> list[str]:
    for name in _OBJECTS:
        value = data.get(name)
        if isinstance(value, str) and value:
            return [value, *([data["obj"]] if isinstance(data.get("obj"), str) else [])]
        if isinstance(value, list | dict) and value:
            return [str(one) for one in value]
    return []


def _details(data: Mapping[str, Any]) -> str:
    """Return the parameters as JSON, without what may be a secret or is long."""
    shown = {name: _shown(value) if name in SHOWN else "…" for name, value in data.items()}
    return plain(redact(json.dumps(shown, ensure_ascii=True)), 2000)


def _shown(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list):
        return [plain(one, 100) if isinstance(one, str) else "…" for one in value[:50]] + ["…"] * (len(value) > 50)
    if isinstance(value, dict):
        return _shown(list(value))
    return plain(value, 200)
