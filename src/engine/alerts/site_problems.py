"""What is wrong with the daemon itself, its store and the circuits. On the device loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...common.problems import Problem, Severity
from ..engine import Engine
from .device_problems import pdus_of_circuits

DAEMON = "daemon"


def daemon_problems(engine: Engine) -> Iterator[Problem]:
    """Yield safe mode, and databases that cannot be written."""
    if engine.core.safe_mode:
        text = f"safe mode, nothing is switched until somebody has looked (ockle resume): {engine.core.safe_mode}"
        yield Problem("daemon/safe-mode", "daemon", Severity.CRITICAL, DAEMON, text)
    if engine.store_fault:
        text = f"nothing new is switched: {engine.store_fault}"
        yield Problem("store/state", "store", Severity.CRITICAL, DAEMON, text)
    if engine.store.log.fault:
        yield Problem("store/log", "store", Severity.WARNING, DAEMON, f"history is lost: {engine.store.log.fault}")


def emergency_problems(engine: Engine) -> Iterator[Problem]:
    """Yield the declared emergency; one that a UPS has called hangs on that."""
    declared = engine.emergencies.declared
    if declared is None:
        return
    note = f": {declared.note}" if declared.note else ""
    kept = "1 server is" if len(declared.shares) == 1 else f"{len(declared.shares)} servers are"
    text = f"emergency declared by {declared.who}, {kept} kept off{note}"
    program, _, names = declared.who.partition(" ")
    ups = tuple(f"ups/{name}" for name in names.split(", ")) if declared.automatic and program == "UPS" else ()
    yield Problem("emergency", "emergency", Severity.CRITICAL, "emergency", text, "", ups)


def circuit_problems(engine: Engine) -> Iterator[Problem]:
    """Yield fuses that seem to have gone, and circuits on which more is on than they carry."""
    for load in engine.core.budget.circuits():
        circuit = load.circuit
        subject = f"circuit/{circuit.name}"
        if load.tripped:
            text = f"circuit {circuit.name} seems to have tripped: none of its {load.live} outlets shows life"
            pdus = pdus_of_circuits(engine.network).get(circuit.name, set())
            hangs_on = tuple(pdus) if len(pdus) == 1 else ()  # a PDU that is silent makes its circuit look dead
            yield Problem(subject, "circuit", Severity.CRITICAL, subject, text, "", hangs_on)
        elif circuit.max_watts and load.steady > circuit.max_watts:
            text = f"circuit {circuit.name} is over its limit: {load.steady:g} of {circuit.max_watts:g} W are on"
            yield Problem(subject, "circuit", Severity.WARNING, subject, text)


def plugin_problems(states: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the plugins that do not work. ``states``: name -> "" or why not."""
    for name, failure in states.items():
        if failure:
            text = f"plugin {name} does not work: {failure}"
            yield Problem(f"plugin/{name}", "plugin", Severity.CRITICAL, f"plugin/{name}", text)
