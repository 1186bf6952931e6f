"""TFTP: what a request means, and what a client may do to a transfer."""

from __future__ import annotations

import struct

from ockle.netboot.tftp.content import Text, encode_netascii
from ockle.netboot.tftp.names import View, candidates, clean, fill_cmdline
from ockle.netboot.tftp.negotiation import WINDOW_BYTES, Limits, negotiate
from ockle.netboot.tftp.packet import Code, Op, Request, TftpError, error, oack, parse_error, parse_oack, parse_request
from ockle.netboot.tftp.transfer import WRAP_TO_0, WRAP_TO_1, Ending, Transfer

from .target import Target

_LIMITS = Limits(1468, 64)
_VIEW = View("DC:A6:32:01:02:04", "k8s", {"config.txt": "other.txt"}, ("lab-",))


def requests(data: bytes) -> None:
    """A request is refused, or means files below the root and is granted no more than it asks for."""
    try:
        asked = parse_request(data)
    except TftpError as refusal:
        assert error(refusal.code, str(refusal)).endswith(b"\0")
        return
    assert not data.isascii() or parse_request(asked.encode()) == asked
    terms = negotiate(asked.options, _LIMITS, 2**33)
    assert list(dict(terms.granted)) == [name for name in asked.options if name in dict(terms.granted)]
    assert 8 <= terms.block <= 1468 and 1 <= terms.window <= 64 and terms.window * terms.block <= WINDOW_BYTES
    if terms.granted:
        assert parse_oack(oack(terms.granted)) == dict(terms.granted)
    try:
        name = clean(asked.name)
    except TftpError as refusal:
        assert refusal.code in (Code.ACCESS, Code.NOT_FOUND)
        return
    for path in candidates(name, _VIEW):
        assert path and not path.startswith("/") and not {"", ".", ".."} & set(path.split("/")), path


def transfers(data: bytes) -> None:
    """Whatever a client sends and however late, a transfer sends bounded windows of the right bytes, and ends."""
    if len(data) < 4:
        return
    block, window = 8 + data[0] % 9, 1 + data[1] % 64
    content = bytes(range(256)) * (data[2] % 8) + bytes(data[2] % 7)
    terms = negotiate({"blksize": str(block), "windowsize": str(window)} if data[3] & 1 else {}, _LIMITS, None)
    modulus = WRAP_TO_1 if data[3] & 2 else WRAP_TO_0
    one = Transfer(Text(content).read, terms, timeout_s=1.0, tries=3, modulus=modulus)
    now, out, sent, moves = 0.0, one.start(0.0), 0, 1
    for at in range(4, len(data) - 2, 3):
        sent += len(out)
        moves += bool(out)
        assert len(out) <= terms.window and one.acked <= one.sent <= one.acked + terms.window
        for datagram in out:
            op, number = struct.unpack("!HH", datagram[:4])
            if op == Op.DATA:
                first = (number - 1) * terms.block  # less than 65536 blocks here
                assert datagram[4:] == content[first : first + terms.block]
        if one.ending is not None:
            assert not out
            break
        if data[at] & 1:
            now = one.deadline
            out = one.expired(now)
        elif data[at] & 2:  # anything at all
            out = one.receive(data[at + 1 :], now)
        else:  # an ACK of something near
            out = one.receive(struct.pack("!HH", Op.ACK, (one.acked + data[at + 1] - 100) % 65536), now)
    for _ in range(5):
        if one.ending is None:
            one.expired(one.deadline)
    assert one.ending is not None
    assert one.ending is not Ending.DONE or one.acked * terms.block > len(content)


def texts(data: bytes) -> None:
    """Netascii can be taken apart again; a kernel command line keeps its other lines; an error text can be printed."""
    assert encode_netascii(data).replace(b"\r\n", b"\n").replace(b"\r\0", b"\r") == data
    assert fill_cmdline(data, "10.0.0.1", "a=1").partition(b"\n")[2].count(b"\n") == data.partition(b"\n")[2].count(
        b"\n"
    )
    assert parse_error(data)[1].isprintable()


TARGETS = {
    "tftp_requests": Target(
        requests,
        (
            Request(False, "0a1b2c3d/start4.elf", "octet", {"tsize": "0", "blksize": "1468"}).encode(),
            Request(
                False, "dc-a6-32-01-02-04//./config.txt", "netascii", {"windowsize": "4", "timeout": "255"}
            ).encode(),
            Request(True, "lab-../x", "mail", {}).encode(),
        ),
        most=600,
    ),
    "tftp_transfers": Target(
        transfers,
        (
            bytes([0, 0, 1, 0]) + bytes([0, 101, 0]) * 5,
            bytes([8, 15, 3, 1]) + bytes([0, 100, 0]) + bytes([0, 116, 0, 1, 0, 0, 0, 105, 0]) * 4,
            bytes([1, 1, 2, 3]) + bytes([2, 0, 5, 0, 0, 0]) * 3,
        ),
        most=512,
        small=False,
    ),
    "tftp_texts": Target(texts, (b"\0\5\0\0Early terminate\0", b"ip=dhcp master=MASTER\r\nx\n"), most=256),
}
