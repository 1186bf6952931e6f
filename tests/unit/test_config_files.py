"""INI files, their history, templates of the package, and what is generated from them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ockle.common.errors import ConfigError
from ockle.config import reference
from ockle.config.files import History, confine, parse_ini, read_ini, write_ini
from ockle.config.site import load_site
from ockle.config.templates import (
    KINDS,
    TYPED,
    available_types,
    check_settings,
    driver_template,
    identity_options,
    load_template,
    plugin_template,
)

ROOT = Path(__file__).parents[2]


def test_comments_and_order_survive_a_change(tmp_path: Path) -> None:
    path = tmp_path / "a.ini"
    text = "# head\n\n[server]\n# why\ntags = a, b  # inline\nzeta = 1\nalpha = Büro\n\n# psu\n[psu]\npdu = x\n# end\n"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    ini = read_ini(path)
    ini["server"]["zeta"] = "2"
    write_ini(path, ini)
    assert path.read_text("utf-8") == text.replace("zeta = 1", "zeta = 2").replace("b  # inline", "b # inline")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [other.name for other in tmp_path.iterdir()] == ["a.ini"]


def test_values_of_several_lines_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.ini"
    ini = parse_ini("[s]\na = '''x'''\n", "a.ini")
    ini["s"]["b"] = 'it\'s "two"\nlines # here'
    write_ini(path, ini)
    assert dict(read_ini(path)["s"]) == {"a": "x", "b": 'it\'s "two"\nlines # here'}


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = '''x\ny\n", 2), ("a = '''x\ny''' z\n", 2), ("a = x\n[ ]\n", 3), ("a = 1\na = 2\n", 3), ("a = b,,c\n", 2)],
)
def test_syntax_errors_name_their_line(text: str, line: int) -> None:
    with pytest.raises(ConfigError, match=f"^a.ini: line {line}: ") as caught:
        parse_ini(f"[s]\n{text}", "a.ini")
    assert len(caught.value.faults) == 1


def test_line_ends_of_windows_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.ini"
    path.write_bytes(b"[s]\r\na = 1\r\n")
    write_ini(path, read_ini(path))
    assert path.read_bytes() == b"[s]\r\na = 1\r\n"


def test_what_is_no_ini_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.ini"
    path.write_text("[s]\n")
    with pytest.raises(ConfigError, match="line 1"):
        write_ini(path, "nonsense")
    assert path.read_text() == "[s]\n"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../a.ini",
        "outlets/../../a.ini",
        ".history/1.ini",
        "a.txt",
        "a\\b.ini",
        "a\n.ini",
        "a//b.ini",
        ".ini",
    ],
)
def test_paths_are_confined(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        confine(tmp_path, name)


def test_a_link_out_of_etc_is_refused(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "servers").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="leads out"):
        confine(etc, "servers/a.ini")
    assert confine(etc, "outlets/PDU Büro.ini") == etc / "outlets/PDU Büro.ini"


@pytest.mark.parametrize(
    "line",
    [
        "[" * 8000,
        "x = " + "a,   " * 60 + "'b",
        "x = " + "'a',  " * 1000 + '"',
        " " * 8000 + "x",
        '["' + " " * 8000,
        "x" * 10**6,
    ],
)
def test_lines_that_make_regular_expressions_backtrack_end_at_once(line: str) -> None:
    start = time.process_time()
    with pytest.raises(ConfigError, match="line 2"):
        parse_ini(f"[s]\n{line}\n", "a.ini")
    assert time.process_time() - start < 2


def test_the_history_goes_back_and_forgets_the_oldest(tmp_path: Path) -> None:
    path = tmp_path / "config.ini"
    history = History(tmp_path, keep=3)
    before: str | None = None
    for count in range(1, 6):
        text = f"[main]\nstart_limit = {count}\n"
        write_ini(path, text)
        assert history.record({"config.ini": before}, {"config.ini": text}, "me", f"change {count}") == count
        before = text
    assert [(revision.rev, revision.who, revision.message) for revision in history.list()] == [
        (3, "me", "change 3"),
        (4, "me", "change 4"),
        (5, "me", "change 5"),
    ]
    assert "-start_limit = 3\n+start_limit = 5\n" in history.diff(3)
    assert "-start_limit = 3\n+start_limit = 4\n" in history.diff(3, 4)
    assert history.diff(5) == ""
    assert history.restore(3, "me") == 6
    assert path.read_text() == "[main]\nstart_limit = 3\n"
    assert history.restore(5, "me") == 7
    assert path.read_text() == "[main]\nstart_limit = 5\n"
    with pytest.raises(ConfigError, match="no revision"):
        history.restore(1)
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / ".history").iterdir())


def test_the_history_restores_files_that_came_and_went(tmp_path: Path) -> None:
    history = History(tmp_path)
    new = tmp_path / "servers/a.ini"
    write_ini(new, "[server]\n")
    history.record({"servers/a.ini": None}, {"servers/a.ini": "[server]\n"}, "me")
    history.restore(0)
    assert not new.exists()
    history.restore(1)
    assert new.read_text() == "[server]\n"


@pytest.mark.parametrize("kind", TYPED)
def test_every_template_of_the_package_loads_and_is_documented(kind: str) -> None:
    for name, sentence in available_types(kind).items():
        template = driver_template(kind, name)
        assert sentence
        assert all(option.doc for options in template.sections.values() for option in options.values())
    known = "Dummy" if kind in KINDS else "Log"
    with pytest.raises(ConfigError, match=f"did you mean '{known}'"):
        driver_template(kind, f"{known}x")


def test_plugins_have_templates() -> None:
    assert all(list(plugin_template(name).sections) == [f"plugins.{name}"] for name in available_types("plugins"))


@pytest.mark.parametrize(
    "path", ["../__init__.py", "/etc/passwd", "conf_outlets/../config.ini", "a/b/c.ini", "nope.ini"]
)
def test_only_templates_can_be_loaded(path: str) -> None:
    with pytest.raises(ConfigError):
        load_template(path)


def test_outlets_are_told_apart_by_their_address() -> None:
    assert identity_options("PoE") == ("group", "port")
    assert identity_options("Raritan") == ("outlet",)


def test_settings_are_checked_all_at_once() -> None:
    template = driver_template("outlets", "PoE")
    assert check_settings(template, "pdu", {"type": "PoE", "host": "::1", "retries": 4})["retries"] == 4
    with pytest.raises(ConfigError) as caught:
        check_settings(template, "pdu", {"type": "PoE", "host": "", "port": "x", "tmeout": 1}, where="f.ini")
    assert len(caught.value.faults) == 3


def test_a_reference_in_a_command_is_one_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKLE_TEST_PLACE", "rack 1; reboot")
    template = driver_template("testers", "Command")
    raw = {"type": "Command", "command": "probe --at ${env:OCKLE_TEST_PLACE} {target}"}
    checked = check_settings(template, "tester", raw)
    assert checked["command"] == ["probe", "--at", "rack 1; reboot", "{target}"]


def test_paths_are_absolute_also_for_a_relative_etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = {"type": "SSHController", "user": "u", "key_file": "keys/id"}
    checked = check_settings(driver_template("controllers", "SSHController"), "controller", raw, etc=Path("etc"))
    assert checked["key_file"] == str(tmp_path / "etc" / "keys" / "id")


def test_relative_paths_start_at_etc(tmp_path: Path) -> None:
    template = driver_template("controllers", "SSHController")
    raw = {"type": "SSHController", "user": "u", "key_file": "keys/id", "known_hosts": "/k"}
    checked = check_settings(template, "controller", raw, etc=tmp_path)
    assert checked["key_file"] == str(tmp_path / "keys/id")
    assert checked["known_hosts"] == "/k"
    assert check_settings(template, "controller", raw)["key_file"] == "keys/id"


def test_the_example_says_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / "config.ini.example").read_text("utf-8")
    assert text == reference.example()
    (tmp_path / "config.ini").write_text(text, "utf-8")
    site = load_site(tmp_path)
    assert site.faults == []
    assert site.main == load_template("config.ini").defaults("main")
    for name, settings in site.plugin_settings.items():
        shown = {key: str(value) for key, value in settings.items()}
        defaults = check_settings(plugin_template(name), f"plugins.{name}", {}, etc=tmp_path)  # paths start at etc
        assert shown == {key: str(value) for key, value in defaults.items()}


def test_the_reference_names_every_option() -> None:
    page = reference.reference()
    for kind in TYPED:
        for name in available_types(kind):
            assert f"### type = {name}" in page
    assert "| `retry_cycle` | `if-down` | if-down, always or never |" in page
