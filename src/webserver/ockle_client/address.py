"""How people write where the daemon is: HOST, HOST:PORT, unix:PATH, tls:HOST:PORT."""

from __future__ import annotations

from .connection import DEFAULT_PORT

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any


def parse_address(text: str) -> dict[str, Any]:
    """Return keyword arguments for Connection. Raises ValueError with a sentence for the user.

    ``text``  ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT``, ``unix:PATH``, or one of the first three after ``tls:``
    """
    if text.startswith("unix:"):
        if not text[5:]:
            raise ValueError("unix: needs the path of a socket, such as unix:/run/ockle/socket")
        return {"unix": text[5:]}
    tls = text.startswith("tls:")
    rest = text[4:] if tls else text
    if rest.count(":") > 1 and not rest.startswith("["):
        host, port = rest, ""  # a bare IPv6 address
    elif rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = rest.partition(":")
    if not host or not (port == "" or (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
        raise ValueError(f"{text!r} is no address; write HOST, HOST:PORT, unix:PATH or tls:HOST:PORT")
    return {"host": host, "port": int(port) if port else DEFAULT_PORT, **({"tls": True} if tls else {})}
