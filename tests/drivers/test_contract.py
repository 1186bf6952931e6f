"""What every type of outlet, control and test has to have, whoever adds one."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ockle.config.templates import available_types, own_template
from ockle.controllers.ControllerTemplate import ControllerTemplate
from ockle.drivers.discovery import load_class
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.testers.TemplateTester import TemplateTester

BASES: dict[str, type[Any]] = {
    "outlets": OutletTemplate,
    "controllers": ControllerTemplate,
    "testers": TemplateTester,
}
METHODS = {
    "outlets": ("_setOutletState", "_getOutletState"),
    "controllers": ("_setControlState", "_getControlState"),
    "testers": ("_test",),
}
TYPES = [(folder, name) for folder in BASES for name in available_types(folder)]
SAMPLES = {"host": "127.0.0.1", "port": "1", "outlet": "1", "target": "x", "user": "x"}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("folder", "name"), TYPES)
def test_a_type_is_a_small_documented_class_on_its_template(folder: str, name: str) -> None:
    kind = load_class(folder, name)
    assert issubclass(kind, BASES[folder])
    assert kind.__name__ == name
    assert inspect.getdoc(kind) != inspect.getdoc(BASES[folder])
    source = Path(inspect.getfile(kind)).read_text("utf-8")
    assert len(source.splitlines()) <= 125
    for method in METHODS[folder]:
        assert getattr(kind, method) is not getattr(BASES[folder], method), method


def _options(folder: str, name: str) -> list[str]:
    return [option for options in own_template(folder, name).sections.values() for option in options]


@pytest.mark.parametrize(("folder", "name"), TYPES)
def test_every_option_of_a_type_is_documented_and_used(folder: str, name: str) -> None:
    kind = load_class(folder, name)
    source = "".join(
        Path(inspect.getfile(base)).read_text("utf-8") for base in kind.__mro__ if base.__module__.startswith("ockle.")
    )
    for options in own_template(folder, name).sections.values():
        for option in options.values():
            assert option.doc, option.name
            used = re.search(rf"""["']{option.name}["']""", source) or (
                name == "HTTPMetrics" and option.name.startswith("max_")
            )
            assert used, f"{option.name} is in the template, and nobody reads it"


@pytest.mark.parametrize(("folder", "name"), TYPES)
def test_a_constructor_checks_and_talks_to_nobody(folder: str, name: str) -> None:
    kind = load_class(folder, name)
    sections = own_template(folder, name).sections
    settings, params = (
        {
            option.name: SAMPLES.get(option.name, "true")
            for option in sections.get(section, {}).values()
            if option.required
        }
        for section in (kind.SECTION, kind.PARAMS)
    )
    if name == "HTTP":  # needs one of two options
        params["host"] = "127.0.0.1"
    driver = kind("one", settings, params)
    assert driver.data == {}
    assert not driver.device._shared


def test_every_module_is_a_type_or_a_base() -> None:
    for folder in BASES:
        modules = {path.stem for path in (ROOT / "src" / folder).glob("*.py")} - {"__init__"}
        types = {load_class(folder, name).__module__.rpartition(".")[2] for name in available_types(folder)}
        bases = {BASES[folder].__module__.rpartition(".")[2], "marks", "circuit", "snmp_outlet", "snmp_device"}
        assert modules - bases == types


@pytest.mark.parametrize(("folder", "name"), TYPES)
def test_every_type_has_a_section_in_the_docs(folder: str, name: str) -> None:
    text = (ROOT / "docs" / "drivers.md").read_text("utf-8")
    part = re.split(r"^## ", text, flags=re.MULTILINE)
    (own,) = [section for section in part if section.lower().startswith(folder)] or [""]
    assert f"### {name}\n" in own, f"docs/drivers.md has no section for {name} below '{folder}'"


def test_libraries_are_loaded_where_they_are_used_only() -> None:
    """The daemon of a site with an SNMP switch on a Raspberry Pi pays for no SSH, and the other way round."""
    names = [(folder, name) for folder, name in TYPES if name != "SSHController"]
    program = (
        "import sys\n"
        "from ockle.drivers.discovery import load_class\n"
        f"for folder, name in {names!r}: load_class(folder, name)\n"
        "print(*sorted({'pysnmp', 'paramiko', 'h11', 'icmplib', 'cryptography'} & set(sys.modules)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings")}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=50, check=True
    )
    assert result.stdout.strip() == ""
