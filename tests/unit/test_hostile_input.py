"""What fuzzing has found, one test each; docs/reliability.md has the table."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from paramiko.hostkeys import HostKeys

from ockle.common.CommunicationMessage import MAX_DEPTH, MAX_REQUEST, Message, MessageError
from ockle.common.errors import CommandError, ConfigError
from ockle.common.hostranges import expand
from ockle.common.ssh_hostkeys import KnownHosts
from ockle.config.files import parse_ini, render_ini
from ockle.config.templates import check_section, driver_template
from ockle.config.types import split_list
from ockle.networkTree.selection import select
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode


def test_a_lone_surrogate_can_be_answered() -> None:
    message = Message.parse_request(b'{"command":"\\ud800","id":"\\udfff"}')
    again = Message.parse(message.reply({"text": "\ud800"}).encode())
    assert (again.command, again.id, again.data) == ("\ud800", "\udfff", {"text": "\ud800"})


def test_a_reply_is_json_even_with_numbers_that_are_none() -> None:
    message = Message.parse_request(b'{"command":"a","id":1e999}')
    line = message.reply({"watts": [float("nan"), -float("inf"), 1.5]}).encode()
    assert json.loads(line, parse_constant=pytest.fail) == {
        "command": "a",
        "id": None,
        "data": {"watts": [None, None, 1.5]},
    }


def test_deep_nesting_is_refused() -> None:
    def request(depth: int) -> bytes:
        return b'{"command":"a","id":' + b"[" * depth + b"]" * depth + b"}"

    assert Message.parse_request(request(MAX_DEPTH)).reply().encode()
    for depth in (MAX_DEPTH + 1, 900, 30_000):
        with pytest.raises(MessageError):
            Message.parse_request(request(depth))
    flat = b'{"command":"a","data":{"servers":[' + b",".join([b"{}"] * 1000) + b"]}}"
    assert len(Message.parse_request(flat).data["servers"]) == 1000


@pytest.mark.parametrize(
    "selectors",
    [
        [f"n{number}-[1-99999]" for number in range(MAX_REQUEST // 16)],
        ["x" * 60_000 + "[1-99999]"],
        ["[1-99999]" * 6000],
        [f"@{number}" for number in range(MAX_REQUEST // 8)],
    ],
    ids=["many ranges", "long names", "a product", "many tags"],
)
def test_no_selection_eats_the_memory(selectors: list[str]) -> None:
    """One frame of a viewer could name 400 million servers, or 6 GB of letters, and have the daemon make them all."""
    network = ServerNetwork()
    network.addServer(ServerNode("web1"))
    tracemalloc.start()
    try:
        with pytest.raises(CommandError) as caught:
            select(network, selectors)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 500


def test_names_of_a_range_have_a_limit_of_letters() -> None:
    with pytest.raises(ValueError, match="letters"):
        expand("x" * 1000 + "[1-9999]")
    assert len(expand("x" * 20 + "[1-99999]")) == 99_999


@pytest.mark.parametrize("name", ["|1|c2FsdA==|aGFzaA==", "|1|=|=", "|1|", "|", "|2|a|b|c", "|1|\u00e4|b"])
def test_a_broken_hash_in_known_hosts_stands_for_nobody(tmp_path: Path, name: str) -> None:
    """paramiko answers a salt of the wrong length with an AssertionError."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPqUMjHp1rQwTkrHYD3AJU9BUdDGY1xKpUsfQPr0OwnL"
    file = tmp_path / "known_hosts"
    file.write_text(f"{name} {key}\nweb1 {key}\n{HostKeys.hash_host('web2')} {key}\n", "utf-8")
    for host, known in (("web1", True), ("web2", True), ("web3", False)):
        keys = HostKeys()
        KnownHosts(str(file)).fill(keys, host)
        assert (keys.lookup(host) is not None) is known


@pytest.mark.parametrize("line", ["dependen#ies = nas", "a,b = 1", "a'b = 1", "[plugins,x]", "[a'b]"])
def test_names_that_would_be_written_in_quotes_are_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        parse_ini(f"[a]\n{line}\n", "x.ini")


@pytest.mark.parametrize("line", ['key = x\' s"cr"""', """key = "x, y", 'z',# # c"""])
def test_what_cannot_be_written_again_is_told_without_its_value(line: str) -> None:
    ini = parse_ini(f"[a]\n{line}\n", "x.ini")
    with pytest.raises(ConfigError) as caught:
        render_ini(ini)
    assert "cannot be written as INI" in str(caught.value)
    assert 's"cr' not in str(caught.value)


def test_an_item_of_a_list_has_no_line_breaks() -> None:
    with pytest.raises(ValueError, match="line break"):
        split_list(["200\n301"])


def test_a_home_folder_that_nobody_has_is_a_fault() -> None:
    template = driver_template("controllers", "SSHController")
    option = next(name for name, one in template.sections["controller"].items() if one.type == "path")
    raw = {"type": "SSHController", option: "~no-such-user/x"}
    checked = check_section(template, "controller", raw, file="ssh.ini", etc=Path("/etc"))
    assert any("no home folder" in str(fault) for fault in checked.faults)
