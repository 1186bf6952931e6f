"""Lists of hosts as people have them: with commas, with a line of titles, with fields that are missing."""

from __future__ import annotations

from ...netboot.hosts import Host, HostList, parse_hosts
from ...netboot.mac import parse_mac

FIELDS = 4


def as_hosts(text: str) -> str:
    """Return ``text`` as hosts.csv has it. What cannot be understood stays, so that its fault is told with its line."""
    lines = text.lstrip("\ufeff").splitlines()
    return "".join(f"{_line(line, first=number == 0)}\n" for number, line in enumerate(lines))


def _line(line: str, *, first: bool) -> str:
    if not line.strip() or line.lstrip().startswith("#"):
        return line
    mark = next((one for one in (";", "\t", ",") if one in line), ";")
    fields = [field.strip().strip('"').strip() for field in line.split(mark)]
    if first and not _is_mac(fields[0]):  # the titles of a table
        return f"# {line}"
    while len(fields) > FIELDS and not fields[-1]:
        fields.pop()
    return ";".join([*fields, *[""] * (FIELDS - len(fields))])


def _is_mac(text: str) -> bool:
    try:
        parse_mac(text)
    except ValueError:
        return False
    return True


def merged(old: HostList, text: str) -> str:
    """Return the file ``old`` with the hosts of ``text`` put into it: new ones, and others in the place of their MAC.

    A field that is empty in ``text`` stays as it was; lines of ``text`` with faults come at the end, to be told.
    """
    found = parse_hosts(text)
    coming = {host.mac: host for host in found.hosts}
    lines = []
    for line, before in old.lines:
        after = coming.pop(before.mac, None) if before is not None else None
        filled = _filled(after, before) if before is not None and after is not None else before
        lines.append(line if filled == before or filled is None else filled.line())
    lines += [host.line() for host in coming.values()]
    faults = {problem.number for problem in found.problems}
    lines += [line for number, (line, _host) in enumerate(found.lines, 1) if number in faults]
    return "".join(f"{line}\n" for line in lines)


def _filled(host: Host, before: Host) -> Host:
    return Host(host.mac, host.ip or before.ip, host.name or before.name, host.last_used or before.last_used)
