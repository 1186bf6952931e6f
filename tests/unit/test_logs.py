"""Log lines: no secret, no forged line, dated and bounded files."""

from __future__ import annotations

import io
import logging
import os
import re
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common import logs
from ockle.common.log_files import DatedFiles
from ockle.common.logs import logging_to, redact, register_secret

CANARY = "c4nary \\wort'h\" ümlaut&"
KEY = "-----BEGIN KEY-----\nAbCdEfGhIjKlMnOp\nQrStUvWxYz012345\n-----END KEY-----\n"
log = logging.getLogger("ockle.test")


@pytest.fixture(autouse=True)
def fresh_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_secrets", logs._Secrets())


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logging_to("DEBUG", stream=stream):
        yield stream


def test_a_secret_is_in_no_line_however_it_gets_there(console: io.StringIO) -> None:
    register_secret(CANARY)
    try:
        try:
            raise ValueError(f"login with {CANARY} failed")
        except ValueError as error:
            raise RuntimeError({"password": CANARY, "raw": CANARY.encode()}) from error
    except RuntimeError:
        log.exception("cannot log in as %r", CANARY)
    log.info("url http://admin:%s@host/", quote(CANARY, safe=""))
    log.info("plain " + CANARY)
    text = console.getvalue()
    assert "c4nary" not in text
    assert text.count(logs.MASK) >= 5
    assert "Traceback" in text


def test_a_key_file_is_masked_whole_and_line_by_line(console: io.StringIO) -> None:
    register_secret(KEY)
    log.info("key %s", KEY)
    log.info("second line QrStUvWxYz012345")
    log.info("as literal %r", KEY)
    assert not re.search("AbCd|QrSt", console.getvalue())


def test_an_uncaught_exception_in_a_thread_is_logged_without_the_secret(console: io.StringIO) -> None:
    register_secret("canary-in-thread")

    def fail() -> None:
        raise ValueError("canary-in-thread")

    thread = threading.Thread(target=fail, name="device loop")
    thread.start()
    thread.join(5)
    assert "uncaught ValueError in thread device loop" in console.getvalue()
    assert "canary-in-thread" not in console.getvalue()


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    register_secret("on")
    assert redact("password on: connection, money") == "password ***: connection, money"


def test_of_two_secrets_the_longer_one_is_masked_whole() -> None:
    register_secret("public")
    register_secret("public@9")
    assert redact("community public@9") == "community ***"


def test_an_empty_secret_masks_nothing() -> None:
    for text in ("", "  ", "\n"):
        register_secret(text)
    assert redact("nothing  to hide\n") == "nothing  to hide\n"


@given(st.text(min_size=4).filter(lambda text: "*" not in text and text.strip()), st.text(), st.text())
def test_redact_leaves_no_registered_text(secret: str, before: str, after: str) -> None:
    secrets = logs._Secrets()
    secrets.add(secret)
    assert secret not in secrets.mask(before + secret + after)


def test_a_device_cannot_forge_a_line(console: io.StringIO) -> None:
    log.warning("answer %s", "x\n2026-11-21 CRITICAL ockle: everything is lost\x1b[2J")
    lines = console.getvalue().splitlines()
    assert len(lines) == 1
    assert "\x1b" not in lines[0]


def test_a_traceback_is_indented(console: io.StringIO) -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        log.exception("failed")
    first, *more = console.getvalue().splitlines()
    assert first.endswith("ockle.test: failed")
    assert all(line.startswith("    ") for line in more)


def test_the_journal_gets_priorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        with logging_to("DEBUG", stream=stream):
            log.debug("a")
            log.info("b")
            log.warning("c")
            log.error("d")
        stream.seek(0)
        assert [line[:3] for line in stream] == ["<7>", "<6>", "<4>", "<3>"]


def test_an_inherited_journal_variable_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    with (tmp_path / "terminal").open("w") as stream:
        assert not logs.to_journal(stream)
    assert not logs.to_journal(stream)  # closed
    assert not logs.to_journal(io.StringIO())


def test_everything_is_put_back() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), threading.excepthook)
    with logging_to("DEBUG", stream=io.StringIO()):
        pass
    assert (root.level, list(root.handlers), threading.excepthook) == before


def test_console_and_file_say_the_same(tmp_path: Path) -> None:
    register_secret("canary-file")
    stream = io.StringIO()
    with logging_to(folder=tmp_path / "logs", stream=stream, today=lambda: date(2026, 11, 21)):
        log.info("nas01 is on, %s", "canary-file")
    (path,) = (tmp_path / "logs").iterdir()
    assert path.name == "ockle-2026-11-21.log"
    assert path.read_text() == stream.getvalue()
    assert path.read_text().endswith("INFO    ockle.test: nas01 is on, ***\n")
    assert path.stat().st_mode & 0o007 == 0


def test_a_disk_that_refuses_is_told_once_and_harms_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    register_secret("canary-disk")
    folder = tmp_path / "logs"
    stream = io.StringIO()
    days = iter([date(2026, 11, 21)] + [date(2026, 11, 22)] * 9)
    with logging_to(folder=folder, stream=stream, today=lambda: next(days)):
        folder.rename(tmp_path / "gone")
        log.info("one canary-disk")
        log.info("two canary-disk")
    assert stream.getvalue().count("***") == 2
    complaint = capfd.readouterr().err
    assert complaint.count("cannot write a log line") == 1
    assert "canary" not in complaint


def test_files_begin_at_midnight_and_the_oldest_go(tmp_path: Path) -> None:
    day = date(2026, 11, 20)
    files = DatedFiles(tmp_path, "ockle", keep=3, total_bytes=10**6, today=lambda: day)
    for _ in range(5):
        files.write(f"{day}\n")
        day += timedelta(days=1)
    files.close()
    assert [path.name for path in files.paths()] == [f"ockle-2026-11-{number}.log" for number in (22, 23, 24)]
    assert [path.read_text() for path in files.paths()] == [f"2026-11-{number}\n" for number in (22, 23, 24)]


def test_all_files_together_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "ockle-other.txt").write_text("not ours\n" * 1000)
    files = DatedFiles(tmp_path, "ockle", keep=100, total_bytes=8000, today=lambda: date(2026, 11, 21))
    for number in range(2000):
        files.write(f"line {number:05}\n")
    total = sum(path.stat().st_size for path in files.paths())
    lines = "".join(path.read_text() for path in files.paths()).splitlines()
    files.close()
    assert 6000 < total <= 8000
    assert lines == [f"line {number:05}" for number in range(2000 - len(lines), 2000)]  # in order, without a gap
    assert (tmp_path / "ockle-other.txt").exists()


def test_a_restart_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for text in ("one\n", "two\n"):
        files = DatedFiles(tmp_path, "ockle", keep=3, total_bytes=8000, today=lambda: date(2026, 11, 21))
        files.write(text)
        files.close()
    assert [path.read_text() for path in files.paths()] == ["one\ntwo\n"]
