"""Plugins of other packages: one that works, one that cannot be made, one that dies; none of them harms the daemon."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from e2e import PATIENCE_S, chain, site

pytestmark = pytest.mark.slow

PLUGINS = '''
from ockle.plugins.ModuleTemplate import ModuleTemplate


class Greeter(ModuleTemplate):
    """Says hello."""

    TEMPLATE = """
# Says hello.

[plugins.Greeter]
# Whom to greet.
whom = ["string", "world"]
# How often.
times = ["int", 2, 1, 9]
"""

    def __init__(self, MainDaemon):
        super().__init__(MainDaemon)
        MainDaemon.communicationHandler.AddCommandToList("greet", self.greet)

    def greet(self, dataDict):
        return {"text": " ".join(["hello"] * self.getConfigInt("times")) + " " + self.getConfigVar("whom")}

    def run(self):
        self.debug(f"{len(list(self.mainDaemon.network))} servers")


class Stillborn(ModuleTemplate):
    """Cannot be made."""

    TEMPLATE = "[plugins.Stillborn]"

    def __init__(self, MainDaemon):
        raise ZeroDivisionError("stillborn")


class Mortal(ModuleTemplate):
    """Dies."""

    TEMPLATE = "[plugins.Mortal]"

    def run(self):
        raise RuntimeError("mortal")


class Deaf(ModuleTemplate):
    """Does not stop when it is asked to."""

    TEMPLATE = "[plugins.Deaf]"

    def run(self):
        import threading
        threading.Event().wait()
'''
OWN = "CoreCommunicationCommands, AutoControl, SocketListener, TimerPluginExample"


def package(folder: Path) -> dict[str, str]:
    """Install the plugins into ``folder``, as pip would, and return the environment in which they are found."""
    folder.mkdir()
    (folder / "greeting.py").write_text(PLUGINS)
    (folder / "broken_greeting.py").write_text("import no_such_module_anywhere\n")
    info = folder / "greeting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    points = [f"{name} = greeting:{name}" for name in ("Greeter", "Stillborn", "Mortal", "Deaf")]
    points.append("Ghost = broken_greeting:Ghost")
    (info / "entry_points.txt").write_text("\n".join(["[ockle.plugins]", *points]) + "\n")
    return {"PYTHONPATH": ":".join([str(folder), *filter(None, sys.path)])}


def test_plugins_of_other_packages_work_and_those_that_fail_harm_nobody(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    quick = {
        "TimerPluginExample": {"interval": "50ms", "message": "tick from the example"},
        "Greeter": {"whom": "Ockle"},
    }
    with site(spec, tmp_path, start=False, plugins=quick, main={"log_level": "DEBUG"}) as made:
        environment = package(tmp_path / "site-packages")
        made.edit("config.ini", "plugins", plugins=f"Stillborn, {OWN}, Greeter, Mortal, Deaf")
        made.start(environment=environment)
        assert made.call("greet") == {"text": "hello hello Ockle"}
        made.daemon.said("Greeter: 2 servers")
        made.daemon.said("tick from the example")
        made.event("plugin", "Stillborn cannot be loaded: ZeroDivisionError: stillborn")
        made.event("plugin", "Mortal ended: RuntimeError: mortal")
        made.daemon.said("ERROR.*Stillborn cannot be loaded")
        made.daemon.said("ERROR.*plugin Mortal ended")
        states = made.call("about")["plugins"]
        assert {name for name, failure in states.items() if failure} == {"Stillborn", "Mortal"}
        assert "Greeter" in made.call("getAvailablePluginsList")
        made.switch("on", "all")
        made.switch("off", "all")
        assert made.daemon.stop() == 0  # Deaf is waited for, but not for ever
        assert "plugin Deaf does not stop" in made.daemon.log


def test_plugins_come_and_go_with_a_reload(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path, start=False) as made:
        environment = package(tmp_path / "site-packages")
        made.start(environment=environment)
        assert made.cli("command", "greet").code == 2  # not enabled
        listed = "CoreCommunicationCommands, AutoControl, SocketListener, Greeter"
        made.edit("config.ini", "plugins", plugins=listed)
        made.daemon.process.send_signal(signal.SIGHUP)
        made.until("reloaded", lambda: "Greeter" in made.call("about")["plugins"])
        assert made.call("greet")["text"] == "hello hello world"
        made.edit("config.ini", "plugins.Greeter", whom="all")
        made.call("reload")
        assert made.call("greet")["text"] == "hello hello all"


def test_an_entry_point_that_cannot_be_imported_is_a_warning_or_a_fault_where_it_is_used(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path, start=False) as made:
        environment = package(tmp_path / "site-packages")
        daemon = made.start(environment=environment)
        assert "warning: plugins: entry point Ghost" in daemon.log
        made.edit("config.ini", "plugins", plugins=f"{OWN}, Ghost")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.said(r"not reloaded: config\.ini \[plugins\] plugins = 'Ghost': unknown plugin", timeout=PATIENCE_S)
        assert made.states()["one"] in ("Not started", "OFF")
