"""Writes the INI files of a site for any lab: the network that a test made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .lab import Lab
from .relocate import Settings, read, relocate
from .spec import DeviceSpec, MachineSpec, PlugSpec, SwitchSpec

Options = Mapping[str, str]

_TESTS = {"tcp": "tcp", "http": "metrics"}  # service -> tester


def write_site(
    lab: Lab,
    etc: Path,
    *,
    settings: Settings | None = None,
    server: Options | None = None,
    outlet: Options | None = None,
    pdu: Options | None = None,
    overrides: Mapping[str, Options] | None = None,
) -> None:
    """Write a complete site for a running lab into ``etc``, with waiting times that fit its speed.

    ``settings``   section of config.ini -> options
    ``server``     options of every [server] section; ``overrides``: server name -> further options of this one
    ``outlet``     options of every outlet of a server; ``pdu``: of every device
    """
    _write(etc / "config.ini", {"main": {"poll_interval": "1s", "test_interval": "1s"}, "plugins": {}})
    for device in lab.spec.devices:
        _write(etc / "outlets" / f"{device.name}.ini", {"pdu": {**_pdu(device), **(pdu or {})}})
    _write(etc / "controllers" / "ssh.ini", {"controller": {"type": "SSHController", "timeout": "10s", "user": "set"}})
    _write(etc / "testers" / "tcp.ini", {"tester": {"type": "TCP", "timeout": "2s"}})
    _write(etc / "testers" / "metrics.ini", {"tester": {"type": "HTTPMetrics", "timeout": "2s"}})
    devices = {device.name: device for device in lab.spec.devices}
    for machine in lab.spec.machines:
        sections = _server(machine, lab.spec.speed, devices, outlet or {})
        sections["server"] |= {**(server or {}), **(overrides or {}).get(machine.name, {})}
        _write(etc / "servers" / f"{machine.name}.ini", sections)
    relocate(etc, lab, settings)


def _write(path: Path, sections: Mapping[str, Mapping[str, str | list[str]]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ini = read(path)
    for name, options in sections.items():
        ini[name] = dict(options)
    ini.write()


def _pdu(device: DeviceSpec) -> dict[str, str]:
    if isinstance(device, PlugSpec):
        encryption = {"key": device.key} if device.key else {"encryption": "plaintext"}
        return {"type": "ESPHome", "host": "set", **encryption, "timeout": "2s"}
    return {
        "type": "PoE" if isinstance(device, SwitchSpec) else "Raritan",
        "host": "set",  # `relocate` knows where
        "community": device.read_community,
        "write_community": device.write_community,
        "timeout": "1s",
    }


def _server(
    machine: MachineSpec, speed: float, devices: Mapping[str, DeviceSpec], outlet: Options
) -> dict[str, dict[str, str | list[str]]]:
    tests = [service for service in machine.services if service in _TESTS]
    supplies = [f"psu{number}" for number in range(1, len(machine.supplies) + 1)]
    sections: dict[str, dict[str, str | list[str]]] = {
        "server": {
            "dependencies": list(machine.depends),
            "outlets": supplies,
            "controls": ["ssh"] if "ssh" in machine.services else [],
            "tests": tests,
            # Silence begins at half of the shutdown: one whole shutdown more than covers the rest of it.
            "halt_grace": f"{machine.shutdown_s * speed + 0.5:.3f}s",
            "boot_timeout": f"{machine.boot_s * speed * 3 + 10:.3f}s",
            "shutdown_timeout": f"{machine.shutdown_s * speed * 3 + 10:.3f}s",
            "probe_interval": "100ms",
        }
    }
    for name, (device, number) in zip(supplies, machine.supplies, strict=True):
        sections[name] = {
            "pdu": device,
            **_address(devices[device], number),
            "min_off_time": "100ms",
            "settle_timeout": "5s",
            "max_per_minute": "0",
            **outlet,
        }
    if "ssh" in machine.services:
        sections["ssh"] = {"controller": "ssh", "host": "set"}
    for service in tests:
        sections[service] = {"tester": _TESTS[service], "host": "set", "port": "1"}
    return sections


def _address(device: DeviceSpec, number: int) -> dict[str, str]:
    """Return the options that say which outlet of ``device`` is meant."""
    match device:
        case SwitchSpec():
            return {"group": str(device.group), "port": str(number)}
        case PlugSpec():
            return {"entity": "Relay" if number == 1 else f"Relay {number}"}
    return {"outlet": str(number)}
