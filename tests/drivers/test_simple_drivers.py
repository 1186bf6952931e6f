"""TCP, Command and Dummy in their three kinds, against real sockets and programs."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ockle.common.clock import LoopClock
from ockle.common.device import Device
from ockle.common.errors import DeviceAnswerError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.common.process import run_program
from ockle.controllers import command as command_control
from ockle.controllers import dummy as dummy_control
from ockle.outlets import command as command_outlet
from ockle.outlets import dummy as dummy_outlet
from ockle.outlets.dummy_with_cpu import DummyWithCPU
from ockle.simulator import virtual_time
from ockle.testers import command as command_test
from ockle.testers import dummy as dummy_test
from ockle.testers.tcp import TCP


def test_tcp_passes_where_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert TCP("tcp", {}, {"host": "127.0.0.1", "port": port}).test()
    closed = TCP("tcp", {}, {"host": "127.0.0.1", "port": port})
    assert not closed.test()
    assert closed.last_error == f"127.0.0.1:{port}: Connection refused"


def test_tcp_fails_at_the_timeout_where_nobody_answers() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        crowd = [socket.socket() for _ in range(4)]  # they fill the backlog, so that the next one gets no answer
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        tester = TCP("tcp", {"timeout": "200ms"}, {"host": "127.0.0.1", "port": port})
        assert not tester.test()
        assert "no answer within 0.2 s" in tester.last_error
        for one in crowd:
            one.close()


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a Python program and return the arguments that run it."""

    def write(text: str) -> list[str]:
        path = tmp_path / f"program{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text, "utf-8")
        return [sys.executable, "-S", str(path)]

    return write


def test_an_outlet_is_switched_by_programs(script: Callable[[str], list[str]], tmp_path: Path) -> None:
    program = script(
        "import sys, pathlib\n"
        "verb, outlet = sys.argv[1:]\n"
        f"file = pathlib.Path({str(tmp_path)!r}) / outlet\n"
        "if verb == 'status': print(file.read_text() if file.exists() else 'OFF', 'since ever')\n"
        "else: file.write_text(verb)\n"
    )
    commands = {f"{verb}_command": [*program, verb, "{outlet}"] for verb in ("on", "off", "status")}
    outlet = command_outlet.Command("relay", commands, {"outlet": "4; rm -rf $HOME"})
    assert outlet.getState() is False
    assert outlet.setState(True)
    assert outlet.getState() is True
    assert outlet.setState(False)
    assert (tmp_path / "4; rm -rf $HOME").read_text("utf-8") == "off"


@pytest.mark.parametrize(
    ("program", "error", "text"),
    [
        ("print('perhaps')", DeviceAnswerError, "says 'perhaps'"),
        ("", DeviceAnswerError, "says ''"),
        ("import sys; sys.exit('no such relay')", DeviceStateError, "ended with 1: no such relay"),
        ("import time; time.sleep(60)", DeviceUnreachable, "not done within 0.3 s"),
        ("while True: print('x' * 1000)", DeviceAnswerError, "more than 64 KiB"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", DeviceStateError, "ended with -15"),
    ],
)
def test_a_status_program_that_goes_wrong_is_no_state(
    script: Callable[[str], list[str]], program: str, error: type[Exception], text: str
) -> None:
    argv = script(program)
    settings = {"on_command": "true", "off_command": "true", "status_command": argv, "timeout": "300ms"}
    if error is not DeviceUnreachable:
        settings["timeout"] = "5s"
    outlet = command_outlet.Command("relay", settings, {"outlet": "1"})
    with pytest.raises(error, match=text):
        outlet.run_sync(outlet.get_state())


def test_a_program_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeviceRefused, match="cannot be started: No such file"):
        asyncio.run(run_program(["/nonexistent/program"], 1))


def test_a_program_is_killed_with_its_children(script: Callable[[str], list[str]], tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    argv = script(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(DeviceUnreachable):
        asyncio.run(run_program(argv, 1.5))
    child = int(pids.read_text("ascii"))
    deadline = time.monotonic() + 10
    while _running(child):
        assert time.monotonic() < deadline, "the child has outlived its parent"
        time.sleep(0.02)


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_child_that_keeps_the_pipes_does_not_keep_us(script: Callable[[str], list[str]]) -> None:
    argv = script(
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(25)'])\n"
        "print('done')\n"
    )
    begun = time.monotonic()
    outcome = asyncio.run(run_program(argv, 10))
    assert (outcome.code, outcome.output) == (0, "done\n")
    assert time.monotonic() - begun < 20


def test_a_program_sees_a_small_environment(
    script: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCKLE_TOKEN", "secret")
    argv = script("import os; print(*sorted(os.environ)); print(os.getcwd())")
    outcome = asyncio.run(run_program(argv, 10, {"EXTRA": "1"}))
    names, folder = outcome.output.splitlines()
    assert "OCKLE_TOKEN" not in names
    assert {"PATH", "LC_ALL", "EXTRA"} <= set(names.split())
    assert folder == "/"


def test_a_control_of_programs_knows_three_answers(script: Callable[[str], list[str]]) -> None:
    status = script("import sys; sys.exit(int(sys.argv[1]))")
    settings = {"off_command": [*status, "{target}"], "status_command": [*status, "{target}"], "down_code": 4}

    def machine(code: int) -> command_control.Command:
        return command_control.Command("fs1", settings, {"target": str(code)})

    assert machine(0).getState() is True
    assert machine(4).getState() is False
    assert machine(1).getState() is None
    up = machine(0)
    up.run_sync(up.shut_down())
    with pytest.raises(DeviceStateError, match="ended with 1"):
        up.run_sync(machine(1).shut_down())
    assert not up.setState(True)


def test_a_test_of_a_program_is_its_exit_status(script: Callable[[str], list[str]]) -> None:
    argv = script("import sys; print('checked', sys.argv[1]); sys.exit(sys.argv[1] != 'good')")
    assert command_test.Command("t", {"command": [*argv, "{target}"]}, {"target": "good"}).test()
    bad = command_test.Command("t", {"command": [*argv, "{target}"]}, {"target": "bad"})
    assert not bad.test()
    assert "ended with 1: checked bad" in bad.last_error


def on_virtual_time(outlet: dummy_outlet.Dummy) -> dummy_outlet.Dummy:
    outlet.device = Device("dummies", clock=LoopClock())
    return outlet


def test_a_dummy_outlet_takes_its_time() -> None:
    outlet = on_virtual_time(dummy_outlet.Dummy("d", {}, {"delay": "10s", "state": True}))

    async def scenario() -> float:
        assert await outlet.get_state() is True
        begun = asyncio.get_running_loop().time()
        await outlet.set_state(False)
        return asyncio.get_running_loop().time() - begun

    assert 10 <= virtual_time.run(scenario()) < 12


@pytest.mark.parametrize(
    ("fault", "error", "closed"),
    [
        ("none", None, True),
        ("stuck", DeviceStateError, False),
        ("silent", DeviceUnreachable, False),
        ("refuse", DeviceRefused, False),
        ("lie", None, False),
    ],
)
def test_a_dummy_outlet_has_faults(fault: str, error: type[Exception] | None, closed: bool) -> None:
    outlet = on_virtual_time(dummy_outlet.Dummy("d", {}, {"fault": fault}))

    async def scenario() -> None:
        if error is None:
            await outlet.set_state(True)
            assert await outlet.get_state() is True
        else:
            with pytest.raises(error):
                await outlet.set_state(True)
        assert outlet.relay.look(outlet.device.clock) is closed

    virtual_time.run(scenario())


def test_dummies_of_one_name_are_one_relay() -> None:
    one, same, other = (dummy_outlet.Dummy("d", {}, {"outlet": name}) for name in ("1", "1", ""))
    one.device = same.device = other.device = Device("pdu")
    assert one.setState(True)
    assert same.getState() is True
    assert other.getState() is False


def test_a_dummy_measures_this_machine() -> None:
    outlet = DummyWithCPU("d")
    data = outlet.run_sync(outlet.measure())
    assert 0 <= data["cpu_percent"] <= 100 * 1000
    assert os.cpu_count()


def test_a_dummy_control_goes_down_in_its_time_and_comes_up_with_power() -> None:
    machine = dummy_control.Dummy("d", {}, {"delay": "5s"})
    machine.device = Device("m", clock=LoopClock())

    async def scenario() -> None:
        await machine.shut_down()
        assert await machine.get_state() is True
        await asyncio.sleep(5)
        assert await machine.get_state() is False
        machine.forget()
        await asyncio.sleep(5)
        assert await machine.get_state() is True
        machine.params["fault"] = "stuck"
        await machine.shut_down()
        await asyncio.sleep(60)
        assert await machine.get_state() is True

    virtual_time.run(scenario())


def test_a_dummy_test_ends_as_told() -> None:
    assert dummy_test.Dummy("t").test()
    assert not dummy_test.Dummy("t", {}, {"succeed": "no"}).test()
