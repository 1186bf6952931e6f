"""The faults in what all files say about wiring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .faults import suggestion
from .model import PartConfig, ServerConfig, Site
from .reader import MAIN_FILE, SiteReader
from .templates import GENERATOR_SECTION, KINDS, PLAIN_SECTION

CIRCUIT = PLAIN_SECTION["circuits"]
"""The section of a circuit's file, and the option that names a circuit."""


def circuit_of(site: Site, outlet: PartConfig) -> str:
    """Return the name of the circuit that an outlet is on, "" = none."""
    name: str = outlet.params[CIRCUIT] or site.pdus[outlet.generator].settings[CIRCUIT]
    return name


def check_topology(reader: SiteReader) -> None:
    """Collect the faults of ``via``, ``daemon_node`` and ``circuit``, once all servers are known."""
    _check_via(reader)
    _check_circuits(reader)
    known = reader.known["servers"]
    daemon_node = reader.site.main.get("daemon_node", "")
    if daemon_node and daemon_node not in known:
        remedy = suggestion(daemon_node, known)
        reader.fault(MAIN_FILE, "main", "daemon_node", daemon_node, problem="unknown server", remedy=remedy)


def _check_via(reader: SiteReader) -> None:
    known = reader.known["servers"]
    for kind in KINDS:
        for generator in reader.site.generators(kind).values():
            listed = generator.settings.get("via", [])
            for name in dict.fromkeys(listed):
                problem, remedy = "", ""
                if name not in known:
                    problem, remedy = "unknown server", suggestion(name, known)
                elif listed.count(name) > 1:
                    problem, remedy = "listed twice", "list it once"
                if problem:
                    reader.fault(generator.file, GENERATOR_SECTION[kind], "via", name, problem=problem, remedy=remedy)


def _check_circuits(reader: SiteReader) -> None:
    site, known = reader.site, reader.known["circuits"]

    def unknown(file: str, section: str, name: str) -> None:
        if name and name not in known:
            remedy = suggestion(name, known, none=f"write etc/circuits/{name}.ini")
            reader.fault(file, section, CIRCUIT, name, problem="unknown circuit", remedy=remedy)

    for pdu in site.pdus.values():
        unknown(pdu.file, GENERATOR_SECTION["outlets"], pdu.settings.get(CIRCUIT, ""))
    total: dict[str, float] = defaultdict(float)
    for server in site.servers.values():
        for outlet in server.outlets:
            unknown(outlet.file, outlet.name, outlet.params[CIRCUIT])
        for name, (watts, most) in _demands(site, server).items():
            total[name] += watts
            limit = site.circuits[name].settings["max_watts"]
            if limit and most > limit:
                problem = f"it starts with {most:g} W on circuit {name}, which allows {limit:g} W in all"
                reader.fault(server.file, "server", "outlets", problem=problem, remedy="correct one of the two")
    for name, watts in total.items():
        limit = site.circuits[name].settings["max_watts"]
        if limit and watts > limit:
            text = (
                f"circuits/{name}.ini: its servers draw {watts:g} W together, of {limit:g} W: not all can be on at once"
            )
            site.warnings.append(text)


def _demands(site: Site, server: ServerConfig) -> dict[str, tuple[float, float]]:
    """Return circuit -> the watts of a server when it runs, and when it starts."""
    found: dict[str, tuple[float, float]] = {}
    for name, outlet in _on_circuits(site, server):
        watts, most = found.get(name, (0.0, 0.0))
        own = outlet.params["watts"]
        found[name] = watts + own, most + max(own, outlet.params["inrush_watts"])
    return found


def _on_circuits(site: Site, server: ServerConfig) -> Iterator[tuple[str, PartConfig]]:
    for outlet in server.outlets:
        name = circuit_of(site, outlet)
        if name in site.circuits:
            yield name, outlet
