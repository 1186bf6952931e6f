"""The documented calls, the command line and hostile messages, against a real daemon."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from e2e import PATIENCE_S, Site, dependencies, judge_down, judge_up, rack, site
from ockle.config.site import load_site
from ockle.webserver.ockle_client import ClientCalls
from ockle.webserver.ockle_client.connection import ClientError

pytestmark = pytest.mark.slow

SPEC = rack()
NAMES = {machine.name for machine in SPEC.machines}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(
        SPEC, tmp_path_factory.mktemp("client"), overrides={"web": {"comment": "the web", "tags": "front"}}
    ) as made:
        yield made


@pytest.fixture
def rig(shared: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The shared site with all servers off, and ClientCalls pointed at it as the manual says."""
    monkeypatch.setattr(ClientCalls, "PORT", shared.daemon.port)
    monkeypatch.setattr(ClientCalls, "OCKLE_SERVER_HOSTNAME", "localhost")
    shared.until("observed", lambda: "Not started" not in shared.states().values())
    if set(shared.states().values()) != {"OFF"}:
        shared.switch("off", "all")
    return shared


# -- the documented calls


def test_the_calls_that_list_what_is_configured(rig: Site) -> None:
    servers = ClientCalls.getServerDict()
    assert servers is not None
    assert set(servers) == NAMES
    assert servers["web"] == "the web"
    assert set(ClientCalls.getPDUDict() or {}) == {"pdu-a", "pdu-b", "sw"}
    assert set(ClientCalls.getControllerDict() or {}) == {"ssh"}
    assert set(ClientCalls.getTesterDict() or {}) == {"tcp", "metrics"}
    for wanted, found in (
        ({"PoE", "Raritan", "Dummy", "DummyWithCPU", "Command"}, ClientCalls.getAvailablePDUsList()),
        ({"SSHController", "Dummy", "Command"}, ClientCalls.getAvailableControllersList()),
        ({"Ping", "TCP", "HTTP", "HTTPMetrics", "Dummy", "Command"}, ClientCalls.getAvailableTestersList()),
    ):
        assert found is not None
        assert wanted <= set(found)
        assert list(found) == sorted(found)
        assert all(isinstance(text, str) and text for text in found.values())
    plugins = ClientCalls.getAvailablePluginsList()
    assert plugins is not None
    assert {
        "AutoControl",
        "CoreCommunicationCommands",
        "EditingCommunicationCommands",
        "SocketListener",
        "TimerPluginExample",
    } <= set(plugins)
    assert all(isinstance(text, str) and text for text in plugins.values())
    commands = ClientCalls.listCommands()
    assert commands is not None
    assert {"listCommands", "setServer", "getINIFile", "setAutoControlStatus", "subscribe"} <= set(commands)
    assert [name for name, text in commands.items() if not text] == []


def test_the_calls_that_describe_a_server(rig: Site) -> None:
    assert set(ClientCalls.serversDependent("web") or {}) == {"db", "dns"}
    assert ClientCalls.serversDependent("core") == {}
    offered = ClientCalls.getServerAvilableDependencies("dns")
    assert offered is not None
    assert set(offered) == {"nas", "db", "lone"}  # not itself, not what it needs already, not what would close a cycle
    assert set(ClientCalls.getAvailableServerOutlets("nas") or {}) == {"psu1", "psu2"}
    assert set(ClientCalls.getAvailableServerControls("nas") or {}) == {"ssh"}
    assert set(ClientCalls.getAvailableServerTesters("nas") or {}) == {"tcp", "http"}
    view = ClientCalls.getServerView("nas")
    assert view is not None
    assert view["OpState"] == "OFF"
    assert set(view["outlets"]) == {"psu1", "psu2"}
    dot = ClientCalls.getServerTree()
    assert dot is not None
    assert dot.startswith("digraph")
    assert all(f'"{needed}" -> "{server}"' in dot for server, needed in dependencies(SPEC))
    with pytest.raises(ClientError) as unknown:
        ClientCalls.getServerView("nobody")
    assert unknown.value.code == "not_found"


def test_the_calls_that_switch(rig: Site) -> None:
    mark = len(rig.ledger)
    reply = ClientCalls.setServer({"server": "nas", "state": "on"})
    assert reply is not None
    assert isinstance(reply["status"], str)
    rig.until_state(core="OK", nas="OK")
    judge_up(rig.ledger, SPEC, [("nas", "core")], mark)
    assert ClientCalls.runTest({"server": "nas", "obj": "tcp"}) == "SUCCEEDED"
    assert ClientCalls.runTest({"server": "web", "obj": "tcp"}) == "FAILED"
    ClientCalls.setAutoControlStatus({"status": "off"})  # it would switch on again what is switched off by hand
    assert ClientCalls.switchOutlet({"server": "nas", "obj": "psu2", "state": "off"}) == "OFF"  # the other one feeds it
    assert rig.lab.state("nas") == "up"
    assert ClientCalls.switchOutlet({"server": "nas", "obj": "psu2", "state": "on"}) == "OK"
    ClientCalls.setAutoControlStatus({"status": "on"})
    with pytest.raises(ClientError, match="nas may need it") as refused:
        ClientCalls.switchOutlet({"server": "core", "obj": "psu1", "state": "off"})
    assert refused.value.code == "refused"
    with pytest.raises(ClientError, match="needs db") as refused:
        ClientCalls.switchOutlet({"server": "web", "obj": "psu1", "state": "on"})
    assert refused.value.code == "refused"
    mark = len(rig.ledger)
    assert ClientCalls.switchControl({"server": "nas", "obj": "ssh", "state": "off"}) == "Switching off"
    rig.ledger.wait("halted", "nas", after=mark, timeout=PATIENCE_S)
    rig.switch("off", "all")
    assert rig.ledger.cuts_while_mounted() == []


def test_the_call_that_switches_the_whole_network(rig: Site) -> None:
    mark = len(rig.ledger)
    reply = ClientCalls.switchNetwork({"state": "true"})
    assert reply is not None
    assert isinstance(reply["status"], str)
    rig.until("all on", lambda: set(rig.states().values()) == {"OK"})
    judge_up(rig.ledger, SPEC, dependencies(SPEC), mark)
    mark = len(rig.ledger)
    assert "status" in (ClientCalls.switchNetwork({"state": "false"}) or {})
    rig.until("all off", lambda: set(rig.states().values()) == {"OFF"})
    judge_down(rig.ledger, SPEC, dependencies(SPEC), mark)


def test_the_calls_of_auto_control(rig: Site) -> None:
    assert ClientCalls.getAutoControlStatus() == {"status": "on"}
    assert ClientCalls.setAutoControlStatus({"status": "off"}) == {"status": "off"}
    assert ClientCalls.getAutoControlStatus() == {"status": "off"}
    with pytest.raises(ClientError):
        ClientCalls.setAutoControlStatus({"status": "perhaps"})
    assert ClientCalls.setAutoControlStatus({"status": "on"}) == {"status": "on"}


def test_the_calls_that_edit(rig: Site) -> None:
    assert (ClientCalls.getServerFolder(), ClientCalls.getPDUFolder()) == ("servers", "outlets")
    assert (ClientCalls.getControllerFolder(), ClientCalls.getTesterFolder()) == ("controllers", "testers")
    text = ClientCalls.getINIFile("servers/lone.ini")
    assert text is not None
    assert "[server]" in text
    ini = ClientCalls.loadINIFileConfig("servers/lone.ini")
    assert ini is not None
    assert ini["psu1"]["pdu"] == "pdu-b"
    template = ClientCalls.loadINIFileTemplate(["outlets.ini", "conf_outlets/Raritan.ini"])
    assert template is not None
    assert "host" in template["pdu"]
    assert "server" in (ClientCalls.loadINIFileTemplate("serverNodes.ini") or {})

    ini["server"]["comment"] = "edited"
    assert (ClientCalls.setINIFile("servers/lone.ini", ini) or {})["reload"] == "done"
    assert (ClientCalls.getServerDict() or {})["lone"] == "edited"
    assert (
        ClientCalls.setINIFile("servers/extra.ini", {"server": {"dependencies": ["lone"], "comment": "new"}})
        is not None
    )
    assert (ClientCalls.getServerDict() or {})["extra"] == "new"
    assert set(ClientCalls.serversDependent("extra") or {}) == {"lone"}
    with pytest.raises(ClientError, match="extra"):
        ClientCalls.deleteINIFile("servers/lone.ini")  # extra needs it
    assert ClientCalls.deleteINIFile("servers/extra.ini") is not None
    assert set(ClientCalls.getServerDict() or {}) == NAMES
    assert ClientCalls.deleteINISection("http", "servers/lone.ini") is not None
    assert set(ClientCalls.getAvailableServerTesters("lone") or {}) == {"tcp"}
    assert ClientCalls.getINIFile("servers/lone.ini") != text


def test_what_may_not_be_edited(rig: Site) -> None:
    before = ClientCalls.getINIFile("servers/core.ini")
    secret = ClientCalls.getINIFile("outlets/pdu-a.ini")
    assert secret is not None
    assert "private" not in secret
    cycle = ClientCalls.loadINIFileConfig("servers/core.ini")
    assert cycle is not None
    cycle["server"]["dependencies"] = ["web"]
    with pytest.raises(ClientError, match=r"cycle.*core"):
        ClientCalls.setINIFile("servers/core.ini", cycle)
    assert ClientCalls.getINIFile("servers/core.ini") == before
    outside = rig.etc.parent / "outside.ini"
    outside.write_text("[server]\n")
    for path in ("../outside.ini", str(outside), "servers/../../outside.ini", "servers/\x00.ini"):
        with pytest.raises(ClientError):
            ClientCalls.getINIFile(path)
        with pytest.raises(ClientError):
            ClientCalls.setINIFile(path, {"server": {}})
        with pytest.raises(ClientError):
            ClientCalls.deleteINIFile(path)
    assert outside.read_text() == "[server]\n"
    assert load_site(rig.etc).faults == []


def test_without_a_daemon_every_call_returns_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, but not listening
        monkeypatch.setattr(ClientCalls, "PORT", closed.getsockname()[1])
        assert ClientCalls.listCommands() is None
        assert ClientCalls.getServerTree() is None
        assert ClientCalls.setServer({"server": "web", "state": "on"}) is None


def test_subscribe_tells_what_happens_as_it_happens(rig: Site) -> None:
    with rig.daemon.connect() as listener:
        listener.subscribe(["state"], "lone")
        rig.switch("on", "lone")
        seen = [listener.next_event(PATIENCE_S) for _ in range(2)]
        assert [event["data"]["state"] for event in seen if event] == ["Switching on", "OK"]
    first = next(ClientCalls.subscribe(["state"], "lone", since_seq=0))
    assert (first["kind"], first["server"]) == ("state", "lone")


# -- the command line


def test_the_command_line_looks_switches_and_waits(rig: Site) -> None:
    assert rig.cli("status").code == 7
    assert rig.cli("on", "web", "--yes", "--no-wait").code == 0
    assert rig.cli("wait", "--for", "on", "--timeout", "60s", "web").code == 0
    assert rig.cli("status", "web").code == 0
    assert rig.cli("wait", "--for", "on", "--timeout", "soon", "lone").code == 2
    assert rig.cli("wait", "--for", "on", "--timeout", "0.2s", "lone").code == 5
    status = json.loads(rig.cli("-o", "json", "status").out)
    assert status["web"]["word"] == "on"
    assert status["lone"]["word"] == "off"
    assert json.loads(rig.cli("-o", "json", "status", "@front").out).keys() == {"web"}
    assert "web" in rig.cli("tree").out
    assert "tester" in rig.cli("who").out
    assert "web: OK" in rig.cli("events", "--server", "web").out
    run = json.loads(rig.cli("-o", "json", "runs", "--limit", "1").out)[0]
    assert (run["action"], run["state"], run["via"]) == ("on", "done", "cli")
    assert "web" in rig.cli("runs", str(run["id"])).out
    assert rig.cli("test", "web").code == 0
    assert rig.cli("test", "lone").code == 1
    assert rig.cli("restart", "pi1", "--dry-run").code == 0
    assert rig.cli("off", "core", "web", "--yes").code == 0
    assert rig.cli("status", "nobody").code == 2
    assert rig.cli("cancel", "99999").code == 2
    assert json.loads(rig.cli("command", "about").out)["servers"] == len(NAMES)
    assert rig.cli("command", "noSuchCommand").code == 2


def test_switching_everything_off_needs_its_confirmation(rig: Site) -> None:
    rig.switch("on", "all")
    refused = rig.cli("off", "all", "--yes")
    assert refused.code == 2
    assert "--confirm" in refused.err
    assert set(rig.states().values()) == {"OK"}
    assert rig.cli("off", "all", "--yes", "--confirm", "7").code == 0
    assert set(rig.states().values()) == {"OFF"}


# -- hostile messages


@pytest.mark.parametrize(
    ("line", "command", "code"),
    [
        (b"this is no JSON\n", "error", "bad_request"),
        (b"[1, 2]\n", "error", "bad_request"),
        (b'{"data": {}}\n', "error", "bad_request"),
        (b"\xff\xfe\x00\n", "error", "bad_request"),
        (b'{"command": "makeCoffee", "id": 7}\n', "Unknown Command", None),
        (b'{"command": "setServer", "id": 7}\n', "setServer", "bad_request"),
        (b'{"command": "setServer", "data": {"server": [], "state": {}}, "id": 7}\n', "setServer", "bad_request"),
        (b'{"command": "getRun", "data": {"run": 1e400}, "id": 7}\n', "getRun", "bad_request"),
        (b'{"command": "plan", "data": {"action": "on", "servers": 7}, "id": 7}\n', "plan", "bad_request"),
        (b'{"command": "select", "data": {"selector": 7}, "id": 7}\n', "select", "bad_request"),
        (b'{"command": "hold", "data": {"server": "web", "held": 1, "note": 5}, "id": 7}\n', "hold", "bad_request"),
        (b'{"command": "events", "data": {"since": "x"}, "id": 7}\n', "events", "bad_request"),
        (b'{"command": "tree", "data": {"server": []}, "id": 7}\n', "tree", "bad_request"),
        (b'{"command": "run", "data": {"action": "on", "servers": ["[[["]}, "id": 7}\n', "run", "bad_request"),
        (b'{"command": "run", "data": {"action": 5, "servers": ["web"]}, "id": 7}\n', "run", "bad_request"),
        (b'{"command": "cancel", "data": {"run": null}, "id": 7}\n', "cancel", "bad_request"),
        (b'{"command": "cancel", "data": {"run": 1e400}, "id": 7}\n', "cancel", "bad_request"),
        (
            b'{"command": "run", "data": {"action": "on", "servers": ["web"], "timeout_s": NaN}, "id": 7}\n',
            "run",
            "bad_request",
        ),
        (b'{"command": "force", "data": {"server": "web", "state": null}, "id": 7}\n', "force", "bad_request"),
        (b'{"command": "runTest", "data": {"server": "web", "obj": {}}, "id": 7}\n', "runTest", "bad_request"),
        (b'{"command": "status", "data": {"since": []}, "id": 7}\n', "status", None),
        (
            b'{"command": "setAutoControlStatus", "data": {"status": []}, "id": 7}\n',
            "setAutoControlStatus",
            "bad_request",
        ),
        (b'{"command": "getServerAvilableDependencies", "data": {"server": 3}, "id": 7}\n', None, "bad_request"),
    ],
)
def test_a_message_that_makes_no_sense_gets_an_error_and_the_connection_lives(
    rig: Site, line: bytes, command: str | None, code: str | None
) -> None:
    with socket.create_connection(("127.0.0.1", rig.daemon.port), PATIENCE_S) as link, link.makefile("rb") as replies:
        link.sendall(line)
        reply = json.loads(replies.readline())
        assert command in (None, reply["command"])
        assert reply.get("error", {}).get("code") == code, reply
        link.sendall(b'{"command": "ping", "id": 8}\n')
        assert json.loads(replies.readline())["id"] == 8
    assert rig.states()["web"] == "OFF"


def test_a_message_that_is_too_long_gets_an_error_and_only_its_connection_ends(rig: Site) -> None:
    with socket.create_connection(("127.0.0.1", rig.daemon.port), PATIENCE_S) as link, link.makefile("rb") as replies:
        link.sendall(b'{"command": "' + b"x" * 70_000 + b'"}\n')
        assert json.loads(replies.readline())["error"]["code"] == "too_long"
        try:
            rest = replies.readline()
        except ConnectionResetError:
            rest = b""
        assert rest == b""
    assert set(rig.states()) == NAMES
