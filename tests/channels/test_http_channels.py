"""Slack, Discord and Webhook against a web server of other people."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from channel_site import MESSAGE, TITLE, channel, sent
from ockle.channels.ChannelTemplate import MessageRefused, TryLater
from ockle.channels.discord import DESCRIPTION_MOST
from ockle.channels.discord import payload as discord_payload
from ockle.channels.http_post import check_url
from ockle.channels.slack import SECTION_MOST, Slack
from ockle.channels.slack import payload as slack_payload
from ockle.common.alert_message import AlertMessage
from ockle.common.errors import ConfigError, DeviceAnswerError, DeviceRefused, DeviceUnreachable
from ockle.common.logs import redact
from ockle.common.problems import Severity
from ockle.config.references import Secret
from peers import free_port
from peers_http import pages, raw, self_signed

PATH = "/services/T0/B0/canary-of-a-secret-path"


@pytest.fixture
def server(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request(PATH, method="POST").respond_with_data("ok")
    return httpserver


def asked(server: HTTPServer) -> Request:
    """Return the only request that came."""
    [(request, _)] = server.log
    return request


def test_webhook_sends_all_that_is_known(server: HTTPServer) -> None:
    said = sent(channel("Webhook", url=server.url_for(PATH)))
    assert said.endswith("status 200, ok")
    request = asked(server)
    body = json.loads(request.data)
    assert AlertMessage.of_dict({key: value for key, value in body.items() if key != "time"}) == MESSAGE
    assert body["time"] == "2026-07-20T12:00:00+00:00"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Ockle-Id"] == MESSAGE.id


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", '{"text": "{title}", "n": {alert}}', json.dumps({"text": TITLE, "n": 7})),
        ("text/plain", "{severity}: {title}\n{lines}", f"critical: {TITLE}\n{MESSAGE.lines[0]}\n{MESSAGE.lines[1]}"),
        ("application/x-www-form-urlencoded", "a={servers}&b={site}", "a=web1%2C+web2%2C+web3&b=Lab+%3C1%3E"),
    ],
)
def test_webhook_with_a_body_of_its_own(server: HTTPServer, content_type: str, body: str, expected: str) -> None:
    sent(channel("Webhook", url=server.url_for(PATH), body=body, content_type=content_type))
    assert asked(server).data.decode() == expected


def test_webhook_headers_and_signature(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in", method="PUT").respond_with_data("", status=204)
    options = {"token": "canary-token", "sign_key": "canary-key", "secret_header": "X-Api-Key: canary-header"}
    sent(channel("Webhook", url=httpserver.url_for("/in"), method="PUT", headers=["Title: Ockle"], **options))
    request = asked(httpserver)
    assert request.headers["Authorization"] == "Bearer canary-token"
    assert (request.headers["Title"], request.headers["X-Api-Key"]) == ("Ockle", "canary-header")
    seconds, mark = (part.partition("=")[2] for part in request.headers["X-Ockle-Signature"].split(","))
    expected = hmac.new(b"canary-key", f"{seconds}.".encode() + request.data, hashlib.sha256).hexdigest()
    assert mark == expected


def test_slack(server: HTTPServer) -> None:
    sent(channel("Slack", url=server.url_for(PATH), mentions=["!here"]))
    body = json.loads(asked(server).data)
    assert body["text"].startswith("<!here> 🔴 web1 &lt;&amp; ")
    head, details, foot = body["blocks"]
    assert head["text"]["text"] == '<!here> 🔴 *web1 &lt;&amp; "größer"&gt; failed to start*'
    assert "pdu-a/3 &amp; 4" in details["text"]["text"]
    assert foot["elements"][0]["text"] == "Lab &lt;1&gt; · <https://ockle.example.org/alerts/7|open in Ockle>"


def test_only_what_is_critical_and_new_calls_people() -> None:
    one = channel("Slack", url="http://127.0.0.1/", mentions=["!here", "<@U1>"])
    assert isinstance(one, Slack)
    assert one.mentions(MESSAGE) == ["!here", "<@U1>"]
    assert (
        one.mentions(replace(MESSAGE, severity=Severity.WARNING))
        == one.mentions(replace(MESSAGE, kind="recovery"))
        == []
    )
    assert slack_payload(MESSAGE, one.mentions(MESSAGE))["text"].startswith("<!here> <@U1> ")


def test_slack_as_text_alone(server: HTTPServer) -> None:
    sent(channel("Slack", url=server.url_for(PATH), blocks="false"))
    assert set(json.loads(asked(server).data)) == {"text"}


def test_discord(server: HTTPServer) -> None:
    sent(channel("Discord", url=server.url_for(PATH), username="ockle"))
    body = json.loads(asked(server).data)
    [embed] = body["embeds"]
    assert body["username"] == "ockle" and body["allowed_mentions"] == {"parse": []}
    assert embed["color"] == 0xDC2626 and embed["url"] == MESSAGE.url
    assert embed["title"].startswith("🔴 web1 \\<& ")


def test_long_messages_keep_to_the_limits() -> None:
    long = AlertMessage("1", "digest", Severity.INFO, "<&>" * 500, tuple(f"*line* <&> {n}" * 50 for n in range(100)))
    for block in slack_payload(long)["blocks"]:
        assert len(block["text"]["text"]) <= SECTION_MOST
    assert len(slack_payload(long, blocks=False)["text"]) <= 8000
    [embed] = discord_payload(long)["embeds"]
    assert len(embed["title"]) <= 256 and len(embed["description"]) <= DESCRIPTION_MOST


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (500, {}, DeviceUnreachable),
        (503, {"Retry-After": "7"}, TryLater),
        (408, {}, DeviceUnreachable),
        (429, {"Retry-After": "90"}, TryLater),
        (429, {}, TryLater),
        (400, {}, MessageRefused),
        (413, {}, MessageRefused),
        (401, {}, DeviceRefused),
        (403, {}, DeviceRefused),
        (404, {}, DeviceRefused),
        (410, {}, DeviceRefused),
        (501, {}, DeviceRefused),
        (302, {"Location": "https://user:canary@elsewhere.example/in"}, DeviceRefused),
    ],
)
def test_what_an_answer_means(httpserver: HTTPServer, status: int, headers: dict[str, str], error: type) -> None:
    httpserver.expect_request(PATH).respond_with_response(Response("no\nsuch\x1b[31m thing", status, headers))
    with pytest.raises(error) as caught:
        sent(channel("Webhook", url=httpserver.url_for(PATH)))
    assert type(caught.value) is error
    assert f"status {status}" in str(caught.value)
    assert "canary" not in str(caught.value) and "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "least", "most"), [("90", 90, 90), ("", 30, 30), ("soon", 30, 30), ("9" * 50, 10**8, 10**9)]
)
def test_retry_after(httpserver: HTTPServer, text: str, least: float, most: float) -> None:
    httpserver.expect_request(PATH).respond_with_response(Response("", 429, {"Retry-After": text}))
    with pytest.raises(TryLater) as caught:
        sent(channel("Webhook", url=httpserver.url_for(PATH)))
    assert least <= caught.value.after <= most


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"\x00\xff garbage\r\n\r\n", DeviceAnswerError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", DeviceAnswerError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000, DeviceAnswerError),
        (b"", DeviceUnreachable),
    ],
)
def test_a_receiver_out_of_its_mind(answer: bytes, error: type[Exception]) -> None:
    with raw(answer) as port, pytest.raises(error):
        sent(channel("Webhook", url=f"http://127.0.0.1:{port}{PATH}"))


def test_a_receiver_that_hangs() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow"
    with raw(answer, hold=True) as port, pytest.raises(DeviceUnreachable, match="no answer within"):
        sent(channel("Webhook", url=f"http://127.0.0.1:{port}{PATH}", timeout="300ms"))


def test_nobody_is_there() -> None:
    with pytest.raises(DeviceUnreachable, match="Connection refused"):
        sent(channel("Slack", url=f"http://127.0.0.1:{free_port()}{PATH}"))


@pytest.mark.peer
def test_tls(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with pages(tmp_path, certificate) as port:
        url = f"https://127.0.0.1:{port}{PATH}"
        with pytest.raises(DeviceRefused, match="certificate is not valid"):
            sent(channel("Webhook", url=url))
        with pytest.raises(DeviceRefused, match="certificate is not valid"):  # made for 127.0.0.1 only
            sent(channel("Webhook", url=url.replace("127.0.0.1", "localhost"), ca=str(certificate)))
        for options in ({"ca": str(certificate)}, {"verify": "false"}):
            with pytest.raises(DeviceRefused, match="status 501"):  # it speaks; Python's server takes no POST
                sent(channel("Webhook", url=url, **options))


def test_secrets_are_in_no_log_and_no_error(httpserver: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request(PATH).respond_with_response(Response(f"you asked for {PATH}", 500))
    with pytest.raises(DeviceUnreachable) as caught:
        sent(channel("Slack", url=httpserver.url_for(PATH)))
    assert "canary" not in redact(str(caught.value)) and "***" in redact(str(caught.value))
    assert not [one for one in caplog.records if "canary" in one.getMessage() and one.name != "werkzeug"]
    with pytest.raises(DeviceRefused) as refused:
        sent(channel("Webhook", url=httpserver.url_for("/"), secret_header="X-Key: canary\r\nX-Other: canary"))
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("Webhook", {"url": "hooks.example.org/in"}, "url: not a URL"),
        ("Slack", {"url": "ftp://hooks.example.org/in"}, "url: not a URL"),
        ("Discord", {"url": "https://me:canary@hooks.example.org/in"}, "url: not a URL"),
        ("Webhook", {"url": "http://a/", "body": "{titel}"}, "body: there is no {titel}"),
        ("Webhook", {"url": "http://a/", "body": '{"text": {title}}'}, "body: it does not become JSON"),
        ("Webhook", {"url": "http://a/", "headers": ["nothing"]}, "headers: not of the form Name: value"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_sent(kind: str, options: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        channel(kind, **options)
    assert text in str(caught.value) and "canary" not in str(caught.value)


def test_a_url_that_is_not_known_here_is_told_when_it_is_needed() -> None:
    check_url(Secret("${env:OCKLE_TEST_NOT_THERE}"))
    one = channel("Slack", url="http://127.0.0.1/")
    with pytest.raises(DeviceRefused, match="url: the environment has no variable"):
        sent(type(one)("ops", {**one.settings, "url": Secret("${env:OCKLE_TEST_NOT_THERE}")}))
