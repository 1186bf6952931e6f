"""What has to be known of mains failures after a restart: who went down, who of them was on, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from ..store.store import Store

KEY = "ups"


@dataclass(frozen=True, slots=True)
class Record:
    """``down``   server that went down -> whether it is to come back, as it was on before
    ``fired``     UPS -> level that was reached in this mains failure -> why
    ``battery``   UPS -> moment of the clock since when it is on battery, as a stamp
    ``again``     servers that are to go down once more, or faster, as a battery became low
    """

    down: Mapping[str, bool] = field(default_factory=dict)
    fired: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    battery: Mapping[str, str] = field(default_factory=dict)
    again: Sequence[str] = field(default_factory=list)

    def with_fired(self, ups: str, levels: Mapping[str, str]) -> Record:
        rest = {name: one for name, one in self.fired.items() if name != ups}
        return replace(self, fired={**rest, ups: levels} if levels else rest)

    def with_battery(self, ups: str, stamp: str) -> Record:
        rest = {name: one for name, one in self.battery.items() if name != ups}
        return replace(self, battery={**rest, ups: stamp} if stamp else rest)

    def without(self, servers: set[str]) -> Record:
        return replace(self, down={name: was_on for name, was_on in self.down.items() if name not in servers})


def load(store: Store) -> Record:
    """Return what the store remembers. Raises StoreError."""
    rows = store.load("meta", equal=("name", KEY))
    text = rows[0]["value"] if rows else ""
    return Record(**json.loads(text)) if text else Record()


def put(store: Store, record: Record) -> None:
    """Note ``record``; the next commit writes it."""
    store.put("meta", KEY, value=json.dumps(asdict(record)) if record != Record() else "")
