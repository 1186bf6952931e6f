"""The code of docs/write-an-outlet.md, run against a device that speaks what the page says."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ockle.common.errors import ConfigError
from ockle.config import templates

PAGE = Path(__file__).parents[2] / "docs" / "write-an-outlet.md"
CODE = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)[0]


class Board:
    """Eight relays behind a web server; ``stuck`` ones do not move, and ``garbled`` makes it talk nonsense."""

    def __init__(self) -> None:
        self.relays = dict.fromkeys(range(1, 9), False)
        self.stuck: set[int] = set()
        self.garbled = False
        board = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = board.answer(self.path).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def answer(self, path: str) -> str:
        parts = urlsplit(path)
        relay = int(parts.path.removeprefix("/relay/"))
        turn = parse_qs(parts.query).get("turn")
        before = self.relays[relay]
        if turn and relay not in self.stuck:
            self.relays[relay] = turn == ["on"]
        return json.dumps({"on": "perhaps"} if self.garbled else {"was": before} if turn else {"on": before})


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    thread = threading.Thread(target=board.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield board
    board.server.shutdown()
    thread.join(10)
    board.server.server_close()


@pytest.fixture
def relay_type(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    module = ModuleType("garden_relay")
    exec(compile(CODE, str(PAGE), "exec"), module.__dict__)  # noqa: S102 - this is what the test is for
    kind: type[Any] = module.__dict__["GardenRelay"]
    monkeypatch.setattr(templates, "EXTERNAL", dict(templates.EXTERNAL))
    templates.register_template("outlets", "GardenRelay", templates.parse_template(kind.TEMPLATE, "garden"))
    return kind


def test_the_code_has_about_thirty_lines() -> None:
    inside_template = False
    lines = 0
    for line in CODE.splitlines():
        if '"""' in line and line.count('"""') == 1:
            inside_template = not inside_template
        lines += bool(line.strip()) and not inside_template
    assert lines <= 30


def test_the_outlet_of_the_page_switches_and_reads(board: Board, relay_type: type[Any]) -> None:
    outlet = relay_type("lamp", {"host": "127.0.0.1", "port": board.port}, {"relay": "3"})
    assert outlet.getState() is False
    assert outlet.setState(True)
    assert outlet.getState() is True
    assert board.relays[3]
    assert outlet.setState(False)


def test_the_outlet_of_the_page_does_not_believe_the_device(board: Board, relay_type: type[Any]) -> None:
    board.stuck.add(4)
    params = {"relay": "4", "settle_timeout": "100ms"}
    outlet = relay_type("lamp", {"host": "127.0.0.1", "port": board.port}, params)
    assert not outlet.setState(True)
    assert "still shows off" in outlet.last_error
    board.garbled = True
    assert outlet.getState() is None
    assert "neither true nor false" in outlet.last_error


def test_options_are_checked_before_anything_is_sent(relay_type: type[Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        relay_type("lamp", {"prot": "80"}, {"relay": "9"})
    assert caught.value.faults
