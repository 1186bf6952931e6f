"""Prometheus, started on a free port: it scrapes what a test serves, and answers queries."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from peers import free_port, peer

PATIENCE_S = 30.0


@dataclass
class Prometheus:
    url: str
    log: Path

    def get(self, path: str, **query: str) -> Any:
        """Return the data of an answer of its API; a refusal fails the test."""
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(query)}", timeout=20) as answer:  # noqa: S310 - http, to what was started here
            found = json.load(answer)
        assert found["status"] == "success", found
        return found["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples that an expression has now."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def until(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples of an expression as soon as there are any."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, (expression, self.targets(), self.log.read_text()[-2000:])
            time.sleep(0.1)
        return found

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("targets")["activeTargets"]
        return found


@contextmanager
def running(folder: Path, target: str, token: str = "", rules: Path | None = None) -> Iterator[Prometheus]:
    """Run it until the block ends. ``target``: HOST:PORT that it scrapes once a second, with ``token``."""
    folder.mkdir(parents=True, exist_ok=True)
    job: dict[str, Any] = {"job_name": "ockle", "static_configs": [{"targets": [target]}]}
    if token:
        job["authorization"] = {"credentials": token}
    settings = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)] if rules else [],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yml").write_text(json.dumps(settings))  # all JSON is YAML
    port, log = free_port(), folder / "prometheus.log"
    command = [
        peer("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            made = Prometheus(f"http://127.0.0.1:{port}", log)
            _ready(made, process)
            yield made
        finally:
            process.kill()  # what it has gathered is of no worth


def _ready(prometheus: Prometheus, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            prometheus.get("status/buildinfo")
        except (URLError, OSError, AssertionError):
            assert process.poll() is None, prometheus.log.read_text()
            assert time.monotonic() < deadline, prometheus.log.read_text()
            time.sleep(0.05)
        else:
            return
