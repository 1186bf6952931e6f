"""Forms from INI templates: what a browser sends back unchanged changes nothing, for every type there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webob.multidict import MultiDict
from webtest.forms import Form

import ockle.webserver
from ockle.config.form_data import Wanted, form_data
from ockle.config.look import Look
from ockle.config.site import Site
from ockle.config.templates import GENERATOR_SECTION, TYPED, driver_template, load_template, type_names
from ockle.config.types import TYPES
from ockle.webserver.forms.fields import WIDGETS, baseline, make_section
from ockle.webserver.forms.posted import read_form
from ockle.webserver.texts import _, ngettext
from ockle.webserver.views.multiChoiceGenerators import _makeMultichoice, _makeSelectMulitChoice

TEMPLATES = Path(ockle.webserver.__file__).parent / "templates"

environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
)
environment.globals.update(_=_, ngettext=ngettext)
PAGE = environment.from_string(
    """{% from "parts/fields.jinja2" import section_fields with context %}
<form method="post"><input type="hidden" name="base" value="{{ base }}">
{% for section in form_sections %}{{ section_fields(section) }}{% endfor %}<button name="save">Save</button></form>"""
)


def look_at(texts: dict[str, str]) -> Look:
    return Look(Site(Path("/nowhere")), {}, texts, None)


def page_of(form: dict[str, Any]) -> str:
    sections = [make_section(section) for section in form["sections"]]
    return PAGE.render(form_sections=sections, base=baseline(form["sections"]))


def sent(page: str, **changed: Any) -> MultiDict:
    """Return what a browser sends: HTML's own rules, so a text area loses its first line end and gets CR LF."""
    form = Form(None, page)
    for name, value in changed.items():
        form[name] = value
    return MultiDict(
        (name, value.replace("\r\n", "\n").replace("\n", "\r\n") if isinstance(value, str) else value)
        for name, value in form.submit_fields("save")
    )


def test_every_type_of_option_has_its_widget_and_every_widget_its_macro() -> None:
    assert set(WIDGETS) == set(TYPES)
    text = (TEMPLATES / "parts/fields.jinja2").read_text("utf-8")
    assert {"text", "secret", "select", "multilist"} <= set(re.findall(r"macro (\w+)\(field", text))


TYPES_OF_ALL = [(kind, name) for kind in TYPED for name in type_names(kind)]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\"'#\x85  "), max_size=20)
VALUE = st.one_of(
    TEXT,
    st.lists(TEXT.filter(str.strip), min_size=2, max_size=3).map(", ".join),
    st.integers().map(str),
    st.sampled_from(["yes", "True", "off", "1h30m", "2C", "none", "STUCK", "${file:x}", "", '"a, b", c', "'''x\ny'''"]),
)


@settings(max_examples=80, deadline=None)
@given(typed=st.sampled_from(TYPES_OF_ALL), data=st.data())
def test_a_form_that_is_sent_back_unchanged_changes_nothing(typed: tuple[str, str], data: st.DataObject) -> None:
    kind, name = typed
    section = GENERATOR_SECTION[kind]
    options = sorted(driver_template(kind, name).sections[section].keys() - {"type"})
    written = data.draw(st.dictionaries(st.sampled_from(options), VALUE))
    lines = [f"[{section}]", f"type = {name}", *(f"{key} = {value}".rstrip() for key, value in written.items())]
    file = f"{kind}/some.ini"
    try:
        form = form_data(look_at({file: "\n".join(lines) + "\n"}), Wanted(file), {})
    except Exception as error:  # noqa: BLE001 - a value that is no INI value at all is another test's matter
        assert type(error).__name__ == "ConfigError", error
        return
    reading = read_form(form["sections"], sent(page_of(form)))
    assert {one: values for one, values in reading.values.items() if values} == {}
    assert reading.conflicts == []


@pytest.mark.parametrize("file", ["config.ini", "servers/a.ini", "circuits/a.ini", "monitors/a.ini"])
def test_the_other_files_go_through_a_form_unchanged(file: str) -> None:
    template = {"config.ini": "config.ini", "servers/a.ini": "serverNodes.ini"}.get(
        file, f"{file.partition('/')[0]}.ini"
    )
    text = ""
    for section, options in load_template(template).sections.items():
        text += f"[{section}]\n"
        for option in options.values():
            text += f"{option.name} = {option.kind.format(option.default)}\n" if option.default is not None else ""
    form = form_data(look_at({file: text}), Wanted(file), {})
    reading = read_form(form["sections"], sent(page_of(form)))
    assert {one: values for one, values in reading.values.items() if values} == {}


def test_what_is_changed_set_back_cleared_or_emptied() -> None:
    file = "controllers/ssh.ini"
    text = "[controller]\ntype = SSHController\nuser = me\ntimeout = 5s\npassword = secret-1\n"
    form = form_data(look_at({file: text}), Wanted(file), {})
    page = page_of(form)
    assert "secret-1" not in page
    values = read_form(form["sections"], sent(page, **{"o,controller,user": "you"})).values
    assert values == {"controller": {"user": "you"}}
    values = read_form(form["sections"], sent(page, **{"o,controller,timeout": ""})).values
    assert values == {"controller": {"timeout": None}}
    values = read_form(form["sections"], sent(page, **{"reset,controller,password": True})).values
    assert values == {"controller": {"password": None}}
    values = read_form(form["sections"], sent(page, **{"o,controller,password": "new"})).values
    assert values == {"controller": {"password": "new"}}
    values = read_form(form["sections"], sent(page, **{"empty,controller,boot_id_command": True})).values
    assert values == {"controller": {"boot_id_command": ""}}


def test_a_conflict_is_what_two_changed_to_different_values() -> None:
    file = "circuits/a.ini"
    before, after = ({file: f"[circuit]\nmax_starts = {count}\n"} for count in (1, 2))
    page = page_of(form_data(look_at(before), Wanted(file), {}))
    now = form_data(look_at(after), Wanted(file), {})["sections"]
    assert read_form(now, sent(page)).values == {"circuit": {}}
    assert read_form(now, sent(page, **{"o,circuit,comment": "x"})).conflicts == []
    reading = read_form(now, sent(page, **{"o,circuit,max_starts": "3"}))
    assert reading.conflicts == [("circuit", "max_starts", "2")]
    assert read_form(now, sent(page, **{"o,circuit,max_starts": "2"})).conflicts == []


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=8))
def test_whatever_is_posted_is_read_without_a_fault(pairs: list[tuple[str, str]]) -> None:
    form = form_data(look_at({"circuits/a.ini": "[circuit]\n"}), Wanted("circuits/a.ini"), {})
    pairs += [("o,circuit,comment", "x"), ("base", "[1, {")]
    assert read_form(form["sections"], MultiDict(pairs)).values["circuit"].get("comment") is not None


def test_the_documented_generators_of_choices() -> None:
    choices = _makeMultichoice(
        "server",
        "dependencies",
        lambda: {"b": "second", "a": {"doc": "first", "refused": "a cycle"}, "c": ""},
        {"server": {"dependencies": ["c", "gone"]}},
        sorted=True,
        urlPattern="/server/~~name~~",
    )
    made = choices["server"]["dependencies"]
    assert list(made) == ["c", "gone", "a", "b"]
    assert [one["selected"] for one in made.values()] == [True, True, False, False]
    assert (made["gone"]["known"], made["a"]["refused"], made["b"]["link"]) == (False, "a cycle", "/server/b")
    both = _makeSelectMulitChoice("x y", "psu", "pdu", {"p": "a PDU"}, choices)
    assert both is choices
    assert [(name, one["selected"]) for name, one in both["psu"]["pdu"].items()] == [("p", False), ("x y", True)]
