"""Faults in what the files say about wiring: names of servers that other files give."""

from __future__ import annotations

from .faults import suggestion
from .reader import MAIN_FILE, SiteReader
from .templates import GENERATOR_SECTION, KINDS


def check_topology(reader: SiteReader) -> None:
    """Collect the faults of ``via`` and ``daemon_node``, once all servers are known."""
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
    daemon_node = reader.site.main.get("daemon_node", "")
    if daemon_node and daemon_node not in known:
        remedy = suggestion(daemon_node, known)
        reader.fault(MAIN_FILE, "main", "daemon_node", daemon_node, problem="unknown server", remedy=remedy)
