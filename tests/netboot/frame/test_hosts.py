"""hosts.csv: piman's format, read and written without losing what a person wrote."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.errors import CommandError
from ockle.netboot.host_book import HostBook, revision
from ockle.netboot.hosts import Host, parse_hosts

PI3, PI4 = "B8:27:EB:01:02:03", "DC:A6:32:01:02:04"
TEXT = f"""# rack 2
{PI3};10.0.0.3;pi3;1574000000
dc-a6-32-1-2-4;0.0.0.0;;0

"""

mac = st.integers(0, 2**40 - 1).map(lambda number: "02:" + number.to_bytes(5, "big").hex(":").upper())
host = st.builds(
    Host,
    mac,
    st.none() | st.integers(2**24, 0xDFFFFFFF).map(IPv4Address).filter(lambda ip: not ip.is_multicast),
    st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True) | st.just(""),
    st.integers(0, 2**40),
)


def test_the_lines_of_pimans_readme_are_read() -> None:
    found = parse_hosts(TEXT)
    assert found.hosts == [Host(PI3, IPv4Address("10.0.0.3"), "pi3", 1574000000), Host(PI4)]
    assert found.problems == ()


def test_what_is_not_changed_stays_as_it_was() -> None:
    found = parse_hosts(TEXT)
    assert found.text() == TEXT
    assert found.put(Host(PI4, IPv4Address("10.0.0.4"), "pi4", 7)).text() == TEXT.replace(
        "dc-a6-32-1-2-4;0.0.0.0;;0", f"{PI4};10.0.0.4;pi4;7"
    )
    assert "# rack 2" in found.without(PI3).text()
    assert PI3 not in found.without(PI3).text()


@given(st.lists(host, unique_by=(lambda one: one.mac, lambda one: one.ip or one.mac, lambda one: one.name or one.mac)))
def test_hosts_written_are_the_hosts_read(hosts: list[Host]) -> None:
    text = "".join(one.line() + "\n" for one in hosts)
    assert parse_hosts(text).hosts == hosts
    assert parse_hosts(parse_hosts(text).text()).hosts == hosts


@given(st.text(max_size=200))
def test_any_text_is_kept_and_never_breaks_the_reader(text: str) -> None:
    found = parse_hosts(text)
    assert found.text().splitlines() == text.splitlines()
    assert len(found.hosts) + len(found.problems) <= len(text.splitlines())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"{PI4};10.0.0.4;pi4", "3 fields instead of 4"),
        ("B8:27:EB:01:02;10.0.0.4;pi4;0", "not a MAC address"),
        ("01:00:5E:00:00:01;10.0.0.4;pi4;0", "the address of a group"),
        ("00:00:00:00:00:00;10.0.0.4;pi4;0", "no machine's address"),
        (f"{PI4};10.0.0.400;pi4;0", "not an IPv4 address"),
        (f"{PI4};224.0.0.1;pi4;0", "cannot be a machine's address"),
        (f"{PI4};10.0.0.4;../pi;0", "is not one"),
        (f"{PI4};10.0.0.4;pi4;yesterday", "is no time"),
        (f"{PI3.lower()};10.0.0.9;other;0", "stands in line 2 already"),
        (f"{PI4};10.0.0.3;pi4;0", "address 10.0.0.3 stands in line 2 already"),
        (f"{PI4};10.0.0.4;PI3;0", "name PI3 stands in line 2 already"),
    ],
)
def test_a_bad_line_is_named_and_the_others_serve(line: str, problem: str) -> None:
    found = parse_hosts(f"# rack\n{PI3};10.0.0.3;pi3;0\n{line}\n02:00:00:00:00:09;;last;\n")
    assert [one.name for one in found.hosts] == ["pi3", "last"]
    (told,) = found.problems
    assert told.number == 3
    assert problem in told.text


def test_a_host_is_found_by_all_that_a_person_writes(tmp_path: Path) -> None:
    book = written(tmp_path)
    for word in ("pi3", "PI3", PI3, "b827.eb01.0203", "b8-27-eb-1-2-3", "10.0.0.3"):
        assert (found := book.find(word)) and found.mac == PI3, word
    for word in ("", "pi", "10.0.0.33", "02:00:00:00:00:01"):
        assert book.find(word) is None, word


def test_a_file_that_somebody_edits_is_read_again(tmp_path: Path) -> None:
    book = written(tmp_path)
    assert not book.reload()
    book.path.write_text(f"{PI4};10.0.0.44;neu;0\n")
    assert book.reload()
    assert book.by_mac(PI3) is None
    assert book.find("neu") == Host(PI4, IPv4Address("10.0.0.44"), "neu")


def test_a_file_that_cannot_be_read_leaves_the_hosts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    book = written(tmp_path)
    book.path.unlink()
    book.path.mkdir()
    assert not book.reload()
    assert not book.reload()
    assert book.by_mac(PI3) is not None
    assert len([line for line in caplog.messages if "cannot be read" in line]) == 1


def test_two_that_edit_do_not_overwrite_each_other(tmp_path: Path) -> None:
    book = written(tmp_path)
    text, rev = book.text()
    assert rev == revision(text)
    HostBook(book.path).add("02:00:00:00:00:09", "late")
    with pytest.raises(CommandError, match="has changed since you began") as refused:
        book.set_text("", rev)
    assert refused.value.code == "conflict"
    assert book.find("late") is not None
    assert book.set_text("", book.text()[1]).hosts == []


def test_a_text_with_a_fault_changes_nothing(tmp_path: Path) -> None:
    book = written(tmp_path)
    with pytest.raises(CommandError, match="line 2: 1 fields instead of 4"):
        book.set_text(f"{PI3};;;\nnonsense\n")
    assert book.path.read_text() == TEXT


def test_the_same_host_is_not_added_twice(tmp_path: Path) -> None:
    book = written(tmp_path)
    with pytest.raises(CommandError, match=f"pi3 has {PI3} already"):
        book.add(PI3, "other")
    with pytest.raises(CommandError, match=r"pi3 has 10\.0\.0\.3 already"):
        book.add("02:00:00:00:00:09", "other", "10.0.0.3")
    with pytest.raises(CommandError, match="there is no host"):
        book.remove("02:00:00:00:00:09")


def test_a_name_that_a_person_gave_is_not_overwritten(tmp_path: Path) -> None:
    book = written(tmp_path)
    book.used(PI3, 2_000_000_000, "raspberrypi")
    book.used(PI4, 2_000_000_000, "raspberrypi")
    assert [(one.name, one.last_used) for one in book.all()] == [("pi3", 2_000_000_000), ("raspberrypi", 2_000_000_000)]
    before = book.path.stat().st_mtime_ns
    book.used(PI3, 2_000_000_100, "raspberrypi")
    book.used("02:00:00:00:00:09", 2_000_000_100, "stranger")
    assert book.path.stat().st_mtime_ns == before, "a write for every request wears a card"


def written(folder: Path) -> HostBook:
    (folder / "hosts.csv").write_text(TEXT)
    return HostBook(folder / "hosts.csv")
