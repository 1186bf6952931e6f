"""Nothing that leaves holds a secret, and nothing outside the configuration is read or written."""

from __future__ import annotations

import json
import os
import string
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from editing_site import SECRETS, VIEWER, Editing
from ockle.common.errors import ConfigError
from ockle.config.masking import mask, unmask

PDU = "outlets/pdu-a.ini"
CANARY = "cAnArY"


@pytest.fixture
def site(tmp_path: Path) -> Editing:
    return Editing(tmp_path)


def test_stars_keep_what_they_stand_for(site: Editing) -> None:
    for file in ("outlets/sw-poe.ini", PDU, "config.ini", "servers/nas01.ini"):
        shown = site.ok("getINIFile", VIEWER, iniPath=file)["iniFile"]
        assert not any(secret in shown for secret in SECRETS)
        assert site.ok("configApply", files={file: shown})["rev"] is None
    shown = site.ok("getINIFile", VIEWER, iniPath=PDU)["iniFile"]
    site.ok("configApply", files={PDU: shown.replace("retries = 2", "retries = 4")})
    assert "write_community = rack-a\n" in site.text(PDU)
    assert "retries = 4" in site.text(PDU)
    assert site.ok("configSet", file=PDU, section="pdu", key="write_community", value="***")["rev"] is None


def test_stars_that_stand_for_nothing_are_refused(site: Editing) -> None:
    new = "[pdu]\ntype = Raritan\nhost = 127.0.0.1\ncommunity = ***\n"
    for data in ({"outlets/new.ini": new}, {PDU: site.text(PDU) + "auth_password = ***\n"}):
        code, message = site.refused("configApply", files=data)
        assert (code, "no former value" in message) == ("bad_config", True)
    assert "no former" in site.refused("configSet", file=PDU, section="pdu", key="auth_password", value="***")[1]


def test_a_diff_shows_that_a_secret_changes_but_not_to_what(site: Editing) -> None:
    diff = site.ok("configDiff", files={PDU: site.text(PDU).replace("rack-a", "hunter2 # was rack-a")})["diff"]
    assert "-write_community = ***\n+write_community = *** (new)\n" in diff
    assert "hunter2" not in diff
    assert "rack-a" not in diff
    assert site.ok("configDiff", files={PDU: site.text(PDU)})["diff"] == ""


def test_references_stay_visible_and_urls_lose_their_password(site: Editing) -> None:
    text = (
        "[main]\ndatabase = postgresql://u:hush@h/db\n[plugins.SocketListener]\nadmin_token = ${file:t}  # was hush\n"
    )
    shown = mask("config.ini", text)
    assert shown == "[main]\ndatabase = postgresql://u:***@h/db\n[plugins.SocketListener]\nadmin_token = ${file:t}\n"
    assert unmask("config.ini", shown, text) == text
    with pytest.raises(ConfigError, match="database: is"):
        unmask("config.ini", shown.replace("@h/", "@other/"), text)


@pytest.mark.parametrize(
    "line",
    [
        "community = {}",
        "community = '{}' # why",
        "community = '''{}'''",
        "community = '''a\n{}\n''' # x",
        "communty = {}",
        "Community = {}",
        "community = a, {}",
        "community = ${{env:A}}{}",
        "# community = {}",
        "# {}={}\ncommunity = {}={}",
        "#old password={}",
        "{}",
        "= {}",
        "[x] {}",
        "community = long{}\n# it is long{}",
        "community = long{}\nport = 1 # long{}",
        "community = long{}\n[pdu2] # long{}",
        "[other]\nhost = {}",
        "[[deep]]\ncommunity = {}",
        "[pdu]\rcommunity = {}",
        "community = '''{}",
    ],
)
def test_every_way_to_write_a_secret_is_hidden_and_comes_back(line: str) -> None:
    text = f"# head\r\n[pdu]\r\n{line.format(*[CANARY] * 4)}\r\nretries = 2\r\n"
    shown = mask(PDU, text)
    assert CANARY not in shown
    assert shown.startswith("# head\r\n[pdu]\r\n")
    assert unmask(PDU, shown, text) == text


PARTS = [*"[]#='\"\n\r \ta*:", "'''", "\r\n", "${env:A}", "\ncommunity = ", "\n# token = ", "http://u:p@h", "long"]


@example(text="***")
@example(text="***\ncommunity = ***\nx\n***")
@given(text=st.lists(st.sampled_from(PARTS), max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_hidden_and_comes_back(text: str) -> None:
    assert unmask(PDU, mask(PDU, text), text) == text


SECRET_TEXT = st.text(string.ascii_letters + string.digits + "#,;'\"=[]{} %@:/é", max_size=12).map(
    # a text with " can be written in INI as long as it has no three of the others in a row, and does not end with one
    lambda text: f"{CANARY}{text.replace(chr(39) * 3, '')}{CANARY}"
)


def _ini(value: str) -> str:
    return f'"{value}"' if '"' not in value else f"'''{value}'''"


@settings(max_examples=20)  # each is a site of its own, checked a dozen times
@given(secrets=st.lists(SECRET_TEXT, min_size=8, max_size=8), note=st.sampled_from(["", "# {}\n", "# token = {}\n"]))
def test_no_reply_holds_a_secret(secrets: list[str], note: str) -> None:
    with TemporaryDirectory() as folder:
        site = Editing(Path(folder))
        texts = {
            "config.ini": "[plugins]\nplugins = EditingCommunicationCommands\n[plugins.SocketListener]\n"
            f"admin_token = {_ini(secrets[0])}\nviewer_token = {_ini(secrets[1])}\n" + note.format(secrets[0]),
            PDU: site.text(PDU).replace("rack-a", _ini(secrets[2])) + note.format(secrets[2]),
            "outlets/sw-poe.ini": site.text("outlets/sw-poe.ini").replace("private@9", _ini(secrets[3])),
            "controllers/ssh.ini": site.text("controllers/ssh.ini") + f"\npassword = {_ini(secrets[4])}\n",
        }
        replies: list[Any] = [site.send("configDiff", files=texts), site.send("configApply", files=texts)]
        assert replies[1].error is None, replies[1].error
        for file in (*texts, "servers/nas01.ini"):
            replies += [
                site.send("configGet", VIEWER, file=file),
                site.send("loadINIFileConfig", VIEWER, configPath=file),
            ]
            replies.append(site.send("getINIFile", VIEWER, iniPath=file))
        replies.append(site.send("configSet", file=PDU, section="pdu", key="write_community", value=secrets[5]))
        replies.append(site.send("configSet", file=PDU, section="pdu", key="writecommunity", value=secrets[6]))
        replies.append(site.send("configSet", file=PDU, section="pdu", key="auth_password", value=[secrets[6], 7]))
        replies.append(site.send("setINIFile", iniPath=PDU, iniDict={"pdu": {"pasword": secrets[7]}}))
        (site.etc / "outlets/pdu-b.ini").write_text(
            f"[pdu]\ntype = {'Raritn'}\nwrite_community = {secrets[7]}\n", "utf-8"
        )
        replies += [site.send("configCheck", VIEWER), site.send("configGet", VIEWER, file="outlets/pdu-b.ini")]
        replies += [site.send("configUndo"), site.send("configHistory", VIEWER)]
        told = [json.dumps([reply.data, reply.error]) for reply in replies]
        told += [json.dumps(event.as_dict()) for event in site.services.events.since(0)]
        assert not any(CANARY in text for text in told)


# -- paths

opened: list[str] | None = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if opened is not None and event in ("open", "os.remove", "os.rename", "os.mkdir", "os.listdir", "os.scandir"):
        opened.extend(os.fsdecode(arg) for arg in args[:2] if isinstance(arg, (str, bytes, os.PathLike)))


sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect the names of all files that this process opens, removes or renames."""
    global opened  # noqa: PLW0603 - an audit hook can never be taken away
    found: list[str] = []
    opened = found
    try:
        yield found
    finally:
        opened = None


NAMES = st.one_of(
    st.lists(
        st.sampled_from(["..", ".", "servers", "outlets", "out", "etc", "a.ini", "key.ini", "x", "", "\0", ".history"]),
        min_size=1,
        max_size=5,
    ).map("/".join),
    st.text(max_size=20),
    st.text(max_size=10).map("servers/{}.ini".format),
    st.sampled_from(
        ["servers/link.ini", "servers/loop.ini", "outside/key.ini", "servers/../../key.ini", "secrets/key.ini"]
    ),
)


@given(name=NAMES, absolute=st.booleans())
def test_no_path_leads_out(name: str, absolute: bool) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        site = Editing(root)
        outside = root / "out"
        outside.mkdir()
        for path in (outside / "key.ini", root / "key.ini"):
            path.write_text(f"[server]\ncomment = {CANARY}\n")
        (site.etc / "secrets").mkdir()
        (site.etc / "secrets" / "key.ini").write_text(f"[server]\ncomment = {CANARY}\n")
        (site.etc / "outside").symlink_to(outside)
        (site.etc / "servers" / "link.ini").symlink_to(outside / "key.ini")
        (site.etc / "servers" / "loop.ini").symlink_to("loop.ini")
        before = _all(outside) | {"key": (root / "key.ini").read_bytes()}
        name = f"{root}/{name}" if absolute else name
        with watched() as seen:
            told = [
                site.send("configGet", VIEWER, file=name),
                site.send("getINIFile", VIEWER, iniPath=name),
                site.send("configDiff", files={name: "[server]\ncomment = x\n"}),
                site.send("configApply", files={name: "[server]\ncomment = x\n"}),
                site.send("configSet", file=name, section="server", key="comment", value="y"),
                site.send("deleteINIFile", iniPath=name),
            ]
        assert CANARY not in json.dumps([[reply.data, reply.error] for reply in told])
        assert not [reply.error for reply in told if reply.error and reply.error["code"] == "internal"]
        assert _all(outside) | {"key": (root / "key.ini").read_bytes()} == before
        strays = [path for path in seen if os.path.realpath(path).startswith((f"{outside}/", f"{root}/key"))]
        assert not strays


def _all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
