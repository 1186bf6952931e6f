"""Every option type reads what it writes, and refuses what it must."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.config.files import parse_ini
from ockle.config.references import Secret, expand
from ockle.config.templates import Option, parse_template
from ockle.config.types import TYPES, format_duration, parse_duration


def option(kind: str, default: Any = "x", *args: Any) -> Option:
    return Option("s", "o", kind, default, "", args)


CHOICE = option("choice", "fail", ["fail", "cut"])
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=12)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
HOSTS = st.sampled_from(["nas01", "nas-01.lan", "a_b", "127.0.0.1", "::1", "fe80::1%eth0"])
VALUES: dict[str, tuple[Option, st.SearchStrategy[Any]]] = {
    "string": (option("string"), TEXTS),
    "text": (option("text"), TEXTS),
    "secret": (option("secret"), TEXTS.map(Secret)),
    "int": (option("int", 0, -5, 10**6), st.integers(-5, 10**6)),
    "intrange": (option("intrange", 1, "-8--1"), st.integers(-8, -1)),
    "port": (option("port", 1), st.integers(1, 65535)),
    "float": (option("float", 0.0), st.floats(allow_nan=False, allow_infinity=False)),
    "bool": (option("bool", False), st.booleans()),
    "duration": (option("duration", 0.0), st.floats(0, 366 * 86400).map(lambda value: round(value, 6))),
    "select": (option("select", None, False), WORDS),
    "choice": (CHOICE, st.sampled_from(["fail", "cut"])),
    "list": (option("list", []), st.lists(WORDS)),
    "multilist": (option("multilist", [], True), st.lists(WORDS)),
    "host": (option("host"), HOSTS),
    "mac": (option("mac"), st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))),
    "command": (option("command"), st.lists(TEXTS).map(lambda args: ["prog", *args])),
    "path": (option("path"), TEXTS.filter(lambda text: not text.startswith("~"))),  # that is somebody's home
    "topic": (option("topic"), st.sampled_from(["ockle", "home/ockle", "a b/ä"])),
    "url": (option("url"), st.sampled_from(["http://h:3000/a", "https://[::1]/x?y=1"])),
}


def test_every_type_is_covered() -> None:
    assert set(VALUES) == set(TYPES)


@pytest.mark.parametrize("kind", sorted(VALUES))
@given(data=st.data())
def test_what_is_formatted_is_parsed_again(kind: str, data: st.DataObject) -> None:
    what, values = VALUES[kind]
    value = data.draw(values)
    text = what.kind.format(value)
    assert what.kind.parse(text, what) == value
    assert what.kind.parse(value, what) == value
    assert what.describe()


@pytest.mark.parametrize("kind", sorted(VALUES))
@given(raw=st.text() | st.lists(st.text()) | st.none() | st.integers() | st.floats() | st.booleans())
def test_anything_else_is_a_value_error(kind: str, raw: object) -> None:
    what = VALUES[kind][0]
    try:
        what.kind.parse(raw, what)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("5m", 300),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("2", 2),
        ("1.5h", 5400),
        ("1d", 86400),
        ("1m 5s", 65),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("duration", "soon"),
        ("duration", "-1s"),
        ("duration", "inf"),
        ("duration", "9" * 5000),
        ("int", "1.0"),
        ("int", "9" * 5000),
        ("int", "11" * 9),
        ("intrange", "0"),
        ("port", "65536"),
        ("bool", "maybe"),
        ("choice", "kill"),
        ("host", "999.1.1.1"),
        ("host", "a b"),
        ("host", "-x"),
        ("mac", "b8:27:eb:01:02"),
        ("mac", "b8:27-eb:01:02:03"),
        ("url", "not a url"),
        ("url", "http://h:99999/"),
        ("command", "echo 'x"),
        ("command", ["pdu set 1", "2"]),
        ("float", "nan"),
        ("topic", "a/+/b"),
        ("topic", "a//b"),
        ("topic", "/a"),
        ("topic", "$SYS/a"),
        ("topic", "a" * 201),
        ("topic", ""),
    ],
)
def test_refused(kind: str, raw: object) -> None:
    what = VALUES[kind][0]
    with pytest.raises(ValueError, match=r"\w"):
        what.kind.parse(raw, what)


@pytest.mark.parametrize("text", ["B8-27-EB-01-02-03", "b827.eb01.0203", "b827eb010203", "b8:27:eb:1:2:3"])
def test_macs_are_normalised(text: str) -> None:
    assert TYPES["mac"].parse(text, option("mac")) == "b8:27:eb:01:02:03"


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>5}", "%s" % secret, repr([secret])]  # noqa: UP031
    assert not any("hunter2" in text for text in shown)
    assert secret.reveal() == "hunter2"
    assert secret
    assert not Secret("")
    with pytest.raises(TypeError):
        "".join([secret])  # type: ignore[list-item]


@pytest.mark.parametrize("text", ["${env:}", "${foo:x}", "${env:X", "${}", "${HOME}", "${file:no/such/file}"])
def test_wrong_references_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        expand(text)


def test_two_dollars_stand_for_one() -> None:
    assert expand("a$${env:X}$b") == "a${env:X}$b"


@given(st.lists(WORDS, min_size=1))
def test_lists_survive_an_ini_file(items: list[str]) -> None:
    what = option("list", [])
    ini = parse_ini("[s]\n", "t")
    ini["s"]["o"] = items
    try:
        lines = ini.write()
    except SyntaxError:  # an item with both kinds of quotes
        return
    again = parse_ini("\n".join(lines), "t")
    assert what.kind.parse(again["s"]["o"], what) == items or len(items) == 1 or any('"' in item for item in items)


def test_a_wrong_template_names_all_its_faults() -> None:
    with pytest.raises(Exception, match=r"x\.ini") as caught:
        parse_template('[s]\na=["int",1]\nb=int\nc=["nope"]\nd=["choice","x"]\ne=["intrange",9,"1-8"]\n', "x.ini")
    assert len(str(caught.value).splitlines()) == 4
