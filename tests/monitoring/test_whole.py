"""Nodes on the whole: a real daemon asks the lab's machines, over their own HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from e2e import Site, chain, site
from ockle.common.CommunicationMessage import Message
from ockle.MainDaemon import MainDaemon
from ockle.simulator.lab import Lab
from ockle.simulator.relocate import read
from ockle.simulator.site_writer import write_site
from own_daemon import ask, running, until

ENABLED = "CoreCommunicationCommands, SocketListener, Logger, Monitoring"
PLUGINS = {"Logger": {"interval": "1s", "write_every": "1s"}}
MONITOR = """[monitor]
servers = all
interval = 500ms
timeout = 1s
missing_after = 1500ms
limits = disk_percent > 85 for 500ms until 80, critical: disk_percent > 97 until 95
"""


def node(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next((one for one in answer["nodes"] if one["name"] == name), {"state": "unknown"})


def prepared(lab: Lab, etc: Path) -> None:
    (etc / "monitors").mkdir(parents=True)
    (etc / "monitors/rack.ini").write_text(MONITOR)
    settings = {"main": {"poll_interval": "300ms", "test_interval": "300ms"}, "plugins": {"plugins": ENABLED}}
    write_site(lab, etc, settings=settings | {"plugins.SocketListener": {"port": "0"}})


def switched(daemon: MainDaemon, command: str, name: str, state: str) -> None:
    reply = daemon.communicationHandler.handleMessage(Message("setServer", {"server": name, "state": command}))
    assert reply.error is None, reply.error
    until(lambda: ask(daemon, "status")["servers"][name]["state"] == state)


def answers(daemon: MainDaemon) -> dict[str, float]:
    """Return ``ockle_node_up`` of each node, as Prometheus is told."""
    families = ask(daemon, "getMetrics")["families"]
    samples = next(one["samples"] for one in families if one["name"] == "ockle_node_up")
    return {labels["node"]: value for _, labels, value in samples}


def test_a_disk_that_fills_a_machine_that_hangs_and_one_that_is_switched_off(tmp_path: Path) -> None:
    with Lab(chain("nas", "web", speed=0.1)) as lab:
        prepared(lab, tmp_path)
        with running(tmp_path) as daemon:

            def problems() -> dict[str, Any]:
                async def look() -> dict[str, Any]:
                    sources = daemon.engine.problem_sources
                    found = [one for source in sources for one in source()]
                    return {one.key: one for one in found if one.kind in ("node", "limit")}

                return daemon.device_loop.call(look(), 20)

            switched(daemon, "on", "web", "OK")
            until(lambda: all(node(ask(daemon, "getNodes"), name)["state"] == "up" for name in ("nas", "web")))
            assert problems() == {}

            lab.turn("web", disk_percent=90.0)
            found = until(problems)
            assert set(found) == {"limit/web/disk_percent"}
            assert found["limit/web/disk_percent"].text == "web: disk_percent is 90, more than 85"
            lab.turn("web", disk_percent=0.0)
            until(lambda: not problems())

            lab.turn("nas", events="hangs")
            until(lambda: set(problems()) == {"node/nas"})
            assert "no answer within 1 s" in problems()["node/nas"].text
            assert answers(daemon) == {"nas": 0, "web": 1}
            lab.turn("nas", events="broken")
            until(lambda: "not JSON" in problems()["node/nas"].text)
            lab.turn("nas", events="flood")
            until(lambda: not problems())
            assert "it sends 5000 figures" in node(ask(daemon, "getNodes"), "nas")["problem"]
            lab.turn("nas", events="")
            until(lambda: not ask(daemon, "askNode", node="nas")["problem"])
            assert node(ask(daemon, "getNodes"), "nas")["figures"]["num_pids"] >= 80

            seen: set[str] = set()

            def is_off() -> bool:
                seen.update(problems())
                return bool(node(ask(daemon, "getNodes"), "web")["state"] == "off")

            switched(daemon, "off", "web", "OFF")
            until(is_off)
            assert (seen, problems()) == (set(), {})
            assert answers(daemon) == {"nas": 1}


def test_they_are_seen_on_the_command_line_and_become_samples(tmp_path: Path) -> None:
    with site(chain("nas", speed=0.1), tmp_path, plugins=PLUGINS, start=False) as made:
        prepare_process(made)
        made.start()
        assert "there is no node gone" in made.cli("nodes", "gone").err
        made.switch("on", "all")
        made.until("asked", lambda: node(made.call("getNodes"), "nas")["state"] == "up")
        table = made.cli("nodes").out
        assert table.splitlines()[0].split()[:3] == ["NODE", "STATE", "ASKED"]
        whole = made.cli("nodes", "nas").out
        assert "num_pids = " in whole
        assert "disk_percent > 85: ok, " in whole
        series = {"server": "nas", "kind": "node", "object": "nas", "key": "disk_percent"}
        made.until("samples", lambda: any(one.items() >= series.items() for one in made.call("series")["series"]))
        log = len(made.daemon.lines)
        made.edit("monitors/rack.ini", "monitor", limits="disk_precent > 1, memory_percent > 1")
        made.call("reload")
        made.until("over", lambda: made.call("getNodes")["nodes"][0]["limits"][1]["state"] == "over")
        assert "no node sends disk_precent" in made.cli("nodes").err
        made.daemon.said(r"WARNING .*node nas: memory_percent is [0-9.]+, more than 1", after=log)


def prepare_process(made: Site) -> None:
    (made.etc / "monitors").mkdir()
    point = made.lab.endpoints["nas"]
    (made.etc / "monitors/rack.ini").write_text(
        f"[monitor]\nmore = nas=http://{point.host}:{point.ports['http']}/events\ninterval = 500ms\n"
        "timeout = 400ms\nlimits = disk_percent > 85\n"
    )
    made.edit("config.ini", "plugins", plugins=ENABLED)


def test_monitors_follow_the_lab(tmp_path: Path) -> None:
    with Lab(chain("nas", "web", speed=0.1)) as lab:
        prepared(lab, tmp_path)
        more = read(tmp_path / "monitors/rack.ini")["monitor"]["more"]
        point = lab.endpoints["nas"]
        assert more[0] == f"nas=http://{point.host}:{point.ports['http']}/events"
        assert len(more) == 2
