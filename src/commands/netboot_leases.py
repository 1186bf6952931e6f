"""The leases as the DHCP service keeps them, for people."""

from __future__ import annotations

from contextlib import closing

from ..netboot.boards import Boards
from ..netboot.dhcp.lease_store import read_leases as read_rows
from .group import Data


def read_leases(boards: Boards) -> list[Data]:
    """Return every lease: ip, mac, hostname, state, until (seconds since 1970)."""
    with closing(boards.connect(durable=False)) as connection:
        return [
            {"ip": row.ip, "mac": row.mac, "hostname": row.hostname, "state": row.state, "until": row.ends}
            for row in read_rows(connection)
        ]
