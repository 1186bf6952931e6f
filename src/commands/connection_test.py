"""testConnection: one read by a PDU, controller or tester as it is in the draft, before anything is applied."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from ..common.CommunicationHandler import current_caller
from ..common.device import Device
from ..common.errors import CommandError, DeviceError, DeviceUnreachable
from ..common.services import DaemonServices
from ..config.model import PartConfig, Site
from ..config.site import load_site
from ..config.templates import GENERATOR_SECTION, KINDS, PARAMS_SECTION, check_settings, driver_template
from ..config.uses import NOUNS
from ..controllers.ControllerTemplate import ControllerTemplate
from ..drivers.discovery import load_class
from ..drivers.driver import Driver
from ..outlets.OutletTemplate import OutletTemplate
from ..testers.TemplateTester import TemplateTester
from . import fields
from .desks import Desks
from .group import CommandGroup, Data

LONGEST_S = 20.0
"""A test that takes longer ends with a reason; the client waits for 30 s."""

_PART = {"outlets": "outlet", "controllers": "control", "testers": "test"}


class ConnectionTest(CommandGroup):
    """Nothing is switched, and nothing of what the test sees is taken for the state of a server."""

    def __init__(self, daemon: DaemonServices, desks: Desks) -> None:
        super().__init__(daemon)
        self._desks = desks
        self.add(
            "testConnection",
            self.test,
            "admin",
            {
                "kind": f"one of {', '.join(KINDS)}",
                "name": "of the PDU, controller or tester",
                "stored?": "true: as it is on disk; default: as it is in the caller's draft",
                "server?": "whose outlet, control or test is read; default: the first that uses it",
                "section?": "which one of them",
                "params?": "option -> value, instead: the outlet, the system",
            },
        )

    def test(self, data: Data) -> Data:
        """Read once. Returns ``ok``, ``text`` (the answer or the reason), ``data`` (measured), ``about`` and ``of``."""
        kind, name = fields.text(data, "kind"), fields.text(data, "name")
        if kind not in KINDS:
            raise CommandError(f"kind is {kind!r}: use one of {', '.join(KINDS)}")
        whose = current_caller().name
        with self._desks.open(whose) as desk:
            folder = desk.folder()
        with folder as etc:
            site = load_site(self._daemon.etc if data.get("stored") else etc)
            made_by = site.generators(kind).get(name)
            if made_by is None:
                raise CommandError(_why_not(site, kind, name), "not_found")
            part = _part(site, kind, name, data)
            driver: Driver = load_class(kind, made_by.type)(part.name, made_by.settings, part.params)
            driver.device = Device(name, parallel=1, clock=self._daemon.clock)
            driver.bind(self._daemon.device_loop)
            found = self.loop(self._read(driver, kind, name), LONGEST_S + 5)
        return found | {"of": f"{NOUNS[kind]} {name}" + (f", {part.name} of {part.file}" if part.file else "")}

    async def _read(self, driver: Driver, kind: str, name: str) -> Data:
        try:
            async with asyncio.timeout(LONGEST_S), AsyncExitStack() as stack:
                running = self._running(kind, name)
                if running is not None:  # most devices want one command after the other
                    await stack.enter_async_context(running.turn())
                text = await _answer(driver)
        except TimeoutError:
            return _failed(DeviceUnreachable(f"no answer within {LONGEST_S:g} s"))
        except DeviceError as error:
            return _failed(error)
        finally:
            await driver.device.close()
        about = driver.about() if isinstance(driver, OutletTemplate) else []
        passed = not isinstance(driver, TemplateTester) or not driver.last_error
        return {"ok": passed, "text": text, "data": dict(driver.data), "about": about}

    def _running(self, kind: str, name: str) -> Device | None:
        for node in self.network:
            for part in node.parts():
                if kind == part.KIND and part.device.name == name:
                    device: Device = part.device
                    return device
        return None


def _failed(error: DeviceError) -> Data:
    return {"ok": False, "text": str(error), "data": {}, "about": [], "error": type(error).__name__}


async def _answer(driver: Driver) -> str:
    if isinstance(driver, OutletTemplate):
        state = await driver.get_state()
        if driver.measures:
            await driver.measure()
        return f"the outlet is {'on' if state else 'off'}"
    if isinstance(driver, ControllerTemplate):
        return f"the system is {'up' if await driver.get_state() else 'down'}"
    if isinstance(driver, TemplateTester):
        return "the test passed" if await driver.run_test() else f"the test failed: {driver.last_error}"
    raise CommandError(f"{driver.name} cannot be tested", "refused")


def _why_not(site: Site, kind: str, name: str) -> str:
    """Return why an object cannot be tested: it is not there, or its file has faults."""
    file = f"{kind}/{name}.ini"
    faults = [str(fault) for fault in site.faults if fault.file == file]
    return "; ".join(faults) or f"there is no {NOUNS[kind]} {name}"


def _part(site: Site, kind: str, name: str, data: Data) -> PartConfig:
    """Return the outlet, control or test to read with: the one that is named, else the first, else one made up."""
    server, section, params = fields.maybe_text(data, "server"), fields.maybe_text(data, "section"), data.get("params")
    if params is None:
        for one in site.servers.values():
            for part in one.parts():
                fits = part.kind == _PART[kind] and part.generator == name
                if fits and server in (None, one.name) and section in (None, part.name):
                    return part
        if server is not None:
            raise CommandError(f"{server} has no such {_PART[kind]} on {name}", "not_found")
    elif not isinstance(params, dict):
        raise CommandError("params must be option -> value")
    made_by = site.generators(kind)[name]
    template = driver_template(kind, made_by.type)
    given: dict[str, Any] = {GENERATOR_SECTION[kind]: name, **(params or {})}
    missing = [
        option.name
        for option in template.sections[PARAMS_SECTION[kind]].values()
        if option.required and option.name not in given
    ]
    if missing:
        text = f"no server uses {name} yet: say which {_PART[kind]} is to be read ({', '.join(missing)})"
        raise CommandError(text, "bad_request", {"missing": missing})
    settings = check_settings(template, PARAMS_SECTION[kind], given, where=name, etc=site.etc)
    return PartConfig(name, _PART[kind], name, settings, "")
