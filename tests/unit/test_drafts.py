"""Drafts: what users collect before it is applied, by way of the registry as a client's messages go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from editing_site import ADMIN, SECRETS, VIEWER, Editing
from ockle.common.CommunicationHandler import Caller
from ockle.config.drafts import Drafts

WEB, PDU, NAS = "servers/web1.ini", "outlets/pdu-a.ini", "servers/nas01.ini"
BERT = Caller("bert", "admin", "gui")


@pytest.fixture
def site(tmp_path: Path) -> Editing:
    return Editing(tmp_path)


def change(site: Editing, file: str, values: dict[str, Any], caller: Caller = ADMIN, **more: Any) -> dict[str, Any]:
    return site.ok("draftEdit", caller, do="change", file=file, values=values, **more)


def faults_of(site: Editing, caller: Caller = ADMIN, **data: Any) -> list[dict[str, Any]]:
    """Return the faults of an edit that is refused, and make sure that the draft is as it was."""
    before = site.ok("draftGet", caller)
    reply = site.send("draftEdit", caller, **data)
    assert reply.error is not None, reply.data
    after = site.ok("draftGet", caller)
    assert before == after
    faults: list[dict[str, Any]] = reply.data.get("faults", [])
    return faults


def test_a_draft_changes_nothing_until_it_is_applied_and_keeps_comments(site: Editing) -> None:
    before = site.text(WEB)
    reply = change(site, WEB, {"server": {"boot_timeout": "25s"}})
    assert reply["draft"]["files"] == {WEB: "changed"}
    assert site.text(WEB) == before
    review = site.ok("draftDiff")
    assert review["meaning"] == [
        "web1: boot_timeout is 25s now, was 20s",
        "power-up of everything takes 5 s longer: 105 s",
    ]
    assert "-boot_timeout = 20s\n+boot_timeout = 25s\n" in review["diffs"][WEB]
    applied = site.ok("draftApply", message="slow disks", stamp=review["stamp"])
    assert (applied["rev"], applied["files"], applied["reload"]) == (1, [WEB], "done")
    assert site.text(WEB) == before.replace("boot_timeout = 20s", "boot_timeout = 25s")
    assert site.ok("draftGet")["files"] == {}
    assert site.refused("draftApply")[0] == "refused"  # there is nothing left


def test_a_draft_survives_the_daemon_and_is_nobody_elses(site: Editing, tmp_path: Path) -> None:
    change(site, WEB, {"server": {"comment": "hers"}})
    assert Drafts(site.etc).load("anna").after[WEB]
    assert site.ok("draftGet", BERT)["files"] == {}
    assert site.ok("draftGet", BERT)["others"] == ["anna"]
    [path] = (site.etc / ".drafts").glob("*")
    assert path.stat().st_mode & 0o077 == 0
    site.ok("draftDiscard", BERT, who="anna")
    assert site.ok("draftGet")["files"] == {}


def test_going_back_to_what_was_empties_the_draft(site: Editing) -> None:
    change(site, WEB, {"server": {"comment": "another"}})
    change(site, WEB, {"server": {"comment": "web server 1"}})
    assert site.ok("draftGet")["files"] == {}
    assert not list((site.etc / ".drafts").glob("*"))


def test_a_fault_is_refused_with_its_place(site: Editing) -> None:
    values = {"server": {"boot_timeout": "soon"}, "psu": {"outlet": "0"}}
    faults = faults_of(site, do="change", file=WEB, values=values)
    assert [(one["section"], one["key"]) for one in faults] == [("server", "boot_timeout"), ("psu", "outlet")]
    assert all(one["file"] == WEB and one["remedy"] for one in faults)


def test_a_cycle_is_refused_with_its_members_at_the_field(site: Editing) -> None:
    [fault] = faults_of(site, do="change", file="servers/db1.ini", values={"server": {"dependencies": ["web1"]}})
    assert (fault["file"], fault["section"], fault["key"]) == ("servers/db1.ini", "server", "dependencies")
    assert "db1 -> web1" in fault["problem"]


def test_a_fault_that_was_there_before_keeps_nobody_from_mending_another(site: Editing) -> None:
    path = site.etc / "servers/web2.ini"
    path.write_text(path.read_text().replace("[server]", "[server]\ncolour = blue\nsize = big"))
    change(site, WEB, {"server": {"comment": "x"}})
    assert len(site.ok("draftCheck")["faults"]) == 2
    site.refused("draftApply")  # the whole site has to load
    change(site, "servers/web2.ini", {"server": {"colour": None, "size": None}})
    assert site.ok("draftApply")["rev"] == 1


def test_a_secret_is_never_told_and_stays(site: Editing) -> None:
    change(site, PDU, {"pdu": {"write_community": "***", "comment": "new words"}})
    assert "write_community = rack-a" in (Drafts(site.etc).load("anna").after[PDU] or "")
    change(site, PDU, {"pdu": {"write_community": "grown-up"}})
    shown = repr([site.ok("draftDiff"), site.ok("configForm", file=PDU), site.ok("draftGet")])
    assert [secret for secret in ("grown-up", *SECRETS[:2]) if secret in shown] == []  # the third is in the docs
    assert "PDU pdu-a: write_community is another one now" in site.ok("draftDiff")["meaning"]


def test_stars_in_the_password_of_a_url_are_no_password(site: Editing) -> None:
    url = {"main": {"log_database": "postgresql://ockle:word-3@db/ockle"}}
    change(site, "config.ini", url)
    assert "word-3" not in repr(site.ok("draftDiff"))
    [main] = [one for one in site.ok("configForm", file="config.ini")["sections"] if one["name"] == "main"]
    shown = next(one["value"] for one in main["options"] if one["name"] == "log_database")
    assert shown == "postgresql://ockle:***@db/ockle"
    change(site, "config.ini", {"main": {"log_database": shown}})  # as it was
    assert "word-3" in (Drafts(site.etc).load("anna").after["config.ini"] or "")
    [fault] = faults_of(site, do="change", file="config.ini", values={"main": {"log_database": shown + "2"}})
    assert (fault["key"], "no former value" in fault["problem"]) == ("log_database", True)


def test_a_server_with_its_parts_is_made_in_one_change(site: Editing) -> None:
    site.ok("draftEdit", do="copy", file=PDU, name="pdu-c")
    values = {"server": {"dependencies": ["nas01"], "outlets": ["psu"]}, "psu": {"pdu": "pdu-c", "outlet": 1}}
    change(site, "servers/new one.ini", values, new=True)
    [fault] = faults_of(site, do="change", file="servers/New One.ini", values={"server": {}}, new=True)
    assert "already" in fault["problem"]
    meaning = site.ok("draftDiff")["meaning"]
    assert meaning[:2] == ["PDU pdu-c is new", "server new one is new; it waits for nas01"]
    assert site.ok("draftApply")["files"] == [PDU.replace("-a", "-c"), "servers/new one.ini"]


def test_a_copy_of_a_server_has_all_but_its_outlets(site: Editing) -> None:
    site.ok("draftEdit", do="copy", file=WEB, name="web9")
    site.ok("draftApply")
    text = site.text("servers/web9.ini")
    assert "[page]" in text
    assert "psu" not in text


def test_parts_get_other_names_and_go(site: Editing) -> None:
    site.ok("draftEdit", do="renamePart", file=WEB, section="psu", name="left")
    site.ok("draftEdit", do="deletePart", file=WEB, section="page")
    site.ok("draftApply")
    assert "outlets = left\n" in site.text(WEB)
    assert "[left]\npdu = pdu-a" in site.text(WEB)
    assert "[page]" not in site.text(WEB)
    assert faults_of(site, do="renamePart", file=WEB, section="left", name="ssh")[0]["key"] == "name"


def test_what_is_used_cannot_go_and_the_users_are_named(site: Editing) -> None:
    reply = site.send("draftEdit", do="delete", file=PDU)
    assert reply.error is not None
    assert reply.error["code"] == "refused"
    assert "outlets/pdu-a.ini is used by servers" in reply.error["message"]
    assert "web1" in reply.error["message"]


def test_a_new_name_goes_wherever_the_old_one_stood(site: Editing) -> None:
    site.ok("draftEdit", do="rename", file=PDU, name="left side")
    site.ok("draftEdit", do="rename", file="controllers/ssh.ini", name="shell")
    draft = site.ok("draftGet")
    assert draft["files"][PDU] == "deleted"
    assert draft["files"]["outlets/left side.ini"] == "new"
    assert site.ok("draftCheck")["faults"] == []
    site.ok("draftApply")
    assert "pdu = left side\n" in site.text(WEB)
    assert "controller = shell\n" in site.text(WEB)
    assert "# The left PDU" in site.text("outlets/left side.ini")
    assert not (site.etc / PDU).exists()


def test_renaming_there_and_back_is_no_change(site: Editing) -> None:
    site.ok("draftEdit", do="rename", file=NAS, name="store")
    assert site.ok("draftGet")["renames"] == [{"folder": "servers", "from": "nas01", "to": "store"}]
    site.ok("draftEdit", do="rename", file="servers/store.ini", name="nas01")
    assert site.ok("draftGet")["files"] == {}
    assert site.ok("draftGet")["renames"] == []


def test_what_others_changed_meanwhile_is_told_and_taken_in(site: Editing) -> None:
    change(site, WEB, {"server": {"comment": "mine", "boot_timeout": "30s"}})
    change(site, WEB, {"server": {"comment": "theirs", "stable_for": "9s"}}, BERT)
    site.ok("draftApply", BERT)
    code, _text = site.refused("draftApply")
    assert code == "conflict"
    [stale] = site.ok("draftGet")["stale"]
    assert (stale["file"], stale["who"], stale["rev"]) == (WEB, "bert via gui", 1)
    assert [(one["key"], one["mine"], one["theirs"]) for one in stale["conflicts"]] == [("comment", "mine", "theirs")]
    assert site.ok("draftMerge")["stale"] != []
    choice = {"file": WEB, "section": "server", "key": "comment", "side": "mine"}
    assert site.ok("draftMerge", choices=[choice])["stale"] == []
    site.ok("draftApply")
    assert all(line in site.text(WEB) for line in ("comment = mine", "boot_timeout = 30s", "stable_for = 9s"))


def test_a_change_by_hand_is_noticed_as_well(site: Editing) -> None:
    change(site, WEB, {"server": {"comment": "mine"}})
    path = site.etc / WEB
    path.write_text(path.read_text().replace("stable_for = 5s", "stable_for = 6s"))
    [stale] = site.ok("draftGet")["stale"]
    assert (stale["rev"], stale["conflicts"]) == (None, [])
    site.ok("draftMerge")
    site.ok("draftApply")
    assert "stable_for = 6s" in site.text(WEB)


def test_an_uploaded_text_has_to_be_ini(site: Editing) -> None:
    [fault, *_] = faults_of(site, do="text", file=WEB, text="<html>\nno ini\n")
    assert "line 1" in fault["problem"]
    assert faults_of(site, do="text", file=WEB, text="[server]\ncomment = " + "x" * 2_000_000)
    site.ok("draftEdit", do="text", file=PDU, text=site.ok("configGet", file=PDU)["value"])
    assert site.ok("draftGet")["files"] == {}  # *** kept the secret


@pytest.mark.parametrize("file", ["../x.ini", "servers/../../x.ini", "plugins/x.ini", "servers/a/b.ini", "/etc/x.ini"])
def test_files_outside_are_refused(site: Editing, file: str) -> None:
    for do, more in (("change", {"values": {}}), ("delete", {}), ("copy", {"name": "x"}), ("text", {"text": ""})):
        assert site.refused("draftEdit", do=do, file=file, **more)[0] in ("bad_config", "not_found", "refused")


@pytest.mark.parametrize("name", ["", ".x", "a/b", 'say "x"', "x" * 65, "a,b", "new\nline"])
def test_names_that_no_file_can_have_are_refused_at_the_name(site: Editing, name: str) -> None:
    for do in ("copy", "rename"):
        assert [one["key"] for one in faults_of(site, do=do, file=WEB, name=name)] == ["name"]


def test_the_form_of_a_server_has_parts_offers_and_reasons(site: Editing) -> None:
    form = site.ok("configForm", VIEWER, file="servers/db1.ini")
    assert next((one["name"], one["kind"]) for one in form["sections"]) == ("server", "server")
    options = {one["name"]: one for one in form["sections"][0]["options"]}
    offers = {one["name"]: one["refused"] for one in options["dependencies"]["choices"]}
    assert offers["web1"] == "would make a cycle: db1 -> web1 -> db1"
    assert offers["core-switch"] == ""
    assert "db1" not in offers
    assert options["boot_timeout"]["default"] == "5m"
    with_part = site.ok("configForm", VIEWER, file="servers/db1.ini", part=["outlets", "pdu-a"])
    assert with_part["sections"][-1]["type"] == "Raritan"


def test_the_lists_say_who_uses_what(site: Editing) -> None:
    pdus = {one["name"]: one for one in site.ok("configObjects", VIEWER, folder="outlets")["objects"]}
    assert pdus["pdu-a"]["type"] == "Raritan"
    assert "server web1" in pdus["pdu-a"]["uses"]
    assert pdus["pdu-a"]["comment"] == "rack 1, left side, feed A"


def test_revisions_are_compared_without_secrets(site: Editing) -> None:
    site.ok("configSet", file=PDU, section="pdu", key="write_community", value="second")
    site.ok("configSet", file=WEB, section="server", key="comment", value="x")
    diffs = site.ok("configRevisionDiff", rev=0)["diffs"]
    assert sorted(diffs) == [PDU, WEB]
    assert "second" not in diffs[PDU]
    assert "*** (new)" in diffs[PDU]
    assert sorted(site.ok("configRevisionDiff", rev=1, to=2)["diffs"]) == [WEB]
    assert site.refused("configRevisionDiff", rev=7)[0] == "not_found"
