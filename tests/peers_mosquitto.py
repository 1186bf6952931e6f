"""Eclipse Mosquitto, a broker, and its clients mosquitto_sub and mosquitto_pub: started on free ports of loopback."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from peers import free_port, peer

PATIENCE_S = 20.0
USER, WATCHER, PASSWORD = "ockle", "watcher", "a-secret-of-the-tests"
HOST = "127.0.0.1"


class Heard(NamedTuple):
    """A message as mosquitto_sub got it."""

    topic: str
    payload: str
    retained: bool

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


@dataclass
class Listener:
    """A mosquitto_sub that goes on listening; it connects again by itself when the broker is back."""

    process: subprocess.Popen[str]
    heard: list[Heard] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = json.loads(line)
            payload = found.get("payload")
            self.heard.append(Heard(found["topic"], payload or "", bool(found["retain"])))

    def of(self, topic: str) -> list[Heard]:
        return [one for one in list(self.heard) if one.topic == topic]

    def newest(self, topic: str) -> str:
        """Return the newest payload of a topic, "" before the first."""
        found = self.of(topic)
        return found[-1].payload if found else ""

    def kept(self) -> dict[str, str]:
        """Return the newest payload of each topic, those that were cleared left out."""
        return {topic: text for topic, text in {one.topic: one.payload for one in list(self.heard)}.items() if text}

    def until(self, holds: Callable[[], Any]) -> Any:
        """Return the first true thing that ``holds`` returns."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := holds()):
            assert time.monotonic() < deadline, self.heard[-20:]
            assert self.process.poll() is None, "mosquitto_sub has ended"
            time.sleep(0.02)
        return found

    def json(self, topic: str, holds: Callable[[Any], bool] = bool) -> Any:
        """Wait until the newest message of ``topic`` is as wanted, and return it."""

        def look() -> Any:
            text = self.newest(topic)
            found = json.loads(text) if text else None
            return found if found is not None and holds(found) else None

        return self.until(look)


@dataclass
class Mosquitto:
    """A broker with a password. ``ca``: file of the authority when it speaks TLS, "" = it does not."""

    folder: Path
    port: int
    ca: str = ""
    process: subprocess.Popen[bytes] | None = None
    listeners: list[Listener] = field(default_factory=list)

    def start(self) -> None:
        """Start it, or start it again, on the same port; what it kept before is gone."""
        log = (self.folder / "broker.log").open("ab")
        self.process = subprocess.Popen(
            [peer("mosquitto"), "-c", str(self.folder / "broker.conf")], stdout=log, stderr=log
        )
        log.close()
        deadline = time.monotonic() + PATIENCE_S
        greeting = [*self._client("mosquitto_pub"), "-t", "up", "-n"]
        while subprocess.run(greeting, capture_output=True, check=False, timeout=10).returncode:
            assert time.monotonic() < deadline, (self.folder / "broker.log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def _client(self, program: str) -> list[str]:
        tls = ["--cafile", self.ca] if self.ca else []
        return [peer(program), "-h", HOST, "-p", str(self.port), "-u", WATCHER, "-P", PASSWORD, *tls]

    def listen(self, *filters: str) -> Listener:
        """Return a listener to ``filters`` that has heard what is kept for them."""
        topics = [part for one in (*filters, "up/#") for part in ("-t", one)]
        process = subprocess.Popen(
            [*self._client("mosquitto_sub"), "-q", "1", "-F", "%j", *topics], stdout=subprocess.PIPE, text=True
        )
        listener = Listener(process)
        threading.Thread(target=listener.read, daemon=True).start()
        self.listeners.append(listener)
        self.publish("up/listener", str(process.pid), retain=True)
        listener.until(lambda: any(one.payload == str(process.pid) for one in listener.of("up/listener")))
        return listener

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        keep = ["-r"] if retain else []
        text = ["-m", payload] if payload else ["-n"]
        subprocess.run(
            [*self._client("mosquitto_pub"), "-q", "1", "-t", topic, *text, *keep], check=True, timeout=PATIENCE_S
        )

    def stop(self) -> None:
        for listener in self.listeners:
            listener.process.terminate()
            listener.process.wait(10)
            if listener.process.stdout is not None:
                listener.process.stdout.close()
        self.kill()


@contextmanager
def running(folder: Path, certificate: tuple[Path, Path] | None = None, access: str = "") -> Iterator[Mosquitto]:
    """Run a broker until the block ends.

    ``certificate``  files of certificate and key, for TLS
    ``access``       text of an access list; the tests' own listeners log in as ``watcher``
    """
    folder.mkdir(parents=True, exist_ok=True)
    peer("mosquitto")
    broker = Mosquitto(folder, free_port(), str(certificate[0]) if certificate else "")
    passwords = folder / "passwords"
    passwords.touch(0o600)
    for user in (USER, WATCHER):
        subprocess.run([peer("mosquitto_passwd"), "-b", str(passwords), user, PASSWORD], check=True, timeout=10)
    lines = [
        f"listener {broker.port} {HOST}",
        "allow_anonymous false",
        f"password_file {passwords}",
        "persistence false",
    ]
    if certificate:
        lines += [f"certfile {certificate[0]}", f"keyfile {certificate[1]}"]
    if access:
        (folder / "acl").write_text(f"{access}\nuser {WATCHER}\ntopic readwrite #\n")
        lines.append(f"acl_file {folder / 'acl'}")
    if os.geteuid() == 0:
        lines.append("user root")  # it would give up root otherwise, and could not read the files
    (folder / "broker.conf").write_text("\n".join([*lines, ""]))
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
