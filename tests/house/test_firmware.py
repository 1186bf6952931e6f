"""The plug's firmware: what it is called by, and that ESPHome takes it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ockle.config.templates import load_template, own_template
from ockle.simulator.esphome_plug import EspPlug
from ockle.simulator.ledger import Ledger
from ockle.simulator.spec import PlugSpec
from plug_site import KEY

FIRMWARE = Path(__file__).resolve().parents[2] / "packaging/esphome/ockle-plug.yaml"
TEXT = FIRMWARE.read_text("utf-8")
SECRETS = f"wifi_ssid: net\nwifi_password: password\nplug_key: {KEY}\nota_password: pw\n"
WITHOUT_METER = re.compile(r"^uart:.*?^  # sensor:\n((?:  #  [^\n]*\n)+)", re.MULTILINE | re.DOTALL)


def names() -> set[str]:
    """The names of its entities: those without a name of their own are internal."""
    return set(re.findall(r"^ {4,6}name: (.+)$", TEXT, re.MULTILINE))


def substitution(name: str) -> str:
    (value,) = re.findall(rf"^  {name}: \"?([\d.]+)s?\"?$", TEXT, re.MULTILINE)
    return str(value)


def test_the_labs_plug_is_this_firmware() -> None:
    plug = EspPlug(PlugSpec("plug"), Ledger(), 1.0)
    assert names() - {"Button"} == {entity.name for entity in plug.entities.values()}
    spec = plug.plug_spec
    assert [float(substitution(name)) for name in ("real_delay", "halted_below", "cut_at_latest")] == [
        spec.delay_s,
        spec.quiet_w,
        spec.latest_s,
    ]
    assert float(substitution("heartbeat_every")) == spec.heartbeat_s
    assert int(substitution("heartbeat_limit")) == spec.heartbeat_limit


@pytest.mark.parametrize(
    ("template", "section", "options"),
    [
        (load_template("agent.ini"), "plug", ("delay_switch", "real_delay_switch", "heartbeat_switch")),
        (own_template("outlets", "ESPHome"), "outletParams", ("entity", "reason")),
        (
            own_template("controllers", "ESPHomeDelay"),
            "controllerParams",
            ("delay_switch", "entity", "heartbeat_switch"),
        ),
    ],
    ids=["agent", "outlet", "control"],
)
def test_whoever_uses_it_looks_for_its_names(template: object, section: str, options: tuple[str, ...]) -> None:
    defaults = template.defaults(section)  # type: ignore[attr-defined]
    assert {defaults[option] for option in options} <= names()


def test_no_switch_acts_by_itself_when_the_plug_starts() -> None:
    """The default, ALWAYS_OFF, runs the turn-off action: a real delay switch would cut its own relay."""
    blocks = re.split(r"^  - platform: ", TEXT.split("\nswitch:\n")[1].split("\nscript:\n")[0], flags=re.MULTILINE)
    templates = [block for block in blocks if block.startswith("template")]
    assert len(templates) == 3
    assert all("restore_mode: DISABLED" in block for block in templates)


def test_it_never_starts_anew_for_want_of_company() -> None:
    """ESPHome reboots after 15 minutes without a client or a network; that would drop the load."""
    for part in ("wifi", "api"):
        assert re.search(rf"^{part}:\n(?:  .*\n)*?  reboot_timeout: 0s", TEXT, re.MULTILINE), part


@pytest.mark.parametrize("meter", [True, False], ids=["with a meter", "without"])
def test_esphome_takes_it(tmp_path: Path, meter: bool) -> None:
    beside = Path(sys.executable).with_name("esphome")
    esphome = shutil.which("esphome") or (str(beside) if beside.exists() else "")
    if not esphome:
        pytest.skip("esphome is not installed: it brings a compiler's worth of packages, see campaigns/plug_firmware")
    text = TEXT if meter else WITHOUT_METER.sub(lambda found: f"sensor:\n{found[1].replace('  # ', '')}", TEXT)
    assert ("cse7766" in text) is meter
    (tmp_path / "plug.yaml").write_text(text)
    (tmp_path / "secrets.yaml").write_text(SECRETS)
    result = subprocess.run(
        [esphome, "config", "plug.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Configuration is valid" in result.stdout + result.stderr
