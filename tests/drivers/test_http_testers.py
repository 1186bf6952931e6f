"""HTTP and HTTPMetrics against Python's http.server, and against servers that mean harm."""

from __future__ import annotations

import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import peers_http
from ockle.common.errors import ConfigError, DeviceAnswerError, DeviceError, DeviceRefused
from ockle.common.http import Target, json_object
from ockle.testers.http import HTTP
from ockle.testers.http_metrics import HTTPMetrics

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def page(port: int, **params: object) -> HTTP:
    return HTTP("page", {"timeout": "2s"}, {"host": "127.0.0.1", "port": port, **params})


def metrics(port: int, **params: object) -> HTTPMetrics:
    return HTTPMetrics("node", {"timeout": "2s"}, {"host": "127.0.0.1", "port": port, **params})


def answer(body: bytes, head: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def test_status_and_text_decide(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("all is well – ja", "utf-8")
    with peers_http.pages(tmp_path) as port:
        assert page(port, text="well – ja").test()
        assert page(0, url=f"http://127.0.0.1:{port}/index.html?x=1").test()
        missing = page(port, path="/nothing")
        assert not missing.test()
        assert "status 404, not 200" in missing.last_error
        assert page(port, path="/nothing", status="200, 404").test()
        other = page(port, text="ill")
        assert not other.test()
        assert "does not contain 'ill'" in other.last_error


def test_a_certificate_is_checked_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = peers_http.self_signed(tmp_path)
    with peers_http.pages(tmp_path, certificate) as port:
        checked = page(port, tls=True)
        assert not checked.test()
        assert "certificate is not valid" in checked.last_error
        assert page(port, tls=True, verify=False).test()
        assert page(0, url=f"https://127.0.0.1:{port}/", verify=False).test()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert ssl.get_default_verify_paths().cafile == str(tmp_path / "certificate.pem")
        assert checked.test()


def test_a_redirection_is_an_answer_like_any_other() -> None:
    with peers_http.raw(answer(b"", "302 Found", "Location: http://192.0.2.1/\r\n")) as port:
        assert not page(port).test()
        assert page(port, status="302").test()


def test_chunks_are_put_together() -> None:
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    with peers_http.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body) as port:
        assert page(port, text="hello world").test()


def test_a_page_without_a_length_ends_with_the_connection() -> None:
    with peers_http.raw(b"HTTP/1.0 200 OK\r\n\r\nhello") as port:
        assert page(port, text="hello").test()


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [
        (b"", "closed without an answer"),
        (b"220 mail ESMTP\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "not HTTP"),
        (answer(b"z" * 70_000), "more than 64 KiB"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"fff\r\n" + b"z" * 4095 + b"\r\n" * 2, "not HTTP"),
    ],
)
def test_nonsense_fails_with_a_reason(bytes_: bytes, text: str) -> None:
    with peers_http.raw(bytes_) as port:
        tester = page(port)
        assert not tester.test()
        assert text in tester.last_error


def test_a_server_that_never_ends_costs_the_timeout_only() -> None:
    with peers_http.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", hold=True) as port:
        tester = HTTP("slow", {"timeout": "300ms"}, {"host": "127.0.0.1", "port": port})
        begun = time.monotonic()
        assert not tester.test()
        assert time.monotonic() - begun < 20  # it never ends by itself
        assert "no answer within 0.3 s" in tester.last_error


def test_a_page_without_a_place_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="neither url nor host"):
        HTTP("page", {}, {})


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://me:secret@127.0.0.1/", "http:///x"])
def test_a_url_that_cannot_be_fetched_is_refused(url: str) -> None:
    with pytest.raises(DeviceRefused) as caught:
        Target.of(url)
    assert "secret" not in str(caught.value)


def test_nobody_there_fails_with_a_reason() -> None:
    tester = page(9)
    assert not tester.test()
    assert "Connection refused" in tester.last_error


FIGURES = {"time": 0.0, "cpu_percent": 10.5, "memory_percent": 60, "disk_percent": 70.0, "num_pids": 120}


@pytest.mark.parametrize(
    ("change", "limits", "reason"),
    [
        ({}, {}, ""),
        ({}, {"max_cpu_percent": 20, "max_memory_percent": 60, "max_num_pids": 120}, ""),
        ({"cpu_percent": 20.5}, {"max_cpu_percent": 20}, "cpu_percent is 20.5, more than 20"),
        ({"num_pids": 200, "disk_percent": 99}, {"max_num_pids": 150, "max_disk_percent": 90}, "num_pids is 200"),
        ({"cpu_percent": "low"}, {"max_cpu_percent": 20}, "cpu_percent is 'low'"),
        ({"cpu_percent": True}, {"max_cpu_percent": 20}, "cpu_percent is 'True'"),
        ({"cpu_percent": float("nan")}, {"max_cpu_percent": 20}, "cpu_percent is 'nan'"),
        ({"cpu_percent": None}, {"max_memory_percent": 90}, ""),
        ({"time": "never"}, {"max_age": "10s"}, "time is 'never'"),
        ({"time": 1.0}, {"max_age": "10s"}, "s old, more than 10"),
        ({"time": "2001-02-03 04:05:06"}, {"max_age": "10s"}, "s old, more than 10"),
    ],
)
def test_figures_are_held_against_their_limits(change: dict[str, Any], limits: dict[str, Any], reason: str) -> None:
    with peers_http.raw(answer(json.dumps({**FIGURES, **change}).encode())) as port:
        tester = metrics(port, **limits)
        assert tester.test() is (not reason)
        assert reason in tester.last_error


@pytest.mark.parametrize(
    "form", [lambda now: now, str, lambda now: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))]
)
def test_fresh_figures_pass_in_every_form_of_time(form: Any) -> None:
    with peers_http.raw(answer(json.dumps({"time": form(time.time())}).encode())) as port:
        tester = metrics(port, max_age="30s")
        assert tester.test(), tester.last_error


def test_a_missing_figure_that_has_a_limit_fails() -> None:
    with peers_http.raw(answer(b"{}")) as port:
        tester = metrics(port, max_cpu_percent=90, max_age="10s")
        assert not tester.test()
        assert tester.last_error.endswith("cpu_percent is missing; time is missing")


def test_the_figures_become_data() -> None:
    with peers_http.raw(answer(json.dumps(FIGURES).encode())) as port:
        tester = metrics(port)
        assert tester.test()
        assert tester.data == {name: value for name, value in FIGURES.items() if name != "time"}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"nope", b"[" * 60_000, b"\xff\xfe"])
def test_anything_but_a_json_object_fails_with_a_reason(body: bytes) -> None:
    with peers_http.raw(answer(body)) as port:
        tester = metrics(port)
        assert not tester.test()
        assert "not JSON" in tester.last_error or "not a JSON object" in tester.last_error


@given(figures=st.fixed_dictionaries({}, optional=dict.fromkeys(FIGURES, JSON_VALUES)))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_figure_whatever_raises_anything_but_a_device_error(figures: dict[str, Any]) -> None:
    limits = {f"max_{name}": 50 for name in FIGURES if name != "time"}
    tester = metrics(1, **limits, max_age="1s")
    text = json.dumps(figures)
    parsed = json_object(text, "node")
    assert all(isinstance(problem, str) for problem in (*tester._above_limits(parsed), *tester._too_old(parsed)))


@given(text=st.text(max_size=60))
def test_no_text_whatever_raises_anything_but_a_device_error(text: str) -> None:
    try:
        assert isinstance(json_object(text, "node"), dict)
    except DeviceError as error:
        assert isinstance(error, DeviceAnswerError)
