"""``GET /events``: what the agent measures, and how it stands hostile clients and gauges that hang."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.agent import gauges, metrics_server
from ockle.agent.check import check
from ockle.agent.gauges import Gauge, Gauges, busy_percent
from ockle.agent.metrics_server import MetricsServer, NotServed
from ockle.agent.settings import MetricsSettings, read_settings
from ockle.common.errors import DeviceAnswerError
from ockle.common.http import Request, Target, fetch, fetch_json
from ockle.engine.monitoring.figures import figures_of

HOST = "127.0.0.1"
TOKEN = "a-token-of-the-test"


@contextmanager
def serving(read: Callable[[], dict[str, Any]], **options: Any) -> Iterator[int]:
    settings = MetricsSettings(**{"address": HOST, "port": 0, "disks": ("/",), "threads": 2, **options})
    server = MetricsServer(settings, read)
    try:
        yield server.open()
    finally:
        server.close()


def asked(port: int, path: str = "/events", **headers: str) -> dict[str, Any]:
    return asyncio.run(fetch_json(Target(HOST, port, path), 20, request=Request(headers=headers)))


def status(
    port: int, path: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None
) -> int:
    request = Request(method, headers or {}, body)
    return asyncio.run(fetch(Target(HOST, port, path), 20, request=request)).status


class TestWhatIsMeasured:
    def test_the_figures_of_this_machine(self) -> None:
        with serving(Gauges(["/"]).read) as port:
            sent = asked(port)
            figures, problem = figures_of(sent)
        assert problem == ""
        assert {"memory_percent", "disk_percent", "num_pids", "load_1m", "uptime_s", "disks./"} <= set(figures)
        assert all(0 <= figures[key] <= 100 for key in figures if key.endswith("_percent"))
        assert figures["disk_percent"] == figures["disks./"]
        assert figures["num_pids"] >= 1
        assert (figures["hanging"], sent["not_measured"]) == (0, [])
        assert isinstance(sent["time"], float)

    def test_a_disk_that_is_not_there_is_left_out(self, tmp_path: Path) -> None:
        read = Gauges(["/", str(tmp_path / "gone")]).read()
        assert set(read["disks"]) == {"/"}
        assert read["hanging"] == 0

    def test_the_fullest_disk_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gauges, "disk", lambda path: lambda: {"disks": {path: float(len(path))}})
        assert Gauges(["/", "/srv"]).read()["disk_percent"] == 4

    def test_one_that_hangs_is_named_and_waited_for_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Like a disk whose file server is gone: its thread stays, and the others go on."""
        ends, begun = threading.Event(), []

        def hangs(path: str) -> Callable[[], Mapping[str, Any]]:
            def measure() -> Mapping[str, Any]:
                begun.append(path)
                if path == "/nfs":
                    ends.wait(60)
                return {"disks": {path: 50.0}}

            return measure

        monkeypatch.setattr(gauges, "disk", hangs)
        monkeypatch.setattr(gauges, "PATIENCE_S", 0.1)
        found = Gauges(["/", "/nfs"])
        try:
            for _ in range(3):
                sent = found.read()
                assert (sent["disk_percent"], sent["hanging"], sent["not_measured"]) == (50, 1, ["disk /nfs"])
            assert begun.count("/nfs") == 1
        finally:
            ends.set()

    def test_what_was_just_measured_is_not_measured_again(self) -> None:
        count: list[int] = []

        def measure() -> Mapping[str, Any]:
            count.append(1)
            return {"x": len(count)}

        gauge = Gauge("x", measure)
        for _ in range(5):
            gauge.begin()
            assert gauge.read() == {"x": 1}

    @given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e3)), min_size=5, max_size=5))
    def test_load_is_a_percentage(self, values: list[tuple[float, float]]) -> None:
        names = ("user", "system", "idle", "iowait", "guest")
        before = {name: start for name, (start, _) in zip(names, values, strict=True)}
        after = {name: start + more for name, (start, more) in zip(names, values, strict=True)}
        load = busy_percent(before, after)
        assert load is None or 0 <= load <= 100

    def test_load_leaves_out_idle_time_and_guests(self) -> None:
        before = dict.fromkeys(("user", "system", "idle", "iowait", "guest"), 0.0)
        after = {"user": 20.0, "system": 10.0, "idle": 60.0, "iowait": 10.0, "guest": 15.0}
        assert busy_percent(before, after) == 30
        assert busy_percent(before, before) is None


class TestServing:
    def test_pimans_paths(self) -> None:
        with serving(lambda: {"cpu_percent": 1}) as port:
            for path in ("/events", "/event/", "/events?x=1"):
                assert asked(port, path) == {"cpu_percent": 1}
            assert [status(port, path) for path in ("/", "/events/1", "/etc/passwd", "/../events")] == [404] * 4

    def test_who_has_no_token_is_told_nothing(self) -> None:
        with serving(lambda: {"cpu_percent": 1}, token=TOKEN) as port:
            assert asked(port, Authorization=f"Bearer {TOKEN}") == {"cpu_percent": 1}
            for headers in (
                {},
                {"Authorization": TOKEN},
                {"Authorization": "Bearer other"},
            ):
                assert status(port, "/events", headers=headers) == 401
            with pytest.raises(DeviceAnswerError, match="status 401"):
                asked(port)

    def test_it_takes_nothing(self) -> None:
        with serving(lambda: {}) as port:
            assert status(port, "/events", "POST", b"{}") == 405
            assert status(port, "/events", "DELETE") == 405
            assert status(port, "/events", "PUT", b"x" * 5000) == 413
            assert status(port, "/events", headers={"X-Long": "y" * 20_000}) == 431
            assert asked(port) == {}

    def test_clients_that_say_nothing_keep_nobody_out(self) -> None:
        with serving(lambda: {"cpu_percent": 1}) as port:
            idle = [socket.create_connection((HOST, port), 20) for _ in range(metrics_server.MOST_CLIENTS - 5)]
            try:
                for one in idle:
                    one.sendall(b"GET /events HTTP/1.1\r\nX: ")
                assert asked(port) == {"cpu_percent": 1}
            finally:
                for one in idle:
                    one.close()

    @given(st.binary(max_size=300))
    def test_garbage_harms_nobody(self, data: bytes) -> None:
        with closing(socket.create_connection((HOST, garbage_port()), 20)) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        assert asked(garbage_port()) == {"cpu_percent": 1}

    def test_a_port_that_is_taken_is_said(self) -> None:
        with serving(lambda: {}) as port, pytest.raises(NotServed) as caught, serving(lambda: {}, port=port):
            pass
        assert str(caught.value) == f"[metrics] cannot listen on {HOST}:{port}: Address already in use"

    def test_a_port_that_becomes_free_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With a plug to watch the agent goes on without its figures, and serves them once it can."""
        monkeypatch.setattr(metrics_server, "RETRY_S", 0.01)

        async def scenario() -> None:
            with closing(socket.create_server((HOST, 0))) as other:
                port = other.getsockname()[1]
                server = MetricsServer(MetricsSettings(HOST, port, ("/",), 1), lambda: {"x": 1})
                opening = asyncio.create_task(server.keep_open())
                while not server.problem:
                    await asyncio.sleep(0.01)
                assert "already in use" in server.problem
            async with asyncio.timeout(20):
                await opening
            try:
                assert await fetch_json(Target(HOST, port, "/events"), 20) == {"x": 1}
            finally:
                server.close()

        asyncio.run(scenario())

    def test_all_addresses(self) -> None:
        with serving(lambda: {"x": 1}, address="") as port:
            assert asked(port) == {"x": 1}


_served: list[int] = []


@pytest.fixture(scope="module", autouse=True)
def one_server() -> Iterator[None]:
    with serving(lambda: {"cpu_percent": 1}) as port:
        _served.append(port)
        yield


def garbage_port() -> int:
    return _served[0]


def test_check_shows_the_figures_and_a_disk_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.agent.check.FRESH_S", 0.1)
    path = tmp_path / "agent.ini"
    path.write_text(f"[metrics]\ndisks = /, {tmp_path}/gone\nport = 3999\n")
    (found,) = asyncio.run(check(read_settings(path), offline=False))
    assert (found.what, found.good) == ("metrics", False)
    assert found.text.startswith(f"{tmp_path}/gone cannot be read; cpu_percent ")
    assert found.text.endswith("told to whoever asks on *:3999")
    path.write_text(f"[metrics]\ntoken = {TOKEN}\n")
    (found,) = asyncio.run(check(read_settings(path), offline=False))
    assert found.good
    assert found.text.endswith("told to who has the token on *:3000")
    assert json.dumps(found.text).count(TOKEN) == 0
