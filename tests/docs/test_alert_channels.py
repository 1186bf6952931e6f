"""docs/alert-channels.md: its files are fine, its receivers get JSON, its check of a signature is right."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from channel_site import MESSAGE, channel
from ockle.channels.body_template import filled
from ockle.channels.webhook import signature
from ockle.config.site import load_site
from own_daemon import written

PAGE = (Path(__file__).parents[2] / "docs" / "alert-channels.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_files_have_no_faults(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name, text in (("slack-url", "https://hooks.slack.example/services/T/B/x"), ("mail-password", "secret")):
        (tmp_path / "secrets" / name).write_text(text)
        (tmp_path / "secrets" / name).chmod(0o600)
    files = {block.split("\n", 1)[0].removeprefix("# etc/"): block for block in blocks("ini")}
    assert files.keys() == {"channels/ops.ini", "channels/mail.ini"}
    site = load_site(written(tmp_path, {"config.ini": "[plugins]\nplugins = Alerts\n", **files}))
    assert not site.faults
    assert sorted(site.channels) == ["mail", "ops"]


def test_the_signature() -> None:
    scope: dict[str, Callable[[str, str, bytes], bool]] = {}
    [code] = blocks("python")
    exec(code, scope)  # noqa: S102 - the page's own words
    genuine, now = scope["genuine"], int(time.time())
    assert genuine("key", signature("key", b"body", now), b"body")
    assert not genuine("key", signature("key", b"body", now), b"another")
    assert not genuine("other", signature("key", b"body", now), b"body")
    assert not genuine("key", signature("key", b"body", now - 600), b"body")


def test_the_json_has_what_is_sent() -> None:
    [shown] = blocks("json")
    one = channel("Webhook", url="http://127.0.0.1/")
    sent = json.loads(one._body(MESSAGE))  # type: ignore[attr-defined]
    assert json.loads(shown).keys() == sent.keys()


BODIES = [body for body in re.findall(r"`body = '(.*?)'`", PAGE) if body.startswith('{"')]


@pytest.mark.parametrize("body", BODIES)
def test_the_bodies_become_json(body: str) -> None:
    channel("Webhook", url="http://127.0.0.1/", body=body)
    assert json.loads(filled(body, MESSAGE, "application/json"))


def test_there_are_bodies() -> None:
    assert len(BODIES) == 3
