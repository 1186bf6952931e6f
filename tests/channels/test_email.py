"""Mail, against aiosmtpd."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import given
from hypothesis import strategies as st

from channel_site import MESSAGE, channel, sent
from ockle.channels.ChannelTemplate import MessageRefused
from ockle.channels.mail import envelope, mail
from ockle.common.alert_message import AlertMessage
from ockle.common.errors import ConfigError, DeviceRefused, DeviceUnreachable
from ockle.common.problems import Severity
from peers import free_port
from peers_http import raw, self_signed

ADDRESSES = {"from": "Ockle <ockle@example.org>", "to": ["Ops Team <ops@example.org>", "boss@example.org"]}


@dataclass
class Postman:
    """``answers``: what is said to a recipient, by address; ``data``: to the mail itself."""

    port: int = 0
    data: str = "250 queued as 17"
    answers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        self.got: list[tuple[Envelope, EmailMessage]] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = dict(self.answers).get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self.data.startswith("2"):
            found = message_from_bytes(envelope.content, policy=default)
            assert isinstance(found, EmailMessage)
            self.got.append((envelope, found))
        return self.data


def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Know one user."""
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ockle", b"canary-password")
    return AuthResult(success=right, handled=False)


@contextmanager
def post_office(
    certificate: Path | None = None, *, from_the_start: bool = False, login: bool = False, **answers: Any
) -> Iterator[Postman]:
    """Run a mail server: without TLS, with STARTTLS, or with TLS from the start; ``login``: nobody may without."""
    postman = Postman(free_port(), **answers)
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    more: dict[str, Any] = {"ssl_context": context} if from_the_start else {"tls_context": context}
    if login:
        more |= {"authenticator": authenticator, "auth_required": True, "auth_require_tls": not from_the_start}
    controller = Controller(postman, hostname="127.0.0.1", port=postman.port, **more)
    controller.start()
    try:
        yield postman
    finally:
        controller.stop()


def plain(port: int, **more: Any) -> Any:
    return channel("Email", host="127.0.0.1", port=port, encryption="plaintext", **{**ADDRESSES, **more})


def test_a_mail() -> None:
    with post_office() as postman:
        said = sent(plain(postman.port))
        [(envelope, got)] = postman.got
    assert said == f"127.0.0.1:{postman.port}: queued as 17"
    assert (envelope.mail_from, envelope.rcpt_tos) == ("ockle@example.org", ["ops@example.org", "boss@example.org"])
    assert got["From"] == "Ockle <ockle@example.org>"
    assert got["To"] == "Ops Team <ops@example.org>, boss@example.org"
    assert got["Subject"] == '[Lab <1>] critical: web1 <& "größer"> failed to start'
    assert got["Message-ID"] == "<3f2a@example.org>"
    assert got["Importance"] == "high" and got["Auto-Submitted"] == "auto-generated"
    assert got["Date"].datetime.timestamp() == MESSAGE.at
    assert got.get_content().splitlines() == [
        *[MESSAGE.title, "", "- also: 2 servers that need it: web[2-3]", "- outlet pdu-a/3 & 4"],
        *["", "https://ockle.example.org/alerts/7"],
    ]
    assert isinstance(envelope.content, bytes) and envelope.content.isascii()  # any server can take it


def test_mails_of_an_alert_are_a_thread() -> None:
    over = replace(MESSAGE, id="9c", kind="recovery", title="over after 12m: web1")
    first, second = (mail(one, envelope("a@b.example", ["c@d.example"])) for one in (MESSAGE, over))
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert second["Importance"] is None


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd counts STARTTLS only
@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_encrypted_with_a_password(tmp_path: Path, encryption: str) -> None:
    certificate = self_signed(tmp_path)
    with post_office(certificate, from_the_start=encryption == "tls", login=True) as postman:
        options = {"host": "127.0.0.1", "port": postman.port, "encryption": encryption, **ADDRESSES}
        user = {"user": "ockle", "password": "canary-password"}
        with pytest.raises(DeviceRefused, match="certificate is not valid"):
            sent(channel("Email", **options, **user))
        with pytest.raises(DeviceRefused, match="certificate is not valid"):  # for 127.0.0.1 only
            sent(channel("Email", **{**options, "host": "localhost"}, **user, ca=str(certificate)))
        with pytest.raises(DeviceRefused, match="535") as caught:
            sent(channel("Email", **options, user="ockle", password="canary-wrong", ca=str(certificate)))
        assert "canary" not in str(caught.value)
        with pytest.raises(DeviceRefused, match="530"):
            sent(channel("Email", **options, ca=str(certificate)))
        sent(channel("Email", **options, **user, ca=str(certificate)))
        assert len(postman.got) == 1


def test_a_server_without_starttls_gets_nothing() -> None:
    with post_office() as postman:
        with pytest.raises(DeviceRefused, match="STARTTLS"):
            sent(channel("Email", host="127.0.0.1", port=postman.port, **ADDRESSES))
        assert postman.got == []


@pytest.mark.parametrize(
    ("answers", "error", "text"),
    [
        ({"answers": (("ops@example.org", "550 who"), ("boss@example.org", "550 who"))}, DeviceRefused, "550 who"),
        ({"answers": (("ops@example.org", "450 later"), ("boss@example.org", "550 no"))}, DeviceUnreachable, "later"),
        ({"data": "552 too big"}, MessageRefused, "552 too big"),
        ({"data": "451 try later"}, DeviceUnreachable, "451 try later"),
    ],
)
def test_what_an_answer_means(answers: dict[str, Any], error: type[Exception], text: str) -> None:
    with post_office(**answers) as postman, pytest.raises(error, match=text) as caught:
        sent(plain(postman.port))
    assert type(caught.value) is error


def test_a_recipient_who_is_not_known_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with post_office(answers=(("boss@example.org", "550 no such user"),)) as postman:
        said = sent(plain(postman.port))
        assert len(postman.got) == 1
    assert "not for boss@example.org: no such user" in said
    assert "not for boss@example.org" in caplog.text


@pytest.mark.parametrize(
    ("answer", "hold"), [(b"", False), (b"", True), (b"\x00\xff what\r\n", True), (b"554 go away\r\n", False)]
)
def test_a_server_out_of_its_mind(answer: bytes, hold: bool) -> None:
    with raw(answer, hold=hold, unasked=True) as port, pytest.raises((DeviceUnreachable, DeviceRefused)) as caught:
        sent(plain(port, timeout="1s"))
    assert f"127.0.0.1:{port}: " in str(caught.value)


def test_nobody_is_there() -> None:
    with pytest.raises(DeviceUnreachable, match="Connection refused"):
        sent(plain(free_port()))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"user": "me", "password": "canary"}, "the password would be sent in clear"),
        ({"to": []}, "to: no address"),
        ({"to": ["nobody"]}, "to: 'nobody' is no address"),
        ({"from": "a@b.example\r\nBcc: c@d.example"}, "is no address"),
        ({"from": "größer@b.example"}, "is no address"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_sent(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plain(25, **options)
    assert text in str(caught.value) and "canary" not in str(caught.value)


@given(st.text(), st.text(), st.text(), st.lists(st.text()))
def test_no_text_makes_a_header_of_its_own(name: str, title: str, site: str, lines: list[str]) -> None:
    message = AlertMessage(name, "problem", Severity.WARNING, title, tuple(lines), alert=1, site=site)
    found = mail(message, envelope("a@b.example", ["c@d.example"]))
    data = found.as_bytes()
    head = data.partition(b"\r\n\r\n")[0]
    assert all(byte < 128 for byte in data)
    again = message_from_bytes(data, policy=default)
    assert again.keys() == found.keys()
    assert b"\n" not in head.replace(b"\r\n", b"")
