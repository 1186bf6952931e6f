"""Frames of ESPHome's native API, from the plug's side: bytes in, messages out; no socket.

Source: ESPHome, "Native API" (developers.esphome.io/architecture/api/protocol_details) and the Noise Protocol
Framework, revision 34. A plain frame is 0x00, then the message's length and type as varints, then the message; an
encrypted one is 0x01, its length in two bytes, then the ciphertext of type and length (two bytes each) and message.
"""

from __future__ import annotations

import base64
from typing import Protocol

from cryptography.exceptions import InvalidTag
from noise.connection import NoiseConnection
from noise.exceptions import NoiseInvalidMessage

Packet = tuple[int, bytes]
"""Type and content of a message."""

PLAIN, ENCRYPTED = 0, 1
NOISE = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
PROLOGUE = b"NoiseAPIInit\x00\x00"
LONGEST = 65535


class FrameError(Exception):
    """What came is no frame; ``reply`` is sent before the connection is closed."""

    def __init__(self, text: str, reply: bytes = b"") -> None:
        super().__init__(text)
        self.reply = reply


class Frames(Protocol):
    def receive(self, data: bytes) -> tuple[list[Packet], bytes]:
        """Return the messages that are complete now, and what is to be sent back. Raises FrameError."""

    def frame(self, packet: Packet) -> bytes:
        """Return a message as it goes out."""


class PlainFrames:
    """Without encryption."""

    def __init__(self) -> None:
        self._buffer = b""

    def receive(self, data: bytes) -> tuple[list[Packet], bytes]:
        self._buffer += data
        packets: list[Packet] = []
        while self._buffer:
            if self._buffer[0] != PLAIN:
                raise FrameError("a plain frame does not begin with 0", b"\x00Bad indicator byte")
            head, place = [], 1
            for _ in range(2):
                number, place = _varint(self._buffer, place)
                if number is None:
                    return packets, b""
                head.append(number)
            length, kind = head
            if length > LONGEST:
                raise FrameError(f"a message of {length} bytes")
            if len(self._buffer) < place + length:
                break
            packets.append((kind, self._buffer[place : place + length]))
            self._buffer = self._buffer[place + length :]
        return packets, b""

    def frame(self, packet: Packet) -> bytes:
        kind, message = packet
        return b"\x00" + _as_varint(len(message)) + _as_varint(kind) + message


class NoiseFrames:
    """Encrypted with a key that both sides have; ``name`` and ``mac`` are told before anything is proven."""

    def __init__(self, key: str, name: str, mac: str) -> None:
        self._hello = b"\x01" + name.encode() + b"\0" + mac.encode() + b"\0"
        self._buffer = b""
        self._greeted = False
        self._noise = NoiseConnection.from_name(NOISE)
        self._noise.set_as_responder()
        self._noise.set_psks(base64.b64decode(key))
        self._noise.set_prologue(PROLOGUE)
        self._noise.start_handshake()

    def receive(self, data: bytes) -> tuple[list[Packet], bytes]:
        self._buffer += data
        packets: list[Packet] = []
        out = b""
        while self._buffer:
            if self._buffer[0] != ENCRYPTED:
                raise FrameError("a plain client", _sealed(b"\x01Bad indicator byte"))
            if len(self._buffer) < 3:
                break
            end = 3 + int.from_bytes(self._buffer[1:3])
            if len(self._buffer) < end:
                break
            content, self._buffer = self._buffer[3:end], self._buffer[end:]
            if not self._greeted:
                self._greeted = True
                out += _sealed(self._hello)
            elif not self._noise.handshake_finished:
                out += self._shake(content, out)
            else:
                packets.append(self._open(content))
        return packets, out

    def frame(self, packet: Packet) -> bytes:
        kind, message = packet
        return _sealed(self._noise.encrypt(kind.to_bytes(2) + len(message).to_bytes(2) + message))

    def _shake(self, content: bytes, before: bytes) -> bytes:
        try:
            self._noise.read_message(content[1:])
        except (InvalidTag, ValueError):
            raise FrameError("another key", before + _sealed(b"\x01Handshake MAC failure")) from None
        return _sealed(b"\x00" + bytes(self._noise.write_message()))

    def _open(self, content: bytes) -> Packet:
        try:
            clear = bytes(self._noise.decrypt(content))
        except NoiseInvalidMessage:
            raise FrameError("a frame that was tampered with") from None
        if len(clear) < 4:
            raise FrameError("a message without its head")
        return int.from_bytes(clear[:2]), clear[4:]


def _sealed(content: bytes) -> bytes:
    return b"\x01" + len(content).to_bytes(2) + content


def _varint(data: bytes, place: int) -> tuple[int | None, int]:
    """Return the number at ``place`` and where it ends; None when it is not complete."""
    number = shift = 0
    while place < len(data):
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
        if shift > 28:
            raise FrameError("a number of more than 4 bytes")
    return None, place


def _as_varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])
