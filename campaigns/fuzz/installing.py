"""Targets of the installation of boards: the hello protocol, requests for root file systems, NTP, programs."""

from __future__ import annotations

from ockle.netboot.initramfs.elf import parse_elf
from ockle.netboot.install.http_get import HttpRefused, header, parse_request, refusal
from ockle.netboot.install.protocol import MOST_COMMANDS, Conversation, Do, Facts, Send, parse_line
from ockle.netboot.ntp.clock_state import Belief, KernelClock, source
from ockle.netboot.ntp.packet import SIZE, answer, kiss, parse_answer
from ockle.netboot.ntp.packet import parse_request as parse_ntp
from ockle.netboot.stages import MarkState

from .target import Target

_FORMAT = Send(("format",))


def hello_lines(data: bytes) -> None:
    """Whatever a board says, in any state of its mark: a disk is formatted only when it may be; few commands."""
    talk = Conversation("token")
    commands = 0
    for raw in data.split(b"\n"):
        for mark in MarkState:
            said = parse_line(raw)
            assert said.text.isascii() and said.text.isprintable()
            effects = talk.answer(said, Facts(mark, "image"))
            assert talk.trusted or _FORMAT not in effects
            assert (Do.TAKE in effects) == (_FORMAT in effects and mark is MarkState.WANTED)
            for effect in effects:
                if isinstance(effect, Send):
                    commands += 1
                    assert effect.encode().endswith(b"\nEOM\n")
        if Do.CLOSE in effects:
            break
    assert commands <= MOST_COMMANDS


def image_requests(data: bytes) -> None:
    """Any bytes in place of a request are refused, incomplete, or ask for one offset in the file."""
    try:
        wanted = parse_request(data)
        if wanted is None:
            return
        head, offset = header(wanted, 1000, "ab" * 32)
        assert 0 <= offset < 1000
        assert head.count(b"\r\n\r\n") == 1
    except HttpRefused as error:
        assert refusal(error).startswith(b"HTTP/1.1 ")


def ntp_packets(data: bytes) -> None:
    """No answer is longer than what asked for it, and none answers an answer."""
    parse_answer(data)
    request = parse_ntp(data)
    if request is None:
        return
    told = source(KernelClock(True, 0, 0.1), parse_answer(data), Belief(8, False), 10**18, -20)
    for reply in (answer(request, told, 10**18, 10**18), kiss(request, b"RATE", 10**18, -20)):
        assert len(reply) == SIZE <= len(data)
        assert parse_ntp(reply) is None
        assert reply[24:32] == data[40:48]


def programs(data: bytes) -> None:
    """A file in place of a program is one, or a ValueError, without a read past its end or a loop without one."""
    try:
        elf = parse_elf(data)
    except ValueError:
        return
    assert len(elf.loader) <= len(data)
    assert all(len(name) <= len(data) for name in elf.needed)


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(8, "little") for value in values)


_ELF = (
    b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00\x01\x00\x00\x00" + _words(0, 64)
    + bytes(12) + b"\x40\x00\x38\x00\x03\x00" + bytes(6)
    + b"\x01\x00\x00\x00\x05\x00\x00\x00" + _words(0, 0, 0, 400, 400, 0)
    + b"\x03\x00\x00\x00\x04\x00\x00\x00" + _words(232, 0, 0, 8, 8, 0)
    + b"\x02\x00\x00\x00\x06\x00\x00\x00" + _words(240, 0, 0, 80, 80, 0)
    + b"/lib/ld\x00" + _words(5, 320, 10, 20, 1, 1, 29, 9, 0, 0) + b"\x00libc.so\x00$ORIGIN\x00" + bytes(60)
)  # fmt: skip
"""The smallest program with a loader, a library and a folder of libraries."""

TARGETS = {
    "hello_lines": Target(
        hello_lines,
        (
            b"TOKEN token\nIS_UNINSTALLED\nIMAGE\nVERIFIED aa\nIS_FORMATTED\nRECIEVED BOOT\n",
            b"BOARD arch=a serial=b kind=c d\nFAILED no disk\nUP pi\n+ set -x\nIS_REMSHELL\r\nIS_INSTALLED",
        ),
        most=1024,
    ),
    "image_requests": Target(
        image_requests,
        (
            b"GET /" + b"ab" * 32 + b" HTTP/1.1\r\nHost: x\r\nRange: bytes=10-\r\n\r\n",
            b"HEAD / HTTP/1.0\r\nAuthorization: Bearer x\r\n\r\n",
        ),
        most=1024,
    ),
    "ntp_packets": Target(ntp_packets, (b"\x23" + bytes(47), b"\x24\x02" + bytes(46), b"\x1b" + bytes(67)), most=128),
    "programs": Target(programs, (_ELF, b"\x7fELF\x01\x02" + bytes(60)), most=1024),
}
