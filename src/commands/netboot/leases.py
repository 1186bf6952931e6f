"""The leases as the DHCP service keeps them, for people."""

from __future__ import annotations

from ...netboot.boards import Boards
from ...netboot.dhcp.lease_store import read_leases as read_rows
from ..group import Data


def read_leases(boards: Boards, now: float) -> list[Data]:
    """Return the addresses that are not free: ip, mac, hostname, state, until (seconds since 1970).

    ``state`` is bound, offered, quarantined, or ended: remembered for its machine until somebody else needs it.
    Raises OckleError.
    """
    connection = boards.connect(durable=False)
    try:
        rows = read_rows(connection)
    finally:
        connection.close()
    return [
        {
            "ip": row.ip,
            "mac": row.mac,
            "hostname": row.hostname,
            "state": row.state if row.ends > now else "ended",
            "until": row.ends,
        }
        for row in rows
        if row.state != "free"
    ]
