"""Moves a site to where a running lab listens: addresses, ports and keys; all else in its INI files stays."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from configobj import ConfigObj, Section

from .lab import Endpoint, Lab
from .relocate_monitors import move_monitor

FOLDERS = (
    *("outlets", "controllers", "testers", "servers"),
    *("circuits", "boot", "schedules", "ups", "monitors", "channels"),
)
KEY_FILE, KNOWN_HOSTS = "id_ed25519", "known_hosts"
"""Beside config.ini; paths in INI files are relative to there."""

ROLES = {"SSHController": "ssh", "TCP": "tcp", "HTTP": "http", "HTTPMetrics": "http"}
"""Type of a control or test -> the service of the machine that it talks to; other types are left alone."""

Settings = Mapping[str, Mapping[str, str | list[str]]]
"""Section of config.ini -> option -> value."""


def copy_site(source: Path, target: Path, lab: Lab, settings: Settings | None = None) -> None:
    """Copy the INI files of ``source`` to ``target`` and relocate them there. ``settings`` go into config.ini.

    A PDU is found in the lab by the name of its file, a server by that of its own.
    """
    files = [source / "config.ini", *(path for folder in FOLDERS for path in sorted((source / folder).glob("*.ini")))]
    for file in files:
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    relocate(target, lab, settings)


def relocate(etc: Path, lab: Lab, settings: Settings | None = None) -> None:
    """Point the site in ``etc`` at ``lab`` and write the keys that it needs."""
    key = etc / KEY_FILE
    key.touch(mode=0o600)
    key.write_text(lab.client_key)
    (etc / KNOWN_HOSTS).write_text(lab.known_hosts())
    main = read(etc / "config.ini")
    for section, options in (settings or {}).items():
        main.setdefault(section, {}).update(options)
    main.write()
    for path in sorted((etc / "outlets").glob("*.ini")):
        _move_pdu(read(path), lab.endpoints.get(path.stem))
    types = _types(etc, lab)
    for path in sorted((etc / "servers").glob("*.ini")):
        point = lab.endpoints.get(path.stem)
        if point:
            _move_server(read(path), point, types)
    tags = _tags(etc)
    for path in sorted((etc / "monitors").glob("*.ini")):
        move_monitor(read(path), lab.endpoints, tags)


def read(path: Path) -> ConfigObj:
    """The INI file at ``path``, which need not exist yet; ``write()`` keeps comments and order."""
    return ConfigObj(str(path), interpolation=False, encoding="utf-8", default_encoding="utf-8")


def _move_pdu(ini: ConfigObj, point: Endpoint | None) -> None:
    port = next((point.ports[face] for face in ("snmp", "esphome") if face in point.ports), None) if point else None
    if point and port is not None:
        ini["pdu"].update({"host": point.host, "port": str(port)})
        ini.write()


def _types(etc: Path, lab: Lab) -> dict[tuple[str, str], str]:
    """("controller" | "tester", name) -> type; SSH controllers get the lab's login on the way."""
    types = {}
    for kind in ("controller", "tester"):
        for path in sorted((etc / f"{kind}s").glob("*.ini")):
            ini = read(path)
            types[kind, path.stem] = str(ini[kind].get("type", ""))
            if types[kind, path.stem] == "SSHController":
                ini[kind].update({"user": lab.spec.user, "key_file": KEY_FILE, "known_hosts": KNOWN_HOSTS})
                ini.write()
    return types


def _tags(etc: Path) -> dict[str, list[str]]:
    """Server -> its tags."""
    found = {path.stem: read(path)["server"].get("tags", []) for path in (etc / "servers").glob("*.ini")}
    return {name: [tags] if isinstance(tags, str) else list(tags) for name, tags in found.items()}


def _move_server(ini: ConfigObj, point: Endpoint, types: Mapping[tuple[str, str], str]) -> None:
    for name in ini.sections:
        part = ini[name]
        for kind in ("controller", "tester"):
            role = ROLES.get(types.get((kind, part.get(kind, "")), ""))
            if role:
                _move_part(part, point.host, point.ports.get(role))
    ini.write()


def _move_part(part: Section, host: str, port: int | None) -> None:
    if port is None:
        raise ValueError(f"[{part.name}] needs a service that the lab's machine does not have")
    if part.get("url"):
        part["url"] = urlsplit(part["url"])._replace(netloc=f"{host}:{port}").geturl()
    else:
        part.update({"host": host, "port": str(port)})
