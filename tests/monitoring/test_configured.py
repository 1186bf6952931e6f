"""Monitors in the configuration: what is wrong with them is told, and which nodes they mean, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from config_site import write_site
from ockle.commands.node_places import find_nodes, hosts_of, members_of
from ockle.config.edits import Edits
from ockle.config.site import load_site
from ockle.engine.monitoring.nodes import Node
from ockle.MainDaemon import _secrets
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode

ENABLED = "[plugins]\nplugins = Monitoring\n"


def lines(etc: Path) -> tuple[list[str], list[str]]:
    site = load_site(etc)
    return [str(fault) for fault in site.faults], site.warnings


def test_a_good_one_says_nothing_and_its_token_is_a_secret(tmp_path: Path) -> None:
    text = "[monitor]\nservers = all\nmore = pi7=10.0.0.7, nas2=https://nas2/x\ntoken = hush-hush\nlimits = x > 1\n"
    etc = write_site(tmp_path, monitors__rack=text, config=ENABLED)
    assert lines(etc) == ([], [])
    assert "hush-hush" in {secret.reveal() for secret in _secrets(load_site(etc))}


def test_the_template_alone_is_faultless(tmp_path: Path) -> None:
    assert lines(write_site(tmp_path, monitors__rack="[monitor]\nservers = all\n", config=ENABLED)) == ([], [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("servers = all\nlimits = cpu_percent", "[monitor] limits: 'cpu_percent' is no limit"),
        ("servers = all\nlimits = a > 1 for soon", "limits: 'a > 1 for soon': for soon"),
        ("servers = web[1-", "[monitor] servers: 'web[1-'"),
        ("more = pi7", "[monitor] more: 'pi7' is not of the form pi7=10.0.0.7"),
        ("more = pi7=10.0.0.7, pi7=10.0.0.8", "more: pi7 is listed twice"),
        ("more = pi/7=10.0.0.7", "more: 'pi/7=10.0.0.7': a name has no slash"),
        ("more = pi7=not a host", "is neither a host nor a URL"),
        ("more = pi7=ftp://a/b", "more: 'ftp://a/b' is no URL"),
        ("more = pi7=http://me:secret@a/b", "a secret goes into token"),
        ("servers = all\nurl = http://10.0.0.7:3000/events", "url: {host} is missing in it"),
        ("servers = all\nurl = {host}:3000", "url: '{host}:3000' is no URL"),
        ("servers = all\nurl = http://{host}:99999/", "is no URL"),
        ('servers = all\ntoken = "a b"', "[monitor] token: it has characters that HTTP cannot carry"),
        ("servers = all\ninterval = 1ms", "[monitor] interval"),
    ],
)
def test_a_fault_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    faults, _ = lines(write_site(tmp_path, monitors__rack=f"[monitor]\n{text}\n", config=ENABLED))
    assert len(faults) == 1
    assert says in faults[0]
    assert faults[0].startswith("monitors/rack.ini")


@pytest.mark.parametrize(
    ("text", "config", "says"),
    [
        ("servers = web, gone", ENABLED, "monitors/rack.ini: servers: nobody is called gone"),
        ("", ENABLED, "monitors/rack.ini: it has no nodes: neither servers, boards nor more names any"),
        ("servers = all\ninterval = 1s", ENABLED, "monitors/rack.ini: timeout is longer than interval"),
        (
            "servers = all",
            "[plugins]\nplugins = AutoControl\n",
            "nothing asks their nodes: add Monitoring to [plugins]",
        ),
    ],
)
def test_what_is_odd_is_a_warning(tmp_path: Path, text: str, config: str, says: str) -> None:
    faults, warnings = lines(write_site(tmp_path, monitors__rack=f"[monitor]\n{text}\n", config=config))
    assert faults == []
    assert len(warnings) == 1
    assert says in warnings[0]


def test_a_server_that_is_renamed_keeps_its_monitor(tmp_path: Path) -> None:
    etc = write_site(tmp_path, monitors__rack="[monitor]\nservers = web, nas\n", config=ENABLED)
    assert "shop, nas" in (Edits(etc).rename("servers/web.ini", "shop")["monitors/rack.ini"] or "")


def nodes(etc: Path) -> dict[str, Node]:
    site = load_site(etc)
    assert site.faults == []
    network = ServerNetwork()
    for name in site.servers:
        network.addServer(ServerNode(name, [], [], []))
    return find_nodes(site, members_of(site, network), hosts_of(site))


def test_where_nodes_are_asked(tmp_path: Path) -> None:
    """By the address of the tests; else by the name. One of ``more`` that is a server is that server."""
    etc = write_site(
        tmp_path,
        config=ENABLED,
        monitors__a="[monitor]\nservers = all\nmore = pi7=fe80::7, door=http://door/json\n",
        monitors__b="[monitor]\nmore = web=http://10.0.0.5/app.json\n",
        monitors__off="[monitor]\nservers = all\nenabled = no\n",
    )
    assert {(one.name, one.server, one.url) for one in nodes(etc).values()} == {
        ("web", "web", "http://127.0.20.5:3000/events"),
        ("nas", "nas", "http://nas:3000/events"),
        ("pi7", "", "http://[fe80::7]:3000/events"),
        ("door", "", "http://door/json"),
        ("web@b", "web", "http://10.0.0.5/app.json"),
    }


def test_boards_of_hosts_csv(tmp_path: Path) -> None:
    """A board that is tied to a server is that server; one without an address cannot be asked."""
    board = "[server]\ntests = boot\n[boot]\ntester = hello\nboard = pi1\n"
    etc = write_site(
        tmp_path,
        config="[plugins]\nplugins = Monitoring, NetBoot\n[plugins.NetBoot]\ninterface = lo\n",
        testers__hello="[tester]\ntype = HelloProtocol\n",
        servers__first=board,
        monitors__a="[monitor]\nboards = yes\nmissing_after = 0s\n",
    )
    (etc / "hosts.csv").write_text(
        "B8:27:EB:00:00:01;10.0.0.1;pi1;0\nB8:27:EB:00:00:02;10.0.0.2;;0\nB8:27:EB:00:00:03;;x;0\n"
    )
    assert {(one.name, one.server, one.url) for one in nodes(etc).values()} == {
        ("first", "first", "http://10.0.0.1:3000/events"),
        ("B8:27:EB:00:00:02", "", "http://10.0.0.2:3000/events"),
    }
