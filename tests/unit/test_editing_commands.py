"""The commands that read and change the configuration, by way of the registry as a client's messages go."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from editing_site import ADMIN, SECRETS, VIEWER, Editing
from ockle.common.CommunicationHandler import Caller
from ockle.config.lock import exclusive
from ockle.networkTree.ServerNetworkFactory import check

NAS = "servers/nas01.ini"
PDU = "outlets/pdu-a.ini"


@pytest.fixture
def site(tmp_path: Path) -> Editing:
    return Editing(tmp_path)


def test_every_command_is_documented_and_only_admins_change(site: Editing) -> None:
    commands = site.services.communicationHandler.commands()
    changing = {
        "configDiff",
        "configSet",
        "configApply",
        "configUndo",
        "setINIFile",
        "deleteINIFile",
        "deleteINISection",
        "configCopy",
        "configRename",
        "configRevisionDiff",
        "draftApply",
        "draftCheck",
        "draftDiff",
        "draftDiscard",
        "draftEdit",
        "draftMerge",
        "testConnection",
    }
    assert {name for name, spec in commands.items() if spec.role == "admin"} == changing
    assert all(spec.doc for spec in commands.values())
    operator = Caller("olaf", "operator", "gui")
    for name in changing:
        data = {param.removesuffix("?"): "x" for param in commands[name].params}
        assert site.refused(name, operator, **data)[0] == "denied"


def test_set_writes_records_reloads_and_tells(site: Editing) -> None:
    seen = site.services.events
    reply = site.ok("configSet", file=NAS, section="server", key="boot_timeout", value="25s", message="slow disks")
    assert reply == {"rev": 1, "files": [NAS], "warnings": [], "reload": "done"}
    assert "# How long it may take; a real machine gets minutes here.\nboot_timeout = 25s\n" in site.text(NAS)
    assert site.services.reloads == 1
    assert [(event.kind, event.data) for event in seen.since(0)] == [("config", {"rev": 1, "files": [NAS]})]
    [revision] = site.ok("configHistory", VIEWER)["revisions"]
    assert (revision["who"], revision["message"], revision["files"]) == ("anna via cli", "slow disks", [NAS])
    assert site.ok("configSet", file=NAS, section="server", key="boot_timeout", value="25s")["rev"] is None
    assert site.services.reloads == 1


def test_a_busy_daemon_reloads_later_and_the_files_stay(site: Editing) -> None:
    site.services.busy = "nas01 is being switched"
    reply = site.ok("configSet", file=NAS, section="server", key="boot_timeout", value="25s")
    assert reply["reload"] == "later: nas01 is being switched"
    assert "boot_timeout = 25s" in site.text(NAS)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (["rack1", "new"], "tags = rack1, new\n"),
        (["one"], "tags = one\n"),
        ("a, b", "tags = a, b\n"),
        ([], "tags = \n"),
        (None, None),
    ],
)
def test_lists_are_written_as_people_write_them(site: Editing, value: object, written: str | None) -> None:
    site.ok("configSet", file=NAS, section="server", key="tags", value=value)
    if written is None:
        assert "tags" not in site.text(NAS)
    else:
        assert written in site.text(NAS)


@pytest.mark.parametrize(
    ("section", "key", "value", "text"),
    [
        ("server", "boot_timeout", "soon", f"{NAS} [server] boot_timeout = 'soon': not a duration; write a duration"),
        ("server", "boot_timout", "5s", f"{NAS} [server] boot_timout: unknown option; did you mean 'boot_timeout'?"),
        ("nfs", "port", 70000, f"{NAS} [nfs] port = '70000': out of range; write a port from 1 to 65535"),
        ("psu1", "outlet", 4, "also feeds"),
        ("server", "dependencies", "web1", "a cycle: "),
        ("server", "comment", {"a": 1}, f"{NAS} [server] comment"),
        ("extra", "pdu", "pdu-a", f"{NAS} [extra]: no list of [server] names this section"),
    ],
)
def test_what_would_not_load_is_refused_with_one_clear_fault(
    site: Editing, section: str, key: str, value: object, text: str
) -> None:
    code, message = site.refused("configSet", file=NAS, section=section, key=key, value=value)
    assert code == "bad_config"
    assert text in message
    assert site.services.reloads == 0


def test_apply_takes_all_or_nothing(site: Editing) -> None:
    new = "[server]\ndependencies = nas01\n"
    code, message = site.refused(
        "configApply", files={"servers/new.ini": new, PDU: "[pdu]\ntype = Raritn\n", "testers/tcp.ini": "[tester\n"}
    )
    assert code == "bad_config"
    assert "testers/tcp.ini: line 1" in message
    code, message = site.refused("configApply", files={"servers/new.ini": new, PDU: "[pdu]\ntype = Raritn\n"})
    assert f"{PDU} [pdu] type = 'Raritn': unknown type; did you mean 'Raritan'?" in message
    reply = site.ok("configApply", files={"servers/new.ini": new, NAS: site.text(NAS) + "# end\n"})
    assert reply["files"] == [NAS, "servers/new.ini"]
    assert site.text("servers/new.ini") == new


def test_undo_and_back_again(site: Editing) -> None:
    assert site.refused("configUndo") == ("not_found", "there is no change to take back")
    former = site.text(NAS)
    site.ok("configApply", files={"servers/new.ini": "[server]\n", NAS: former.replace("20s", "21s")})
    site.ok("configUndo")
    assert site.text(NAS) == former
    assert not (site.etc / "servers/new.ini").exists()
    assert site.ok("configUndo", rev=1)["rev"] == 3
    assert "boot_timeout = 21s" in site.text(NAS)
    assert site.refused("configUndo", rev=77)[0] == "bad_config"


def test_undo_is_checked_as_well(site: Editing) -> None:
    site.ok("configApply", files={"servers/new.ini": "[server]\n"})
    (site.etc / "servers/user.ini").write_text("[server]\ndependencies = new\n")  # somebody with an editor
    assert site.refused("configUndo") == ("refused", "servers/new.ini is used by server user")


def test_a_stale_base_is_a_conflict(site: Editing) -> None:
    look = site.ok("configGet", VIEWER, file=NAS)
    assert look["rev"] == 0
    site.ok("configSet", Caller("bob", "admin"), file=NAS, section="server", key="comment", value="mine")
    draft = {NAS: look["value"].replace("20s", "30s")}
    code, message = site.refused("configApply", files=draft, base=look["rev"])
    assert (code, message) == (
        "conflict",
        f"{NAS} changed in revision 1 by bob, after revision 0 that you looked at; look again",
    )
    site.ok("configApply", files={"servers/new.ini": "[server]\n"}, base=0)  # another file: no conflict
    site.ok("configApply", files=draft, base=2)
    assert site.refused("configApply", files=draft, base=9)[0] == "bad_request"


def test_writers_take_turns(site: Editing) -> None:
    names = [f"new{number}" for number in range(6)]
    replies: list[object] = []

    def write(name: str) -> None:
        replies.append(site.ok("configApply", files={f"servers/{name}.ini": "[server]\n"})["rev"])

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, replies)) == ["1", "2", "3", "4", "5", "6"]
    assert all((site.etc / f"servers/{name}.ini").exists() for name in names)


def test_a_lock_that_is_not_given_up_is_a_conflict(site: Editing) -> None:
    with (
        exclusive(site.etc),
        pytest.raises(Exception, match="being changed by somebody else"),
        exclusive(site.etc, 0.05),
    ):
        pass


def test_what_is_used_cannot_be_deleted(site: Editing) -> None:
    code, message = site.refused("deleteINIFile", iniPath="outlets/pdu-b.ini")
    assert code == "refused"
    assert message.startswith("outlets/pdu-b.ini is used by servers ")
    assert "nas01" in message
    assert site.refused("deleteINIFile", iniPath="servers/mon1.ini")[0] == "not_found"
    site.ok("configApply", files={"servers/new.ini": "[server]\n"})
    site.ok("deleteINIFile", iniPath="servers/new.ini")
    assert not (site.etc / "servers/new.ini").exists()


def test_a_deleted_part_leaves_its_list(site: Editing) -> None:
    site.ok("deleteINISection", iniPath=NAS, section="metrics")
    assert "tests = nfs\n" in site.text(NAS)
    assert "[metrics]" not in site.text(NAS)
    assert site.refused("deleteINISection", iniPath=NAS, section="metrics")[0] == "not_found"
    assert site.refused("deleteINISection", iniPath=NAS, section="server")[0] == "bad_config"
    assert check(site.etc)[0] == []


def test_documented_calls_read_and_write_dicts(site: Editing) -> None:
    content = site.ok("loadINIFileConfig", VIEWER, configPath=PDU)
    assert content["pdu"]["community"] == content["pdu"]["write_community"] == "***"
    content["pdu"]["retries"] = 3
    del content["pdu"]["comment"]
    former = site.text(PDU)
    site.ok("setINIFile", iniPath=PDU, iniDict=content)
    expected = former.replace("retries = 2", "retries = 3").replace('comment = "rack 1, left side, feed A"\n', "")
    assert site.text(PDU) == expected
    assert (
        site.refused("setINIFile", iniPath=PDU, iniDict={"pdu": {"type": "PoE", "host": 5, "port": "x"}})[0]
        == "bad_config"
    )
    assert site.ok("getINIFile", VIEWER, iniPath="testers/tcp.ini")["iniFile"] == site.text("testers/tcp.ini")
    folders = {
        name: site.ok(f"get{name}Folder", VIEWER)["folder"] for name in ("PDU", "Controller", "Tester", "Server")
    }
    assert folders == {"PDU": "outlets", "Controller": "controllers", "Tester": "testers", "Server": "servers"}


def test_templates_come_as_data_and_from_nowhere_else(site: Editing) -> None:
    template = site.ok("loadINIFileTemplate", VIEWER, templatePaths=["outlets.ini", "conf_outlets/PoE.ini"])
    assert template["pdu"]["retries"]["allowed"] == "an integer from 0 to 10"
    assert template["outletParams"]["port"]["required"] is True
    assert template["outletParams"]["settle_timeout"]["default"] == "20s"
    json.dumps(template)
    for path in (
        "../config.ini",
        "/etc/passwd",
        "conf_outlets/../config.ini",
        "a\0.ini",
        "templates.py",
        "conf_outlets",
    ):
        assert site.refused("loadINIFileTemplate", VIEWER, templatePaths=path)[0] == "bad_config"
    assert site.refused("loadINIFileTemplate", VIEWER, templatePaths=[5])[0] == "bad_request"


def test_nonsense_is_a_bad_request(site: Editing) -> None:
    requests: list[tuple[str, dict[str, Any]]] = [
        ("configGet", {"file": 5}),
        ("configGet", {"file": NAS, "key": "comment"}),
        ("configGet", {"file": NAS, "section": "\ud800"}),
        ("configHistory", {"limit": "all"}),
        ("configApply", {"files": [NAS]}),
        ("configApply", {"files": {NAS: 5}}),
        ("configUndo", {"rev": True}),
        ("setINIFile", {"iniPath": NAS, "iniDict": {"server": "x"}}),
        ("configGet", {}),
    ]
    for command, data in requests:
        assert site.refused(command, **data)[0] == "bad_request", (command, data)
    assert site.refused("configApply", files={NAS: "\ud800"})[0] == "bad_config"


def test_a_failed_write_restores_what_was_written(site: Editing) -> None:
    # A folder's name where a file has to be: the write of the second file fails, for root as well.
    (site.etc / "servers" / "zeta.ini").symlink_to("missing/deep")
    (site.etc / "servers" / "missing").write_text("not a folder")
    code, message = site.refused(
        "configApply", files={PDU: site.text(PDU) + "# more\n", "servers/zeta.ini": "[server]\n"}
    )
    assert code == "bad_config"
    assert message.endswith("nothing was changed")
    assert site.ok("configHistory")["revisions"] == []


def test_faults_on_disk_are_told_without_secrets(site: Editing) -> None:
    assert site.ok("configCheck", VIEWER) == {"faults": [], "warnings": []}
    text = (
        site.text(PDU)
        .replace("write_community = rack-a", "writecommunity = rack-a")
        .replace("retries = 2", "retries = x")
    )
    (site.etc / PDU).write_text(text)
    reply = site.ok("configCheck", VIEWER)
    assert {(fault["file"], fault["key"]) for fault in reply["faults"]} == {(PDU, "writecommunity"), (PDU, "retries")}
    shown = site.ok("configGet", VIEWER, file=PDU)["value"]
    assert "writecommunity = ***" in shown
    assert not any(secret in json.dumps(reply) + shown for secret in SECRETS)
    assert site.send("configCheck", ADMIN).command == "configCheck"
