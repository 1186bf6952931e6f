"""The settings, from a browser without JavaScript, on a real daemon: drafts, forms, review, history, files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestApp, Upload

from web_site import TOKENS, WebSite

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_draft(site: WebSite, app: TestApp) -> Iterator[None]:
    yield
    discard(app)


def discard(app: TestApp) -> None:
    page = app.get("/settings/review")
    for form in page.forms.values():
        if form.action.endswith("/review/discard") and "file" not in form.fields:
            form.submit(status=303)


def main_form(page: Any) -> Any:
    """Return the form of the options."""
    return next(form for form in page.forms.values() if "base" in form.fields)


def acting(page: Any, end: str) -> Any:
    """Return the form whose action ends so."""
    return next(form for form in page.forms.values() if form.action.endswith(end))


def apply(app: TestApp, message: str = "") -> Any:
    form = acting(app.get("/settings/review"), "/settings/review")
    form["message"] = message
    return form.submit()


def errors(page: Any) -> str:
    return " ".join(one.get_text(" ", strip=True) for one in page.html.find_all(class_="wrong"))


def text_of(site: WebSite, file: str) -> str:
    return (site.etc / file).read_text("utf-8")


PAGES = (
    "/settings",
    "/settings/general",
    "/settings/plugins",
    "/settings/outlets",
    "/settings/controllers",
    "/settings/testers",
    "/settings/circuits",
    "/settings/servers",
    "/settings/history",
    "/settings/outlets/pdu-a",
    "/settings/servers/nas",
    "/settings/servers/nas/needs",
    "/settings/servers/nas/outlets",
    "/settings/servers/nas/outlets/part/psu1",
)


def test_viewers_see_the_settings_and_change_nothing(as_role: Any) -> None:
    viewer = as_role("viewer")
    for path in PAGES:
        page = viewer.get(path)
        assert "Save to the draft" not in page.text, path
        assert "/settings/review" not in page.text
        assert not page.html.find_all(style=True)
    form = main_form(viewer.get("/settings/outlets/pdu-a"))
    viewer.post("/settings/outlets/pdu-a", {"csrf_token": form["csrf_token"].value, "o,pdu,comment": "x"}, status=403)
    viewer.get("/settings/review", status=403)


def test_saving_every_form_unchanged_changes_nothing(site: WebSite, app: TestApp) -> None:
    files = ["/settings/general", "/settings/plugins", "/settings/servers/nas/needs"]
    for folder in ("outlets", "controllers", "testers", "servers"):
        files += [f"/settings/{folder}/{path.stem}" for path in (site.etc / folder).glob("*.ini")]
    files += [f"/settings/servers/nas/{part}" for part in ("outlets/part/psu1", "controls/part/ssh")]
    for path in files:
        assert main_form(app.get(path)).submit("save", status=303).location.endswith("note=same"), path
    assert "Your draft is empty" in app.get("/settings/review").text


def test_a_change_goes_by_way_of_the_draft_into_the_file_and_keeps_its_comments(site: WebSite, app: TestApp) -> None:
    path = site.etc / "servers/nas.ini"
    path.write_text("# never forget this\n" + path.read_text("utf-8"), "utf-8")
    form = main_form(app.get("/settings/servers/nas"))
    form["o,server,comment"] = "the store"
    page = form.submit("save", status=303).follow()
    assert "It is in your draft" in page.text
    assert "the store" not in text_of(site, "servers/nas.ini")
    review = app.get("/settings/review").text
    assert "nas: comment is the store now" in review
    assert "+comment = the store" in review
    assert "Applied" in apply(app, "a name for it").follow().text
    assert "comment = the store" in text_of(site, "servers/nas.ini")
    assert text_of(site, "servers/nas.ini").startswith("# never forget this\n")
    history = app.get("/settings/history")
    assert "a name for it" in history.text
    acting(history, "/revert").submit(status=303)
    assert "the store" not in text_of(site, "servers/nas.ini")


def test_back_to_the_default(site: WebSite, app: TestApp) -> None:
    form = main_form(app.get("/settings/servers/web"))
    option = "boot_timeout"
    assert f"reset,server,{option}" in form.fields
    form[f"reset,server,{option}"] = True
    form.submit("save", status=303)
    assert f"-{option}" in app.get("/settings/review").text


def test_a_pdu_and_a_server_are_made_and_wired(site: WebSite, app: TestApp) -> None:
    kinds = app.get("/settings/new/outlets")
    form = main_form(kinds.click("Dummy", index=0))
    form["name"] = "shelf <b>1</b>"
    page = form.submit(status=422)
    assert "slash" in errors(page)
    form = main_form(page)
    form["name"] = "Regal ü 🔌 <script>alert(1)</script".replace("/", "")
    name = form["name"].value
    form["o,pdu,comment"] = "<script>alert(1)</script>"
    page = form.submit(status=303).follow()
    assert "<script>alert" not in page.text
    form = main_form(app.get("/settings/new/servers"))
    form["name"] = "new 1"
    form.submit(status=303)
    part = app.get("/settings/servers/new 1/outlets").click("Regal", index=0)
    form = main_form(part)
    form["name"] = "left"
    page = form.submit(status=303).follow()
    assert "left" in page.html.find(class_="part-list").get_text()
    assert "Applied" in apply(app).follow().text
    assert text_of(site, "servers/new 1.ini").splitlines()[-2:] == ["[left]", f"pdu = {name}"]
    refused = acting(app.get(f"/settings/servers/{quote('new 1')}"), "/as/delete").submit(status=303)
    assert refused.location.endswith("note=deleted")
    acting(app.get(f"/settings/outlets/{quote(name)}"), "/as/delete").submit(status=303)
    apply(app)
    assert not (site.etc / "servers/new 1.ini").exists()


def test_a_wrong_value_is_said_at_its_field_and_stays_in_it(app: TestApp) -> None:
    form = main_form(app.get("/settings/outlets/pdu-a"))
    form["o,pdu,port"] = "70000"
    form["o,pdu,comment"] = "kept"
    page = form.submit("save", status=422)
    field = page.html.find(attrs={"name": "o,pdu,port"})
    assert (field["value"], field["aria-invalid"]) == ("70000", "true")
    assert "a port from 1 to 65535" in page.html.find(id=f"{field['id']}-error").get_text()
    assert page.html.find(attrs={"name": "o,pdu,comment"})["value"] == "kept"
    assert "Your draft is empty" in app.get("/settings/review").text


def test_a_cycle_is_refused_with_its_members_at_the_field(app: TestApp) -> None:
    page = app.get("/settings/servers/core/needs")
    choice = page.html.find(attrs={"name": "o,server,dependencies", "value": "web"})
    assert choice.has_attr("disabled")
    assert "would make a cycle: core" in page.html.find(id=choice["aria-describedby"]).get_text()
    # a browser that sends it all the same
    token = main_form(page)["csrf_token"].value
    everything = {"csrf_token": token, "all,server,dependencies": "web", "o,server,dependencies": "web"}
    refused = app.post("/settings/servers/core/needs", everything, status=422)
    error = refused.html.find(class_="has-error").find(class_="wrong").get_text()
    assert all(name in error for name in ("cycle", "core", "web"))


def test_secrets_are_written_and_cleared_but_never_sent(site: WebSite, app: TestApp) -> None:
    form = main_form(app.get("/settings/outlets/pdu-a"))
    assert form["o,pdu,write_community"].value == ""
    form["o,pdu,write_community"] = "top-secret-1"
    form.submit("save", status=303)
    apply(app)
    assert "write_community = top-secret-1" in text_of(site, "outlets/pdu-a.ini")
    rev = app.get("/settings/history").html.tbody.tr.th.get_text(strip=True)
    for path in (*PAGES, "/settings/review", f"/settings/history/{rev}"):
        assert "top-secret-1" not in app.get(path).text, path
    packed = zipfile.ZipFile(io.BytesIO(app.get("/settings/files/ockle-etc.zip").body))
    assert "config.ini" in packed.namelist()
    assert not any(b"top-secret-1" in packed.read(file) for file in packed.namelist())
    acting(app.get("/settings/history"), "/revert").submit(status=303)


def test_what_is_used_cannot_be_deleted_and_its_users_are_linked(app: TestApp) -> None:
    page = app.get("/settings/outlets/pdu-a")
    assert not [form for form in page.forms.values() if form.action.endswith("/as/delete")]
    assert page.html.find("a", href="/settings/servers/core")
    token = main_form(page)["csrf_token"].value
    refused = app.post("/settings/outlets/pdu-a/as/delete", {"csrf_token": token}, status=422)
    assert "is used by servers" in refused.text


def test_what_somebody_else_changed_meanwhile_is_told_and_taken_in(site: WebSite, app: TestApp) -> None:
    form = main_form(app.get("/settings/servers/db"))
    form["o,server,comment"] = "mine"
    form.submit("save", status=303)
    text = text_of(site, "servers/db.ini")
    theirs = text.replace("[server]", "[server]\ncomment = theirs", 1) if "comment" not in text else text
    (site.etc / "servers/db.ini").write_text(theirs.replace("comment = \n", ""), "utf-8")
    review = app.get("/settings/review")
    assert "Changed by others meanwhile" in review.text
    merging = acting(review, "/review/merge")
    radio = next(name for name in merging.fields if name and name.startswith("c,"))
    merging[radio] = "mine"
    assert "is in your draft, too" in merging.submit(status=303).follow().text
    apply(app)
    assert "comment = mine" in text_of(site, "servers/db.ini")


def test_two_windows_do_not_undo_each_others_changes(app: TestApp) -> None:
    first, second = (main_form(app.get("/settings/servers/dns")) for _ in range(2))
    first["o,server,priority"] = "5"
    first.submit("save", status=303)
    second["o,server,comment"] = "other"
    second.submit("save", status=303)
    diff = app.get("/settings/review").text
    assert "+priority = 5" in diff
    assert "+comment = other" in diff
    third = main_form(app.get("/settings/servers/dns"))
    fourth = main_form(app.get("/settings/servers/dns"))
    third["o,server,priority"] = "6"
    third.submit("save", status=303)
    fourth["o,server,priority"] = "7"
    assert "is now: 6" in fourth.submit("save", status=422).text


def test_lists_are_put_in_order_by_buttons(site: WebSite, app: TestApp) -> None:
    before = app.get("/settings/servers/nas/outlets")
    names = [one.get_text(strip=True) for one in before.html.select(".part-head strong")]
    assert len(names) == 2
    acting(before, f"/outlets/part/{names[0]}/move")
    down = [form for form in before.forms.values() if form.action.endswith(f"{names[0]}/move")][1]
    after = down.submit(status=303).follow()
    assert [one.get_text(strip=True) for one in after.html.select(".part-head strong")] == names[::-1]
    form = main_form(app.get("/settings/plugins"))
    order = [one.value for one in form.fields["all,plugins,plugins"]]
    moved = form.submit("move", value=f"down,plugins,plugins,{order[0]}")
    assert [one.value for one in main_form(moved).fields["all,plugins,plugins"]][:2] == [order[1], order[0]]
    assert "Your draft is empty" not in app.get("/settings/review").text  # the outlets
    main_form(moved).submit("save", status=303)
    assert "plugins are loaded in another order" in app.get("/settings/review").text


def test_an_object_gets_another_name_wherever_it_stands(site: WebSite, app: TestApp) -> None:
    form = acting(app.get("/settings/outlets/pdu-b"), "/as/rename")
    form["name"] = "pdu-a"
    assert "already" in form.submit(status=422).text
    form["name"] = "right side"
    form.submit(status=303)
    assert "right side" in app.get("/settings/servers/lone/outlets").text
    assert app.get("/settings/outlets/pdu-b", status=404)


def test_a_connection_is_tested_with_the_draft(app: TestApp) -> None:
    assert "the outlet is off" in acting(app.get("/settings/outlets/pdu-a"), "/as/test").submit().text
    form = main_form(app.get("/settings/outlets/pdu-a"))
    form["o,pdu,port"] = "9"
    form["o,pdu,timeout"] = "50ms"
    form.submit("save", status=303)
    assert "notice bad" in acting(app.get("/settings/outlets/pdu-a"), "/as/test").submit().text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html>\nno", "line 1"),
        (b"\xff\xfe\x00\x01", "UTF-8"),
        (b"[pdu]\ntype = Dummy\ntype = PoE\n", "twice"),
        (b"[pdu]\ntype = NoSuch\n", "unknown type"),
        (b"x" * 100_000, "larger"),
        (b"", "this section is missing"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_whole(
    site: WebSite, app: TestApp, content: bytes, says: str
) -> None:
    form = acting(app.get("/settings/files"), "/settings/files")
    form["file"] = Upload("pdu-a.ini", content)
    form["folder"] = "outlets"
    assert says in errors(form.submit(status=422))
    assert "Your draft is empty" in app.get("/settings/review").text


def test_a_file_is_imported_into_the_draft(site: WebSite, app: TestApp) -> None:
    form = acting(app.get("/settings/files"), "/settings/files")
    form["file"] = Upload("C:\\x\\spare.ini".replace("\\", "/"), b"[pdu]\ntype = Dummy\n")
    form["folder"] = "outlets"
    form.submit(status=303)
    assert "PDU spare is new" in app.get("/settings/review").text


@pytest.mark.parametrize("name", ["<script>", "x" * 200, "ü🔌", 'a"b', "a'b & c", "..", "%2e%2e%2f", "nüll%00"])
def test_hostile_names_in_addresses_are_answered(app: TestApp, name: str) -> None:
    for path in ("/settings/outlets/{}", "/settings/servers/{}/needs", "/settings/servers/nas/outlets/part/{}"):
        page = app.get(path.format(quote(name, safe="")), expect_errors=True)
        assert page.status_int in (400, 404, 422), page.text
        assert "<script>" not in page.text.replace('<script type="module"', "")
    page = app.get(f"/settings/name/servers?name={quote(name)}")
    assert page.json == {"taken": False, "text": ""}


def test_a_name_that_is_taken_is_told_while_it_is_typed(app: TestApp) -> None:
    assert app.get("/settings/name/servers?name=NAS").json == {"taken": True, "text": "There is nas already."}


def test_what_needs_a_restart_is_said_until_then(site: WebSite, app: TestApp) -> None:
    form = main_form(app.get("/settings/general"))
    form["o,main,event_limit"] = "5000"
    form.submit("save", status=303)
    assert "needs a restart" in apply(app).follow().text
    acting(app.get("/settings/history"), "/revert").submit(status=303)
    assert "needs a restart" not in app.get("/settings").text


def test_unknown_options_are_shown_and_can_go(site: WebSite, app: TestApp) -> None:
    path = site.etc / "testers" / next(one.name for one in (site.etc / "testers").glob("*.ini"))
    before = path.read_text("utf-8")
    path.write_text(before + "colour = blue\n", "utf-8")
    try:
        page = app.get(f"/settings/testers/{path.stem}")
        assert "Unknown option" in page.text
        main_form(page).submit("drop", value="tester,colour").follow()
        assert "-colour" in app.get("/settings/review").text
    finally:
        path.write_text(before, "utf-8")


def test_programs_have_the_draft_as_well(site: WebSite, app: TestApp) -> None:
    api = "/api/v1/config"
    headers = {"Authorization": f"Bearer {TOKENS['admin']}"}
    wish = {"do": "change", "file": "servers/web.ini", "values": {"server": {"comment": "by a program"}}}
    edited = app.post_json(f"{api}/draft", wish, headers=headers).json
    assert edited["draft"]["files"] == {"servers/web.ini": "changed"}
    assert app.get(f"{api}/draft/diff", headers=headers).json["meaning"] == [
        "web: comment is by a program now, was empty"
    ]
    bad = {**wish, "values": {"server": {"boot_timeout": "soon"}}}
    refused = app.post_json(f"{api}/draft", bad, headers=headers, status=422).json
    assert refused["data"]["faults"][0]["key"] == "boot_timeout"
    assert app.post_json(f"{api}/draft/discard", {}, headers=headers).json["files"] == {}
    tried = app.post_json(f"{api}/test", {"kind": "outlets", "name": "pdu-a"}, headers=headers).json
    assert (tried["ok"], tried["text"]) == (True, "the outlet is off")
    other = {"Authorization": f"Bearer {TOKENS['operator']}"}
    app.get(f"{api}/draft/diff", headers=other, status=403)
    app.post_json(f"{api}/draft", wish, headers=other, status=403)


def test_a_file_is_edited_as_text_and_a_broken_one_has_nothing_else(site: WebSite, app: TestApp) -> None:
    file = "outlets/pdu-b.ini"
    before = text_of(site, file)
    form = main_form_of_text(app.get("/settings/outlets/pdu-b").click("Edit it as text"))
    assert "write_community = ***" in form["text"].value
    assert form.submit(status=303).location.endswith("note=same")
    form["text"] = "# why it is here\n" + form["text"].value
    form.submit(status=303)
    assert "+# why it is here" in app.get("/settings/review").text
    form["text"] = "[pdu\n"
    assert "another window" in form.submit(status=422).text
    (site.etc / file).write_text("[pdu\ntype = Raritan\nwrite_community = secret-2\n", "utf-8")
    discard(app)
    try:
        page = app.get("/settings/outlets/pdu-b", status=303).follow()
        assert "line 1" in errors(page)
        assert "secret-2" not in page.text
        form = main_form_of_text(page)
        form["text"] = form["text"].value.replace("***", "[pdu]", 1)  # what makes no sense may be a secret, too
        assert "no former value to keep" in errors(form.submit(status=422))
        form["text"] = before
        form.submit(status=303)
    finally:
        (site.etc / file).write_text(before, "utf-8")


def main_form_of_text(page: Any) -> Any:
    return next(form for form in page.forms.values() if "text" in form.fields)
