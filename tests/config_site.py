"""A small site for the tests of the configuration: faultless until a test changes a file."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "config.ini": "[main]\nlog_level = DEBUG\n[plugins]\nplugins = AutoControl, SocketListener\n",
    "outlets/pdu-a.ini": "[pdu]\ntype = Raritan\nhost = 127.0.0.1\n",
    "controllers/ssh.ini": "[controller]\ntype = SSHController\nuser = ockle\n",
    "testers/tcp.ini": "[tester]\ntype = TCP\n",
    "servers/nas.ini": """[server]
outlets = psu1
[psu1]
pdu = pdu-a
outlet = 1
""",
    "servers/web.ini": """# the shop
[server]
dependencies = nas
outlets = psu1
controls = ssh
tests = http
[psu1]
pdu = pdu-a
outlet = 2   # rear
[ssh]
controller = ssh
host = 127.0.20.5
[http]
tester = tcp
host = 127.0.20.5
port = 80
""",
}


def write_site(etc: Path, **changes: str) -> Path:
    """Write the site below ``etc``; ``changes`` replace or add files (``__`` stands for ``/``, no ``.ini``)."""
    files = FILES | {f"{name.replace('__', '/')}.ini": text for name, text in changes.items()}
    for name, text in files.items():
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return etc
