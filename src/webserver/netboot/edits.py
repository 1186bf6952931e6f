"""What a person changed in the table of hosts, put into the file as it is now, whoever changed that meanwhile.

Only what was changed is written: comments, order and the times of last use stay, and what others did to other hosts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Fields = tuple[str, str, str]
"""MAC address, address, name; as they are shown."""
NEW_ROWS = 3
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - as piman writes it


class Posted(Protocol):
    def getall(self, key: str) -> list[Any]: ...
    def get(self, key: str, default: str) -> Any: ...


@dataclass(slots=True)
class Row:
    """A row of the table.

    ``id``      of its fields in the form
    ``was``     what was shown when the page was made; None: a new row
    ``now``     what stands in the fields
    ``theirs``  what the file has now, when somebody else changed the same; None: it is gone
    """

    id: str
    was: Fields | None
    now: Fields
    last_used: int = 0
    remove: bool = False
    comment: str = ""
    problem: str = ""
    conflict: bool = False
    theirs: Fields | None = None

    @property
    def is_comment(self) -> bool:
        return self.id == ""

    @property
    def changed(self) -> bool:
        return self.remove or (self.now != self.was if self.was is not None else any(self.now))


@dataclass(slots=True)
class Edited:
    """``text``: the new file; ``row_of``: number of a line in it -> the id of its row; ``conflicts``: ids."""

    text: str
    row_of: dict[int, str] = field(default_factory=dict)
    conflicts: dict[str, Fields | None] = field(default_factory=dict)


def shown(lines: Iterable[Mapping[str, Any]], more: int = NEW_ROWS) -> list[Row]:
    """Return the rows for a file, and ``more`` empty ones. ``lines``: of ``netbootHosts``."""
    rows = []
    for line in lines:
        if line["kind"] == "comment":
            rows.append(Row("", None, ("", "", ""), comment=line["text"]))
        else:
            fields = _fields(line)
            used = int(line["last_used"] or 0) if str(line["last_used"] or 0).isdigit() else 0
            rows.append(Row(f"l{line['number']}", fields, fields, used, problem=line["problem"]))
    return [*rows, *(Row(f"n{number}", None, ("", "", "")) for number in range(more))]


def posted_rows(post: Posted) -> list[Row]:
    """Return the rows that a form brought back; comments are in none."""
    rows = []
    for id_ in dict.fromkeys(_texts(post.getall("row"))):
        was = str(post.get(f"was,{id_}", ""))
        now = tuple(_clean(str(post.get(f"{name},{id_}", ""))) for name in ("mac", "ip", "name"))
        parts = was.split(";")
        old = (parts[0], parts[1], ";".join(parts[2:])) if len(parts) > 2 else None
        rows.append(Row(id_, old, (now[0], now[1], now[2]), remove=post.get(f"remove,{id_}", "") == "yes"))
    return rows


def apply(lines: Iterable[Mapping[str, Any]], rows: Iterable[Row]) -> Edited:
    """Return the file with what ``rows`` change. One that somebody else changed, too, is left as they have it."""
    rows = list(rows)
    lines = list(lines)
    by_fields: dict[Fields, list[Row]] = {}
    for row in rows:
        if row.was is not None:
            by_fields.setdefault(row.was, []).append(row)
    found: dict[int, Row] = {}
    for line in lines:
        fields = _fields(line)
        if line["kind"] != "comment" and by_fields.get(fields):
            found[line["number"]] = by_fields[fields].pop(0)
    edited = Edited("")
    by_mac = {line["mac"]: _fields(line) for line in lines if line["kind"] == "host"}
    for left in by_fields.values():
        for row in left:
            if row.changed and row.was is not None:
                edited.conflicts[row.id] = by_mac.get(row.was[0])
    texts: list[str] = []
    for line in lines:
        mine = found.get(line["number"])
        if mine is None:
            texts.append(line["text"])
        elif not mine.remove:
            texts.append(_line(mine.now, line["last_used"]) if mine.changed else line["text"])
            edited.row_of[len(texts)] = mine.id
    for row in rows:
        if row.was is None and any(row.now) and not row.remove:
            texts.append(_line(row.now, ""))
            edited.row_of[len(texts)] = row.id
    edited.text = "".join(f"{text}\n" for text in texts)
    return edited


def _fields(line: Mapping[str, Any]) -> Fields:
    return str(line["mac"]), str(line["ip"]), str(line["name"])


def _line(fields: Fields, last_used: object) -> str:
    mac, ip, name = fields
    return f"{mac};{ip or NO_ADDRESS};{name};{last_used or 0}"


def _clean(text: str) -> str:
    return " ".join(text.split())


def _texts(values: Iterable[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]
