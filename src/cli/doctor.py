"""``ockle doctor``: what is wrong, why that matters, how to mend it; with a daemon and without."""

from __future__ import annotations

import argparse

from ..webserver.ockle_client.connection import ClientError, ConnectionFailed
from .codes import FAILED, NOT_ON, OK
from .connect import connect
from .output import count, emit_json, safe, say
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..store.checkup import Finding
    from ..webserver.ockle_client.connection import Connection

ANSWER_S = 10.0
MARKS = {"fine": "✓", "note": "i", "warning": "!", "fault": "✕"}


def register(commands: Commands) -> None:
    commands.add(
        "doctor",
        run,
        "what is wrong, why it matters and how to mend it",
        text="Looks at the configuration, the state folder and the store of this machine, and asks the daemon if one\n"
        "runs. Changes nothing. Exit code: 0 nothing to mend, 7 warnings, 1 something is broken.",
    )


def run(args: argparse.Namespace) -> int:
    from ..store.checkup import Level

    told: dict[str, Finding] = {}
    for finding in (*_local(args), *_daemon(args)):  # both know of safe mode: it is told once
        told.setdefault(finding.what, finding)
    findings = told.values()
    worst = max(finding.level for finding in findings)
    if args.output == "json":
        emit_json({"worst": worst.name.lower(), "findings": [finding.as_dict() for finding in findings]})
    else:
        for finding in findings:
            _show(finding)
        bad = sum(finding.level is Level.FAULT for finding in findings)
        warnings = sum(finding.level is Level.WARNING for finding in findings)
        say(f"\n{count(bad, 'fault')}, {count(warnings, 'warning')}")
    return {Level.FAULT: FAILED, Level.WARNING: NOT_ON}.get(worst, OK)


def _show(finding: Finding) -> None:
    say(f"{MARKS[finding.level.name.lower()]} {safe(finding.what)}")
    if finding.why:
        say(f"    why it matters: {safe(finding.why)}")
    if finding.mend:
        say(f"    mend it:        {safe(finding.mend)}")


def _local(args: argparse.Namespace) -> Iterator[Finding]:
    """Look at the files of this machine."""
    from ..config.paths import find_etc
    from ..config.site import load_site
    from ..networkTree.ServerNetworkFactory import check
    from ..store.checkup import Finding, Level, examine
    from ..store.folder import StateFolder

    etc = find_etc(args.etc)
    if not (etc / "config.ini").is_file() and not (etc / "servers").is_dir():
        yield Finding(
            Level.NOTE,
            f"there is no configuration in {etc}",
            "only a daemon can be asked",
            "name the folder with --etc",
        )
        return
    faults, warnings = check(etc)
    for fault in faults:
        yield Finding(
            Level.FAULT, str(fault), "no daemon starts with it; a running one keeps what it has", "ockle config"
        )
    for warning in warnings:
        yield Finding(Level.WARNING, warning)
    if not faults:
        yield Finding(Level.FINE, f"{etc} has no faults")
    site = load_site(etc)
    folder = StateFolder(etc, site.main["state_dir"])
    yield from examine(folder, site.main["database"] or folder.database_url, None if faults else set(site.servers))


def _daemon(args: argparse.Namespace) -> Iterator[Finding]:
    """Ask the daemon."""
    from ..store.checkup import Finding, Level

    try:
        with connect(args, timeout=ANSWER_S) as connection:
            about = connection.call("about")
            yield Finding(Level.FINE, f"the daemon {connection.address} answers: Ockle {safe(about['version'])}")
            yield from _answers(connection, about)
    except ConnectionFailed as error:
        yield Finding(
            Level.NOTE, str(error), "devices and plugins cannot be asked for", "ockle daemon, or --host ADDRESS"
        )
    except ClientError as error:
        yield Finding(Level.WARNING, f"the daemon refuses: {error.message}", mend="--token-file FILE, or OCKLE_TOKEN")


def _answers(connection: Connection, about: dict[str, Any]) -> Iterator[Finding]:
    from ..store.checkup import Finding, Level

    for name, failure in about["plugins"].items():
        if failure:
            yield Finding(Level.FAULT, f"the plugin {name} does not work: {failure}", "what it does is not done")
    if connection.call("setupState")["needed"]:
        mend = "ockle user add NAME --role admin, or, for the first page of the web GUI, ockle user setup-code"
        yield Finding(Level.NOTE, "nobody can log in as an admin yet", "the web GUI serves this machine only", mend)
    yield from _channels(connection, about)
    status = connection.call("status")
    if status.get("safe_mode"):
        yield Finding(Level.FAULT, f"safe mode: {status['safe_mode']}", "nothing is sent", "look, then: ockle resume")
    if status.get("store_fault"):
        yield Finding(Level.FAULT, status["store_fault"], "nothing new is switched", "make room, or mend the database")
    if status["master"] == "off":
        yield Finding(Level.NOTE, "AutoControl is off", "only what is ordered is switched", "ockle auto on")
    for name, server in status["servers"].items():
        if server["word"] in ("unknown", "not started"):
            why = server["why"] or "its outlets cannot be read"
            yield Finding(Level.WARNING, f"{name} is {server['word']}: {why}", "nothing that needs it is started")
        elif server["word"] in ("failed", "gave up"):
            yield Finding(Level.WARNING, f"{name} {server['word']}: {server['why']}", mend=f"ockle why {name}")


def _channels(connection: Connection, about: dict[str, Any]) -> Iterator[Finding]:
    from ..store.checkup import Finding, Level

    if about["plugins"].get("Alerts", "not loaded"):
        return
    for one in connection.call("getChannels")["channels"]:
        if one["problem"]:
            why = f"alerts do not arrive there; {one['waiting']} wait"
            yield Finding(
                Level.WARNING, f"channel {one['name']}: {one['problem']}", why, f"ockle alert test {one['name']}"
            )
