"""The Logger in a real daemon: what the example's meters say comes back by the socket, also after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ockle.common.CommunicationMessage import Message
from ockle.MainDaemon import MainDaemon
from own_daemon import ask, running, until, written

FILES = {
    "config.ini": "[main]\npoll_interval = 200ms\ntest_interval = 200ms\n"
    "[plugins]\nplugins = CoreCommunicationCommands, Logger\n[plugins.Logger]\ninterval = 1s\nwrite_every = 1s\n",
    "outlets/busy.ini": "[pdu]\ntype = DummyWithCPU\n",
    "testers/probe.ini": "[tester]\ntype = Dummy\n",
    "servers/web.ini": "[server]\noutlets = psu\ntests = port\n[psu]\npdu = busy\noutlet = 1\nstate = true\n"
    "[port]\ntester = probe\n",
}


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    return written(tmp_path / "etc", FILES)


def test_what_is_measured_comes_back(etc: Path) -> None:
    wanted: dict[str, Any] = {"server": "web", "key": "cpu_percent"}
    with running(etc) as daemon:
        assert daemon.plugin_states()["Logger"] == ""
        until(lambda: ask(daemon, "samples", **wanted)["series"])
        known = {(one["kind"], one["object"], one["key"], one["unit"]) for one in ask(daemon, "series")["series"]}
        assert {("outlet", "psu", "cpu_percent", "%"), ("test", "port", "passed", "")} <= known
        assert ("network", "", "servers_on", "") in known
    with running(etc) as daemon:
        found = until(lambda: ask(daemon, "samples", **wanted)["series"])
        [series] = found
        assert series["segments"][0][0][5] >= 1
        reply = daemon.communicationHandler.handleMessage(Message("samples", {"server": "nobody"}))
        assert (reply.error or {})["code"] == "not_found"


def test_an_export_has_every_sample_once(etc: Path) -> None:
    with running(etc) as daemon:
        until(lambda: ask(daemon, "samples", server="web", key="cpu_percent")["series"])
        page = ask(daemon, "exportSamples", server="web")
        assert page["next"] is None
        rows = [dict(zip(page["columns"], row, strict=True)) for row in page["rows"]]
        assert {row["key"] for row in rows} == {"cpu_percent", "passed"}
        assert len({(row["start"], row["key"]) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    "data",
    [{"since": "x"}, {"since": 5, "until": 4}, {"points": 0}, {"points": 1e9}, {"server": 3}, {"until": float("nan")}],
)
def test_nonsense_is_refused(etc: Path, data: dict[str, Any]) -> None:
    daemon = MainDaemon(etc)
    daemon._load_plugin("Logger")
    reply = daemon.communicationHandler.handleMessage(Message("samples", data))
    assert (reply.error or {})["code"] == "bad_request", data
    daemon.device_loop.stop()
