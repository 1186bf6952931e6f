"""What the commands below ``ockle netboot`` share: asking a daemon that may have no boot server, and sizes."""

from __future__ import annotations

from ..common.sizes import size_text
from ..webserver.ockle_client.connection import ClientError
from .codes import CliError

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

    from ..webserver.ockle_client.connection import Connection


def ask(connection: Connection, command: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send a command. Raises CliError when the daemon does not know it: the plugin is not loaded."""
    try:
        return connection.call(command, data or {})
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        raise CliError("the daemon has no boot server: add NetBoot to `plugins` in config.ini") from None


def ask_about_hosts(connection: Connection, command: str, data: dict[str, Any]) -> dict[str, Any]:
    """Send a command with the text of a hosts.csv, however long it is. Raises CliError as ``ask``."""
    from ..webserver.ockle_client.long_texts import call_with_text  # rarely needed, and not free

    return call_with_text(lambda name, values: ask(connection, name, values), command, data, "netbootHostsPart")


def size(amount: float | None) -> str:
    """Return bytes as ``1.4 MiB``; ``-`` for None."""
    return "-" if amount is None else size_text(amount)


def percent(transfer: dict[str, Any]) -> str:
    """Return how much of a transfer is done, ``-`` where its size is not known."""
    return f"{100 * transfer['sent'] // transfer['size']} %" if transfer["size"] else "-"
