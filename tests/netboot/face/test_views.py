"""What is said of boards and addresses, and lists of hosts as people have them: plain values in, plain values out."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.commands.netboot.importing import as_hosts, merged
from ockle.commands.netboot.view import next_address, pools
from ockle.commands.staged_texts import StagedTexts
from ockle.common.clock import SystemClock
from ockle.common.errors import CommandError
from ockle.netboot.hosts import Host, parse_hosts
from ockle.webserver.live.parts import Changes, Parts
from ockle.webserver.netboot.edits import Row, apply, posted_rows, shown
from ockle.webserver.netboot.words import rate, size, summary
from ockle.webserver.ockle_client.long_texts import call_with_text

A, B = "B8:27:EB:00:00:01", "B8:27:EB:00:00:02"
NET = IPv4Network("10.0.0.0/29")


def hosts(*last: int) -> list[Host]:
    return [Host(f"02:00:00:00:00:{one:02X}", IPv4Address(f"10.0.0.{one}")) for one in last]


@pytest.mark.parametrize(
    ("used", "taken", "proposed"),
    [
        ((), (), "10.0.0.1"),
        ((), (1,), "10.0.0.2"),
        ((2,), (1,), "10.0.0.3"),
        ((2,), (1, 3), "10.0.0.4"),
        ((6,), (1,), "10.0.0.2"),
        ((1, 2, 3, 4, 5, 6), (), ""),
    ],
)
def test_the_next_address_is_free_and_above_the_highest(
    used: tuple[int, ...], taken: tuple[int, ...], proposed: str
) -> None:
    assert next_address(NET, hosts(*used), {IPv4Address(f"10.0.0.{one}") for one in taken}) == proposed


def test_an_address_of_a_pool_is_not_proposed() -> None:
    ranges = pools(["10.0.0.3-10.0.0.5", "nonsense", "10.0.0.1"])
    assert next_address(NET, hosts(2), [], ranges) == "10.0.0.6"
    assert next_address(NET, hosts(2, 6), [], ranges) == ""


def test_without_a_network_nothing_is_proposed() -> None:
    assert next_address(None, [], []) == ""
    assert next_address(IPv4Network("10.0.0.0/31"), [], []) == ""


@given(st.sets(st.integers(0, 15)), st.sets(st.integers(0, 15)))
def test_what_is_proposed_can_be_given(used: set[int], taken: set[int]) -> None:
    network = IPv4Network("10.0.0.0/28")
    blocked = {IPv4Address(f"10.0.0.{one}") for one in taken}
    text = next_address(network, hosts(*used), blocked)
    free = {one for one in network.hosts() if one not in blocked and one not in {host.ip for host in hosts(*used)}}
    assert (IPv4Address(text) in free) if text else not free


@pytest.mark.parametrize(
    ("given_text", "meant"),
    [
        (f"{A};10.0.0.1;pi1;5\n", f"{A};10.0.0.1;pi1;5\n"),
        (f'"{A}", "10.0.0.1" ,pi1', f"{A};10.0.0.1;pi1;\n"),
        (f"mac,ip,name\n{A},,pi1\n", f"# mac,ip,name\n{A};;pi1;\n"),
        (f"\ufeffMAC\tIP\n{A}\t10.0.0.1\t\t\t\t\n", f"# MAC\tIP\n{A};10.0.0.1;;\n"),
        (f"# a comment, with commas\n\n{A}", f"# a comment, with commas\n\n{A};;;\n"),
        (f"{A},1,2,3,4", f"{A};1;2;3;4\n"),
    ],
)
def test_lists_are_understood_as_people_have_them(given_text: str, meant: str) -> None:
    assert as_hosts(given_text) == meant


def test_merging_keeps_what_the_new_list_does_not_say() -> None:
    old = parse_hosts(f"# mine\n{A};10.0.0.1;pi1;77\n")
    text = merged(old, f"{A};;neu;\n{B};10.0.0.2;pi2;0\nnonsense\n")
    assert text == f"# mine\n{A};10.0.0.1;neu;77\n{B};10.0.0.2;pi2;0\nnonsense\n"
    assert merged(old, f"{A};;;\n") == old.text()


# -- the table of hosts


def lines(text: str) -> list[dict[str, object]]:
    found = parse_hosts(text)
    return [
        {
            "number": number,
            "kind": "host" if host else "comment",
            "text": line,
            "mac": host.mac if host else "",
            "ip": str(host.ip or "") if host else "",
            "name": host.name if host else "",
            "last_used": host.last_used if host else "",
            "problem": "",
        }
        for number, (line, host) in enumerate(found.lines, 1)
    ]


FILE = f"# mine\n{A.lower()};10.0.0.1;pi1;5\n\n{B};0.0.0.0;pi2;\n"


def test_what_nobody_touched_stays_letter_by_letter() -> None:
    rows = [row for row in shown(lines(FILE)) if not row.is_comment]
    assert apply(lines(FILE), rows).text == FILE
    rows[1].now = (B, "10.0.0.2", "pi2")
    assert apply(lines(FILE), rows).text == FILE.replace(f"{B};0.0.0.0;pi2;", f"{B};10.0.0.2;pi2;0")


def test_only_what_one_changed_meets_what_others_changed() -> None:
    rows = [row for row in shown(lines(FILE)) if not row.is_comment]
    rows[0].now = (A, "10.0.0.1", "renamed")
    theirs = FILE.replace("pi2;", "pi2;99").replace("# mine", "# ours")
    merged_text = apply(lines(theirs), rows)
    assert not merged_text.conflicts
    assert merged_text.text == theirs.replace(f"{A.lower()};10.0.0.1;pi1;5", f"{A};10.0.0.1;renamed;5")
    both = apply(lines(FILE.replace("pi1", "theirs")), rows)
    assert both.conflicts == {rows[0].id: (A, "10.0.0.1", "theirs")}
    assert "renamed" not in both.text
    gone = apply(lines("# mine\n"), rows)
    assert gone.conflicts == {rows[0].id: None}


def test_a_problem_is_told_at_its_row() -> None:
    rows = [*shown(lines(FILE))]
    rows[1].remove = True
    new = Row("n0", None, ("nonsense", "", ""))
    edited = apply(lines(FILE), [*(row for row in rows if not row.is_comment), new])
    problems = parse_hosts(edited.text).problems
    assert [edited.row_of[one.number] for one in problems] == ["n0"]


class Form(dict[str, str]):
    def getall(self, key: str) -> list[str]:
        return self[key].split()


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_field_makes_another_line(mac: str, name: str) -> None:
    row = posted_rows(Form({"row": "n0", "mac,n0": mac, "ip,n0": "", "name,n0": name, "was,n0": ""}))[0]
    text = apply(lines(FILE), [row]).text
    assert text.startswith(FILE)
    assert len(text.splitlines()) <= len(FILE.splitlines()) + 1


# -- texts that are longer than a message


def test_a_long_text_arrives_whole_and_short_ones_at_once() -> None:
    for length, letter, calls in ((10, "x", 1), (40_000, "x", 1), (90_001, "x", 4), (20_000, "ü", 4)):
        staged, got = StagedTexts(SystemClock()), list[str]()

        def call(command: str, data: dict[str, Any], staged: StagedTexts = staged, got: list[str] = got) -> Any:
            got.append(command)
            if command == "part":
                return {"id": staged.add(data["text"], data.get("id", ""))}
            return {"text": data["text"] if "text" in data else staged.take(data["staged"])}

        text = letter * length
        assert call_with_text(call, "set", {"text": text, "rev": "1"}, "part") == {"text": text}
        assert len(got) == calls


def test_staged_texts_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    staged = StagedTexts(SystemClock())
    first = staged.add("a")
    for _number in range(4):
        staged.add("b")
    with pytest.raises(CommandError, match="no such text"):
        staged.add("c", first)
    monkeypatch.setattr("ockle.commands.staged_texts.MOST_CHARACTERS", 3)
    last = staged.add("abc")
    with pytest.raises(CommandError, match="too long"):
        staged.add("d", last)
    kept = staged.add("e")
    monkeypatch.setattr("ockle.commands.staged_texts.KEPT_S", -1.0)
    with pytest.raises(CommandError, match="no such text"):
        staged.take(kept)


# -- what changes of a page


def test_only_what_changed_is_sent() -> None:
    changes = Changes()
    first = Parts({"a": "1", "b": "2"}, {"list": ["a", "b"]})
    rev = changes.note(first)
    assert changes.since(rev, first) == {"rev": rev, "same": True}
    second = changes.since(rev, Parts({"a": "1", "b": "3"}, {"list": ["a", "b"]}))
    assert (second["html"], second["lists"]) == ({"b": "3"}, {})
    third = changes.since(second["rev"], Parts({"a": "1"}, {"list": ["a"]}))
    assert (third["html"], third["lists"]) == ({}, {"list": ["a"]})
    assert changes.since("never", first)["html"] == first.html
    assert changes.since(rev, first)["same"]  # the same content, the same revision


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "–"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (150 * 1024, "150 KiB"), (9_400_000, "9.0 MiB")],
)
def test_sizes_are_short(amount: int | None, text: str) -> None:
    assert size(amount) == text
    assert rate(amount) == ("–" if amount is None else f"{text}/s")


def test_boards_are_counted_by_what_matters() -> None:
    boards = [{"stage": stage} for stage in ("up", "booted", "installing", "failed", "new", "from the future")]
    assert summary(boards) == "6 boards: 2 up, 1 booting, 1 failed, 2 not seen yet"
