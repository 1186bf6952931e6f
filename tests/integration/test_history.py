"""What a daemon tells of the past: events, timeline, durations and notes, also of before a restart; and the CLI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e import ockle
from ockle.common.CommunicationHandler import Caller
from ockle.common.CommunicationMessage import Message
from ockle.MainDaemon import MainDaemon
from ockle.plugins.SocketListener import SocketListener
from own_daemon import ask, running, until, written

FILES = {
    "config.ini": "[main]\npoll_interval = 200ms\ntest_interval = 200ms\n"
    "[plugins]\nplugins = CoreCommunicationCommands, SocketListener, Logger\n"
    "[plugins.SocketListener]\nport = 0\n[plugins.Logger]\ninterval = 1s\nwrite_every = 1s\n",
    "outlets/busy.ini": "[pdu]\ntype = DummyWithCPU\n",
    "testers/probe.ini": "[tester]\ntype = Dummy\n",
    "servers/web.ini": "[server]\noutlets = psu\ntests = port\n[psu]\npdu = busy\noutlet = 1\n[port]\ntester = probe\n",
}
ANNA = Caller("anna", "operator", "gui")


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    return written(tmp_path / "etc", FILES)


def switch_on(daemon: MainDaemon) -> int:
    until(lambda: ask(daemon, "status")["servers"]["web"]["word"] == "off")
    number = ask(daemon, "run", ANNA, action="on", servers=["web"], note="after the works")["run"]
    until(lambda: ask(daemon, "getRun", run=number)["state"] == "done")
    return int(number)


def test_a_life_that_a_restart_has_not_ended(etc: Path) -> None:
    with running(etc) as daemon:
        number = switch_on(daemon)
        note = ask(daemon, "annotate", ANNA, text=" fans replaced ", server="web")["seq"]
        figures = ask(daemon, "durations", server="web")["servers"]["web"]["on"]
        assert len(figures["seconds"]) == 1
        assert figures["median"] == figures["p95"]
    with running(etc) as daemon:
        until(lambda: ask(daemon, "status")["servers"]["web"]["word"] == "off")  # a dummy's relay is forgotten
        line = ask(daemon, "timeline", server="web")
        states = [band["state"] for band in line["bands"]]
        assert [state for state in states[-4:] if state != "Not started"][-3:] == ["OK", "", "OFF"]
        assert "Switching on" in states
        [rising] = [band for band in line["bands"] if band["state"] == "Switching on"]
        assert (rising["run"], rising["who"]) == (number, "anna")
        assert (line["commands"][0]["kind"], line["commands"][0]["who"]) == ("run", "anna")
        assert line["commands"][-1]["text"] == "fans replaced"
        found = ask(daemon, "eventsHistory", who="anna", via="gui")["events"]
        assert [event["kind"] for event in found] == ["note", "run"]
        assert found[0]["seq"] == note
        assert ask(daemon, "eventsHistory", text="FANS")["events"] == found[:1]


def test_pages_have_every_event_once(etc: Path) -> None:
    with running(etc) as daemon:
        for number in range(25):
            ask(daemon, "annotate", ANNA, text=f"note {number}")
        request: dict[str, Any] = {"kind": "note", "limit": 7}
        texts: list[str] = []
        while True:
            page = ask(daemon, "eventsHistory", **request)
            texts += [event["text"] for event in page["events"]]
            if page["next"] is None:
                break
            request["before"] = page["next"]
        assert texts == [f"note {number}" for number in reversed(range(25))]
        assert not ask(daemon, "eventsHistory", since=-60, until=1)["events"]


def test_the_log_reaches_further_back_than_memory(etc: Path) -> None:
    (etc / "config.ini").write_text(FILES["config.ini"].replace("[main]\n", "[main]\nevent_limit = 100\n"))
    with running(etc) as daemon:
        ask(daemon, "annotate", ANNA, text="first")
        until(lambda: any(row["text"] == "first" for row in daemon.engine.store.log.load("events")))
        for number in range(150):
            daemon.events.publish("test", f"web: test port SUCCEEDED {number}", "web")
        assert not any(event.kind == "note" for event in daemon.events.since(0))
        assert [event["text"] for event in ask(daemon, "eventsHistory", kind="note")["events"]] == ["first"]
        assert len(ask(daemon, "timeline", server="web")["tests"]) >= 100


def test_without_the_log_memory_is_told_and_why(etc: Path) -> None:
    with running(etc) as daemon:
        ask(daemon, "annotate", ANNA, text="in memory")
        daemon.engine.store.log.fault = "the disk is full"
        reply = ask(daemon, "eventsHistory", kind="note")
        assert [event["text"] for event in reply["events"]] == ["in memory"]
        assert reply["fault"] == "the disk is full"
        daemon.engine.store.log.fault = ""


@pytest.mark.parametrize(
    ("command", "data", "code"),
    [
        ("annotate", {"text": " "}, "bad_request"),
        ("annotate", {"text": "x" * 3000}, "bad_request"),
        ("annotate", {"text": "x", "server": "nobody"}, "not_found"),
        ("eventsHistory", {"limit": 0}, "bad_request"),
        ("eventsHistory", {"before": "x"}, "bad_request"),
        ("eventsHistory", {"kind": 5}, "bad_request"),
        ("eventsHistory", {"since": 1e400}, "bad_request"),
        ("timeline", {"server": "nobody"}, "not_found"),
        ("timeline", {"server": "web", "since": True}, "bad_request"),
        ("durations", {"server": "nobody"}, "not_found"),
    ],
)
def test_nonsense_is_refused(daemon: MainDaemon, command: str, data: dict[str, Any], code: str) -> None:
    reply = daemon.communicationHandler.handleMessage(Message(command, data), ANNA)
    assert (reply.error or {}).get("code") == code


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainDaemon]:
    etc = tmp_path_factory.mktemp("history") / "etc"
    for name, text in FILES.items():
        (etc / name).parent.mkdir(parents=True, exist_ok=True)
        (etc / name).write_text(text)
    with running(etc) as found:
        yield found


def test_a_viewer_may_look_but_not_write(daemon: MainDaemon) -> None:
    viewer = Caller("eve", "viewer", "gui")
    for command, data in (("eventsHistory", {}), ("timeline", {"server": "web"}), ("series", {}), ("durations", {})):
        ask(daemon, command, viewer, **data)
    reply = daemon.communicationHandler.handleMessage(Message("annotate", {"text": "x"}), viewer)
    assert (reply.error or {})["code"] == "denied"


def test_the_command_line_shows_writes_and_exports(daemon: MainDaemon) -> None:
    listener = daemon.plugins["SocketListener"]
    assert isinstance(listener, SocketListener)
    assert listener.wait_listening(10)
    port = int(listener.address.rpartition(":")[2])
    until(lambda: ask(daemon, "samples", server="web", key="cpu_percent")["series"])
    shown = ockle("history", "web", port=port)
    assert shown.code == 0
    assert "cpu_percent" in shown.out
    assert " % " in shown.out
    assert "TIME" in ockle("history", "web", "--key", "cpu_percent", port=port).out
    csv = ockle("history", "web", "--csv", port=port).out.splitlines()
    assert csv[0] == "start,end,server,kind,object,key,least,greatest,mean,count"
    assert any(",web,outlet,psu,cpu_percent," in line for line in csv)
    rows = json.loads(ockle("history", "-o", "json", port=port).out)
    assert {row["key"] for row in rows} == {"servers_on"}
    assert "there is no server nobody" in ockle("history", "nobody", port=port).err
    assert ockle("note", "=1+1", "--server", "web", port=port).code == 0
    assert "=1+1" in ockle("events", "--server", "web", port=port).out
