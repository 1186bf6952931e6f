"""What a plug speaks: the server's side of ESPHome's native API, with the knobs silent, slow_s and drops_s.

The messages are ESPHome's own definitions (``api.proto``), as aioesphomeapi brings them.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Iterator
from typing import Any

from aioesphomeapi import api_pb2 as pb
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

from .esphome_frames import FrameError, Frames, NoiseFrames, PlainFrames
from .esphome_plug import Entity, EspPlug
from .listener import Listener

KIND_OF: dict[str, int] = {message.DESCRIPTOR.name: kind for kind, message in MESSAGE_TYPE_TO_PROTO.items()}
API_VERSION = (1, 12)
PIECE = 4096

_LISTED = {
    "switch": pb.ListEntitiesSwitchResponse,
    "sensor": pb.ListEntitiesSensorResponse,
    "text_sensor": pb.ListEntitiesTextSensorResponse,
}
_STATES = {
    "switch": pb.SwitchStateResponse,
    "sensor": pb.SensorStateResponse,
    "text_sensor": pb.TextSensorStateResponse,
}


class EsphomeServer:
    """The port of one plug. ``deaf``: it has no power, so nobody listens."""

    def __init__(self, plug: EspPlug, host: str) -> None:
        self._plug = plug
        self._listener = Listener(host, self._serve)
        self.port = self._listener.port
        self._deaf = False
        self._listener.open()

    @property
    def deaf(self) -> bool:
        return self._deaf

    @deaf.setter
    def deaf(self, deaf: bool) -> None:
        self._deaf = deaf
        if deaf:
            self._listener.close()
        else:
            self._listener.open()

    async def close(self) -> None:
        await self._listener.end()

    async def _serve(self, peer: socket.socket) -> None:
        drops_s = self._plug.knobs.drops_s * self._plug.speed
        try:
            async with asyncio.timeout(drops_s or None):
                await _Session(self._plug, peer).live()
        except TimeoutError:
            pass  # the knob: the connection ends here


class _Session:
    """One client."""

    def __init__(self, plug: EspPlug, peer: socket.socket) -> None:
        self._plug, self._peer = plug, peer
        key = plug.plug_spec.key
        self._frames: Frames = NoiseFrames(key, plug.name, _mac(plug.serial)) if key else PlainFrames()
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def live(self) -> None:
        writer = asyncio.create_task(self._write(), name=f"{self._plug.name}: answers")
        try:
            await self._read()
            await writer
        finally:
            writer.cancel()
            if self._push in self._plug.watchers:
                self._plug.watchers.remove(self._push)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._peer, PIECE):
            if self._plug.knobs.silent:
                continue
            try:
                packets, out = self._frames.receive(data)
            except FrameError as error:
                self._outbox.put_nowait(error.reply)
                break
            self._outbox.put_nowait(out)
            for kind, content in packets:
                if self._plug.knobs.slow_s:
                    await asyncio.sleep(self._plug.knobs.slow_s * self._plug.speed)
                if not self._handle(kind, content):
                    self._outbox.put_nowait(None)
                    return
        self._outbox.put_nowait(None)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while (data := await self._outbox.get()) is not None:
            await loop.sock_sendall(self._peer, data)

    def _send(self, message: Any) -> None:
        if not self._plug.knobs.silent:
            packet = KIND_OF[message.DESCRIPTOR.name], message.SerializeToString()
            self._outbox.put_nowait(self._frames.frame(packet))

    def _handle(self, kind: int, content: bytes) -> bool:
        """Answer one message; False: it was the last. What the plug does not know is left alone, as ESPHome does."""
        known = MESSAGE_TYPE_TO_PROTO.get(kind)
        message = known.FromString(content) if known else None
        match message:
            case pb.HelloRequest():
                major, minor = API_VERSION
                self._send(
                    pb.HelloResponse(
                        api_version_major=major,
                        api_version_minor=minor,
                        server_info="virtual lab",
                        name=self._plug.name,
                    )
                )
            case pb.AuthenticationRequest():
                self._send(pb.AuthenticationResponse())
            case pb.PingRequest():
                self._send(pb.PingResponse())
            case pb.DisconnectRequest():
                self._send(pb.DisconnectResponse())
                return False
            case pb.DeviceInfoRequest():
                self._send(self._about())
            case pb.ListEntitiesRequest():
                for listed in self._listed():
                    self._send(listed)
                self._send(pb.ListEntitiesDoneResponse())
            case pb.SubscribeStatesRequest():
                for entity in self._plug.entities.values():
                    self._push(entity)
                if self._push not in self._plug.watchers:
                    self._plug.watchers.append(self._push)
            case pb.SwitchCommandRequest(key=key, state=on):
                switched = self._plug.entities.get(key)
                if switched is not None and switched.write is not None:
                    switched.write(on)
        return True

    def _about(self) -> Any:
        digits = _mac(self._plug.serial)
        return pb.DeviceInfoResponse(
            name=self._plug.name,
            friendly_name=self._plug.plug_spec.friendly_name,
            mac_address=":".join(digits[i : i + 2] for i in range(0, 12, 2)).upper(),
            esphome_version="2026.6.0",
            model="virtual lab: plug",
            api_encryption_supported=bool(self._plug.plug_spec.key),
        )

    def _listed(self) -> Iterator[Any]:
        for entity in self._plug.entities.values():
            extra = {"unit_of_measurement": entity.unit, "accuracy_decimals": 2} if entity.kind == "sensor" else {}
            yield _LISTED[entity.kind](
                object_id=entity.object_id,
                key=entity.key,
                name=entity.name,
                device_class=entity.device_class,
                **extra,
            )

    def _push(self, entity: Entity) -> None:
        value = entity.read()
        known = {} if value is None else {"state": value}
        self._send(_STATES[entity.kind](key=entity.key, missing_state=value is None, **known))


def _mac(serial: str) -> str:
    """A made-up address, another one for each serial number: twelve hexadecimal digits."""
    return "02" + hashlib.sha256(serial.encode()).hexdigest()[:10]
