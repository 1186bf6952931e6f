"""The configuration of a site as typed data, without any reading or checking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .faults import Fault


@dataclass(slots=True)
class ObjectConfig:
    """A PDU, a controller, a tester or a channel. ``settings`` are typed: the common options and the type's."""

    name: str
    type: str
    settings: dict[str, Any]
    file: str


@dataclass(slots=True)
class PlainConfig:
    """An object without a type: a circuit with what it allows, a boot profile, a schedule, a UPS, a monitor."""

    name: str
    settings: dict[str, Any]
    file: str


@dataclass(slots=True)
class PartConfig:
    """An outlet, a control or a test of a server.

    ``kind``       "outlet", "control" or "test"
    ``generator``  name of its PDU, controller or tester
    """

    name: str
    kind: str
    generator: str
    params: dict[str, Any]
    file: str


@dataclass(slots=True)
class ServerConfig:
    """A server; its parts stand in the order of the server's own lists."""

    name: str
    settings: dict[str, Any]
    dependencies: list[str]
    outlets: list[PartConfig]
    controls: list[PartConfig]
    tests: list[PartConfig]
    file: str

    def parts(self) -> Iterator[PartConfig]:
        """Yield outlets, controls and tests."""
        yield from self.outlets
        yield from self.controls
        yield from self.tests


@dataclass(slots=True)
class Site:
    """Everything below etc. With ``faults`` it is incomplete and nothing may be started from it."""

    etc: Path
    main: dict[str, Any] = field(default_factory=dict)
    users: dict[str, Any] = field(default_factory=dict)
    web: dict[str, Any] = field(default_factory=dict)
    plugins: list[str] = field(default_factory=list)
    plugin_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    pdus: dict[str, ObjectConfig] = field(default_factory=dict)
    controllers: dict[str, ObjectConfig] = field(default_factory=dict)
    testers: dict[str, ObjectConfig] = field(default_factory=dict)
    channels: dict[str, ObjectConfig] = field(default_factory=dict)
    circuits: dict[str, PlainConfig] = field(default_factory=dict)
    boot: dict[str, PlainConfig] = field(default_factory=dict)
    schedules: dict[str, PlainConfig] = field(default_factory=dict)
    ups: dict[str, PlainConfig] = field(default_factory=dict)
    monitors: dict[str, PlainConfig] = field(default_factory=dict)
    servers: dict[str, ServerConfig] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def plain(self, folder: str) -> dict[str, PlainConfig]:
        """Return the objects of a folder of ``PLAIN_SECTION``."""
        found: dict[str, PlainConfig] = getattr(self, folder)
        return found

    def generators(self, kind: str) -> dict[str, ObjectConfig]:
        """Return the objects of a folder of ``TYPED``; those of "outlets" are the PDUs."""
        found: dict[str, ObjectConfig] = self.pdus if kind == "outlets" else getattr(self, kind)
        return found
