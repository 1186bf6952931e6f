"""Netboot: the boards and what they load, who asks and is not known, leases, and the hosts."""

from __future__ import annotations

from typing import Any

from ...ockle_client.long_texts import call_with_text
from .endpoint import Call, endpoint
from .schema import anything, array, body, boolean, choice, integer, mapping, nullable, number, record, text
from .shapes import WHEN

BOARD = {"board": text("name, MAC address or address of a board", minLength=1, maxLength=300)}
MAC = text("as B8:27:EB:01:02:03", minLength=1, maxLength=40)
NAME = text("letters, digits, - . _", minLength=1, maxLength=64)
IP = text("its address; empty: one of the pool", maxLength=40)
AT = number("seconds since 1970; 0: never")

TRANSFER = record(
    "A file that is sent to a board.",
    id=text(),
    service=text("tftp or install"),
    board=text("what it is called, empty if it is no host"),
    mac=text(),
    ip=text(),
    file=text(),
    sent=integer("bytes"),
    size=nullable(integer("bytes; null: not known")),
    rate=nullable(number("bytes per second")),
    retries=integer(),
    state=choice("running", "done", "failed"),
    text=text("why it failed"),
)
SHOWN = record(
    "A board.",
    mac=text(),
    name=text("of the hosts, empty if it has none"),
    label=text("the name, or else the MAC address"),
    known=boolean("whether it is a host"),
    ip=text(),
    server=text("the server that it is, empty if it is none"),
    port=text("the outlet that feeds that server"),
    stage=text("new, asking, addressed, loading, hello, formatting, installing … booting, booted, up, failed"),
    text=text("the same for people"),
    note=text("what goes with it"),
    ok=boolean("it has booted"),
    since=AT,
    last_seen=AT,
    booted_at=AT,
    installed_at=AT,
    kind=text("of the firmware"),
    serial=text(),
    image=text("that it is installed from"),
    profile=text("its boot profile"),
    reinstall=choice("", "wanted", "started", description="whether it is to be installed anew"),
    loading=nullable(TRANSFER),
)
LINE = record("A line of a board's log.", id=integer(), at=WHEN, stage=text("the stage that it came to"), text=text())
PROBLEM = record("", line=integer("from 1"), text=text())
HOST = record("A board that is known.", mac=text(), ip=text(), name=text())
HOSTS = record(
    "hosts.csv.",
    text=text("the file as it is"),
    rev=text("another one, other hosts"),
    problems=array(PROBLEM, "lines that are wrong, and do not serve"),
    proposal=text("the next free address"),
    lines=array(anything("number, kind (host, comment, fault), text, mac, ip, name, last_used, problem")),
)


@endpoint(
    "GET",
    "/netboot/status",
    "Return whether the boot server runs, and what it is doing.",
    answer=record(
        "",
        running=boolean(),
        problem=text("what is wrong, empty if nothing is"),
        serve=text("who serves: thread, process or no"),
        interface=text(),
        address=text(),
        services=array(record("", name=text(), running=boolean(), addresses=array(text()), problem=text())),
        counts=mapping(integer(), "stage -> boards"),
        unknown=integer("how many ask and are not known"),
        hosts_problems=array(PROBLEM),
        transfers=array(TRANSFER),
    ),
)
def netboot_status(call: Call) -> dict[str, Any]:
    return call.daemon("netbootStatus")


@endpoint("GET", "/netboot/boards", "Return every board.", answer=record("", boards=array(SHOWN)))
def list_boards(call: Call) -> dict[str, Any]:
    return call.daemon("netbootBoards")


@endpoint(
    "GET",
    "/netboot/boards/{board}",
    "Return a board and what it said.",
    path=BOARD,
    query={"after": integer("only lines after the one of this id", minimum=0, maximum=2**53)},
    answer=record("", board=SHOWN, lines=array(LINE)),
)
def get_board(call: Call) -> dict[str, Any]:
    return call.daemon("netbootBoard", {**call.path, **call.query})


@endpoint(
    "GET",
    "/netboot/leases",
    "Return which address is whose.",
    answer=record(
        "",
        leases=array(
            record("", ip=text(), mac=text(), name=text(), hostname=text(), state=text(), until=WHEN),
        ),
    ),
)
def list_leases(call: Call) -> dict[str, Any]:
    return call.daemon("netbootLeases")


@endpoint(
    "GET",
    "/netboot/unknown",
    "Return who asks for an address and is no host.",
    answer=record(
        "",
        unknown=array(record("", mac=text(), count=integer(), first=nullable(WHEN), last=nullable(WHEN), text=text())),
        proposal=text("the next free address"),
    ),
)
def list_unknown(call: Call) -> dict[str, Any]:
    return call.daemon("netbootUnknown")


@endpoint("GET", "/netboot/transfers", "Return what is being loaded.", answer=record("", transfers=array(TRANSFER)))
def list_transfers(call: Call) -> dict[str, Any]:
    return {"transfers": call.daemon("netbootStatus")["transfers"]}


# -- hosts


@endpoint("GET", "/netboot/hosts", "Return the hosts.", answer=HOSTS)
def get_hosts(call: Call) -> dict[str, Any]:
    return call.daemon("netbootHosts")


@endpoint(
    "PUT",
    "/netboot/hosts",
    "Put other hosts in place of all there are; refused when a line is wrong, or rev is not that of now.",
    permission="admin",
    body=body("", text=text("the whole file", maxLength=8_000_000), rev_=text(maxLength=80)),
    answer=HOSTS,
    problems=(409,),
)
def set_hosts(call: Call) -> dict[str, Any]:
    return call_with_text(call.daemon, "netbootSetHosts", call.body, "netbootHostsPart")


@endpoint(
    "POST",
    "/netboot/hosts",
    "Add a host.",
    permission="admin",
    body=body("", mac=MAC, name=NAME, ip_=IP),
    answer=record("", host=HOST),
    problems=(409,),
)
def add_host(call: Call) -> dict[str, Any]:
    return call.daemon("netbootAddHost", call.body)


@endpoint(
    "DELETE",
    "/netboot/hosts/{host}",
    "Take a host out.",
    permission="admin",
    path={"host": BOARD["board"]},
    answer=record("", host=HOST),
    problems=(409,),
)
def remove_host(call: Call) -> dict[str, Any]:
    return call.daemon("netbootRemoveHost", call.path)
