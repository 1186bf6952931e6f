"""What a change means, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from editing_site import Editing
from ockle.config import drafts

AUTO: dict[str, dict[str, Any]] = {"plugins.AutoControl": {"enabled": "no"}, "main": {"start_limit": 2}}
WEB, PDU = "servers/web1.ini", "outlets/pdu-a.ini"


@pytest.fixture
def site(tmp_path: Path) -> Editing:
    return Editing(tmp_path)


def meaning(site: Editing, *edits: dict[str, Any]) -> list[str]:
    for edit in edits:
        site.ok("draftEdit", **edit)
    return [text for text in site.ok("draftDiff")["meaning"] if not text.startswith("power-up")]


def change(file: str, **sections: dict[str, Any]) -> dict[str, Any]:
    return {"do": "change", "file": file, "values": sections}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (change(WEB, server={"dependencies": "db1, hv1, dns1"}), ["web1 now also waits for dns1"]),
        (change(WEB, server={"dependencies": None}), ["web1 no longer waits for db1, hv1"]),
        (change(WEB, server={"boot_timeout": None}), ["web1: boot_timeout is 5m now, was 20s"]),
        (change(WEB, psu={"outlet": 7}), ["web1, outlet psu: outlet is 7 now, was 6"]),
        (
            {"do": "renamePart", "file": WEB, "section": "psu", "name": "left"},
            ["web1 gets the outlet left on pdu-a", "web1 loses the outlet psu on pdu-a"],
        ),
        (
            change(
                "config.ini",
                plugins={"plugins": "CoreCommunicationCommands, SocketListener, Logger, Monitoring, Alerts"},
            ),
            [f"plugin {name} is disabled" for name in ("EditingCommunicationCommands", "AutoControl", "Schedules")],
        ),
        (
            change("config.ini", **AUTO),
            ["the daemon: start_limit is 2 now, was 0", "plugin AutoControl: enabled is false now, was true"],
        ),
        (change("circuits/rack.ini", circuit={"max_starts": 2}), ["circuit rack is new"]),
        (change(PDU, pdu={"write_community": None}), ["PDU pdu-a: write_community is no longer set"]),
        (
            change("controllers/ssh.ini", controller={"key_file": "id_rsa"}),
            ["controller ssh: key_file is id_rsa now, was id_ed25519"],
        ),
        ({"do": "rename", "file": WEB, "name": "www"}, ["server web1 is called www from now on"]),
        ({"do": "delete", "file": "servers/mon01.ini"}, ["server mon01 is no longer looked after"]),
        ({"do": "copy", "file": WEB, "name": "web9"}, ["server web9 is new; it waits for db1, hv1"]),
    ],
)
def test_a_change_in_words(site: Editing, edit: dict[str, Any], words: list[str]) -> None:
    assert meaning(site, edit) == words


def test_the_time_until_all_are_up_is_told_with_its_difference(site: Editing) -> None:
    site.ok("draftEdit", **change(WEB, server={"dependencies": "db1, hv1, web2"}))
    [told] = [text for text in site.ok("draftDiff")["meaning"] if text.startswith("power-up")]
    assert told == "power-up of everything takes 20 s longer: 120 s"


def test_drafts_are_bounded(site: Editing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_BYTES", 100)
    assert site.refused("draftEdit", **change(WEB, server={"comment": "x"}))[0] == "refused"
    monkeypatch.setattr(drafts, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 0)
    code, text = site.refused("draftEdit", **change(WEB, server={"comment": "x"}))
    assert (code, "discard one" in text) == ("refused", True)


def test_a_draft_that_cannot_be_read_can_be_discarded(site: Editing) -> None:
    site.ok("draftEdit", **change(WEB, server={"comment": "x"}))
    [path] = (site.etc / ".drafts").glob("*.json")
    path.write_text("{", "utf-8")
    code, text = site.refused("draftGet")
    assert (code, "discard" in text) == ("bad_config", True)
    site.ok("draftDiscard", who="anna")
    assert site.ok("draftGet")["files"] == {}
