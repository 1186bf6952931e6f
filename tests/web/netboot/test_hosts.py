"""The table of the hosts on a real daemon: row by row into the file, whoever else writes it."""

from __future__ import annotations

from webtest import TestApp

from netboot_face import HOSTS, PI1, PI2, PI3, NetbootSite


def test_the_table_keeps_comments_and_last_use(app: TestApp, hosts: NetbootSite) -> None:
    form = app.get("/settings/netboot/hosts").forms["hosts"]
    form["name,l2"] = "one"
    form["remove,l6"] = True
    form["mac,n0"], form["name,n0"] = "2c-cf-67-00-00-09", "nine"
    hosts.hosts.write_text(HOSTS.replace("pi2;0", "pi2;1767777777"))  # the boot server, meanwhile
    assert "The hosts are stored" in form.submit("save").follow()
    wanted = HOSTS.replace("pi1;", "one;").replace("pi2;0", "pi2;1767777777").replace(f"{PI3};;pi3;0\n", "")
    assert hosts.hosts.read_text() == f"{wanted}2c-cf-67-00-00-09;0.0.0.0;nine;0\n"


def test_the_table_tells_faults_at_their_rows(app: TestApp, hosts: NetbootSite) -> None:
    form = app.get("/settings/netboot/hosts").forms["hosts"]
    form["ip,l3"] = "10.7.0.11"
    again = form.submit("save", status=422)
    assert "stands in line 2 already" in again.html.find(id="problem-l3").text
    assert again.forms["hosts"]["ip,l3"].value == "10.7.0.11"
    assert hosts.hosts.read_text() == HOSTS


def test_the_table_tells_who_was_quicker(app: TestApp, hosts: NetbootSite) -> None:
    form = app.get("/settings/netboot/hosts").forms["hosts"]
    form["name,l2"] = "mine"
    hosts.hosts.write_text(HOSTS.replace("pi1;", "theirs;"))
    again = form.submit("save", status=409)
    assert "is now: " in again
    assert "theirs" in again.html.find(id="problem-l2").text
    assert "The hosts are stored" in again.forms["hosts"].submit("save").follow()  # looked at, and meant
    assert hosts.hosts.read_text() == HOSTS.replace("pi1;", "mine;")


def test_more_rows_come_without_scripts(app: TestApp) -> None:
    form = app.get("/settings/netboot/hosts").forms["hosts"]
    form["mac,n2"] = "2c:cf:67:00:00:09"
    more = form.submit("more").forms["hosts"]
    assert more["mac,n2"].value == "2c:cf:67:00:00:09"
    assert "mac,n5" in more.fields or len([name for name in more.fields if str(name).startswith("mac,n")]) == 6


def test_an_import_is_looked_at_before_it_is_stored(app: TestApp, hosts: NetbootSite) -> None:
    form = next(one for one in app.get("/settings/netboot/hosts/import").forms.values() if "merge" in one.fields)
    form["text"] = f"mac,ip,name\n{PI1},,first\n2c:cf:67:00:00:09,10.7.0.30,nine\n"
    preview = form.submit()
    assert "1 new" in preview
    assert "1 changed" in preview
    assert hosts.hosts.read_text() == HOSTS
    store = next(one for one in preview.forms.values() if "rev" in one.fields)
    assert "The hosts are stored" in store.submit("store").follow()
    text = hosts.hosts.read_text()
    assert text.startswith(f"# the rack in the cellar\n{PI1};10.7.0.11;first;1767000000\n{PI2};")
    assert text.endswith("2C:CF:67:00:00:09;10.7.0.30;nine;0\n")
    assert app.get("/settings/netboot/hosts.csv").text == text


def test_an_import_with_faults_cannot_be_stored(app: TestApp, hosts: NetbootSite) -> None:
    form = next(one for one in app.get("/settings/netboot/hosts/import").forms.values() if "merge" in one.fields)
    form["merge"] = "no"
    form["file"] = ("hosts.csv", f"{PI1};300.0.0.1;pi1;0\n".encode())
    page = form.submit(status=422)
    assert "300.0.0.1" in page
    assert not any("rev" in one.fields for one in page.forms.values())
