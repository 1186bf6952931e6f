"""The socket over TLS: a certificate made here, the real listener, the client library and the command line."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ockle.cli.main import main
from ockle.plugins.SocketListener import SocketListener
from ockle.webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed
from socket_site import Services, listening, port_of, tokens


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key; return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ockle")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Services, SocketListener, Path]]:
    cert, key = certificate(tmp_path)
    with listening(tls_cert=str(cert), tls_key=str(key), local_role="none", **tokens()) as (services, listener):
        yield services, listener, cert


def client(listener: SocketListener, tls: bool | str, token: str = "switch") -> Connection:
    return Connection("127.0.0.1", port_of(listener), tls=tls, token=token, timeout=10)


def test_commands_go_through_and_roles_hold(site: tuple[Services, SocketListener, Path]) -> None:
    _, listener, cert = site
    with client(listener, str(cert)) as link:
        assert link.call("caller")["role"] == "operator"
        assert link.call("big", {"size": 200_000})["text"] == "x" * 200_000
    with client(listener, str(cert), token="see") as link, pytest.raises(ClientError) as caught:
        link.call("switch")
    assert caught.value.code == "denied"


def test_an_unknown_certificate_is_refused_by_the_client(site: tuple[Services, SocketListener, Path]) -> None:
    with client(site[1], True) as link, pytest.raises(ConnectionFailed, match="certificate"):
        link.call("caller")


def test_a_client_without_tls_gets_nothing_and_the_listener_lives(site: tuple[Services, SocketListener, Path]) -> None:
    _, listener, cert = site
    with client(listener, False) as link, pytest.raises(ConnectionFailed):
        link.call("caller")
    with client(listener, str(cert)) as link:
        assert link.call("echo", {"still": "there"}) == {"still": "there"}


def test_the_command_line_speaks_it(
    site: tuple[Services, SocketListener, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, listener, cert = site
    secret = tmp_path / "token"
    secret.write_text("see\n")
    where = ["--host", f"tls:127.0.0.1:{port_of(listener)}", "--ca-file", str(cert), "--token-file", str(secret)]
    assert main([*where, "command", "caller"]) == 0
    assert '"viewer"' in capsys.readouterr().out
