"""Options of DHCP (RFC 2132, 3396): code -> value, whatever the number of pieces they came in or go out in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

PAD, MASK, ROUTER, DNS, HOST_NAME, DOMAIN, BROADCAST, VENDOR, NTP = 0, 1, 3, 6, 12, 15, 28, 43, 42
REQUESTED, LEASE_TIME, OVERLOAD, MESSAGE_TYPE, SERVER_ID, WANTED, TEXT, MOST_BYTES = 50, 51, 52, 53, 54, 55, 56, 57
RENEWAL, REBINDING, CLASS_ID, CLIENT_ID, TFTP_SERVER, BOOT_FILE, USER_CLASS = 58, 59, 60, 61, 66, 67, 77
RELAY_AGENT, ARCHITECTURE, MACHINE_ID, IPXE, END = 82, 93, 97, 175, 255

FILE_BYTES, SNAME_BYTES = 128, 64
"""What option 52 may use of the header when the options do not fit behind it (RFC 2131 section 4.1)."""


class OptionsError(ValueError):
    """Options that run over their end."""


def parse_options(data: bytes, into: dict[int, bytes], start: int = 0) -> None:
    """Read the options from ``start`` on; of one that comes in several pieces the pieces are joined (RFC 3396).

    Ends at END; what is behind it is not looked at. A field without END ends with its bytes. Raises OptionsError.
    """
    at, end = start, len(data)
    try:
        while at < end:
            code = data[at]
            if code == END:
                return
            if code == PAD:
                at += 1
                continue
            begin = at + 2
            at = begin + data[at + 1]
            if at > end:
                break
            value = data[begin:at]
            into[code] = into[code] + value if code in into else value
    except IndexError:
        at = end + 1
    if at > end:
        raise OptionsError(f"option {code} runs over the end of the packet")


def encode_option(code: int, value: bytes) -> bytes:
    """Return an option; one over 255 bytes comes in several pieces (RFC 3396). No bytes, no option."""
    if len(value) <= 255:
        return bytes((code, len(value))) + value if value else b""
    return b"".join(encode_option(code, value[at : at + 255]) for at in range(0, len(value), 255))


def encode_options(options: Mapping[int, bytes] | Iterable[tuple[int, bytes]]) -> bytes:
    """Return the options in their order, without END."""
    pairs = options.items() if isinstance(options, Mapping) else options
    return b"".join([encode_option(code, value) for code, value in pairs])


def overload(options: bytes, last: bytes, room: int, file: bytes, sname: bytes) -> tuple[bytes, bytes, bytes]:
    """Spread options over the option field of ``room`` bytes and, with option 52, over ``file`` and ``sname``.

    ``options``  as ``encode_options`` returns them; the first ones are the most important
    ``last``     options that have to be the last ones of the option field (RFC 3046 section 2.1)
    ``file`` and ``sname`` hold what they are needed for themselves; then they take no options.
    Returns the three fields, each with its END. An option that fits nowhere as a whole is left out.
    """
    rooms = [room - len(last) - 4, 0 if file else FILE_BYTES - 1, 0 if sname else SNAME_BYTES - 1]  # END; option 52
    fields = [b"", b"", b""]
    for pieces in _grouped(options):
        trial, field = fields.copy(), 0  # pieces are joined in the order of the fields: none goes before its former one
        for piece in pieces:
            while field < 3 and len(trial[field]) + len(piece) > rooms[field]:
                field += 1
            if field == 3:
                break
            trial[field] += piece
        else:
            fields = trial
    used = (1 if fields[1] else 0) | (2 if fields[2] else 0)
    head = encode_option(OVERLOAD, bytes((used,))) if used else b""
    end = bytes((END,))
    return (
        head + fields[0] + last + end,
        fields[1] + end if fields[1] else file,
        fields[2] + end if fields[2] else sname,
    )


def _grouped(options: bytes) -> Iterator[list[bytes]]:
    """Give each option as the pieces that it was cut into."""
    at, pieces = 0, list[bytes]()
    while at < len(options):
        piece = options[at : at + 2 + options[at + 1]]
        at += len(piece)
        if pieces and pieces[0][0] != piece[0]:
            yield pieces
            pieces = []
        pieces.append(piece)
    if pieces:
        yield pieces
