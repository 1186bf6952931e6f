"""The commands that switch, on a site with an outlet in common and with the server that Ockle runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ockle.commands.describe import DescribeCommands
from ockle.commands.orders import OrderCommands
from ockle.common.errors import CommandError
from ockle.MainDaemon import MainDaemon
from own_daemon import running, written

SERVER = """[server]
dependencies = {needs}
outlets = psu
[psu]
pdu = strip
outlet = {outlet}
shared = true
min_off_time = 0s
max_per_minute = 0
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[MainDaemon]:
    """Ockle runs on ``pi``, which needs ``sw``; ``web`` and ``db`` hang on one outlet."""
    files = {
        "config.ini": "[main]\npoll_interval = 200ms\ndaemon_node = pi\n[plugins]\nplugins = TimerPluginExample\n",
        "outlets/strip.ini": "[pdu]\ntype = Dummy\n",
        "servers/sw.ini": SERVER.format(outlet="1", needs=","),
        "servers/pi.ini": SERVER.format(outlet="2", needs="sw"),
        "servers/web.ini": SERVER.format(outlet="3", needs="sw"),
        "servers/db.ini": SERVER.format(outlet="3", needs=","),
    }
    with running(written(tmp_path / "etc", files)) as daemon:
        yield daemon


def refusal(call: object, data: dict[str, object]) -> str:
    with pytest.raises(CommandError) as caught:
        call(data)  # type: ignore[operator]
    assert caught.value.code == "refused"
    return str(caught.value)


def test_what_ockle_runs_on_goes_last_and_only_by_a_confirmed_force(daemon: MainDaemon) -> None:
    orders = OrderCommands(daemon)
    assert daemon.network.turnOnServer("pi")
    assert daemon.network.turnOnServer("web")
    text = refusal(orders.force, {"server": "sw", "state": "off", "confirm": "sw"})
    assert text == "sw: pi, which Ockle runs on, needs it, so it goes last: first turn off db, web"
    text = refusal(orders.switch_outlet, {"server": "pi", "obj": "psu", "state": "off"})
    assert text == "not switched off: Ockle runs on it. Force it"
    assert orders.switch_network({"state": False})["status"].endswith(
        "2 steps; not touched: pi (Ockle runs on it), sw (pi, which Ockle runs on, needs it)"
    )
    assert daemon.network.turnOffServer("web")
    assert refusal(orders.force, {"server": "pi", "state": "off"}).endswith("switches it on again: confirm = 'pi'")
    orders.force({"server": "pi", "state": "off", "confirm": "pi"})
    daemon.network.getServernode("pi").updateOpState()


def test_one_outlet_is_not_switched_under_another_server(daemon: MainDaemon) -> None:
    orders = OrderCommands(daemon)
    assert daemon.network.turnOnServer("db")
    text = refusal(orders.switch_outlet, {"server": "db", "obj": "psu", "state": "off"})
    assert text.startswith("not switched off: its outlet strip outlet 3 also feeds web (OK)")
    assert daemon.network.turnOffServer("db")
    view = DescribeCommands(daemon).server_view({"server": "db"})
    assert view["sameOutlet"] == {"web": "strip outlet 3"}
    dot = DescribeCommands(daemon).server_tree({})["dot"]
    assert '"db" -> "web" [dir=none, style=dotted, label="strip outlet 3"];' in dot
