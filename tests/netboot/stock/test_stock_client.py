"""A stock PC, with nothing but its network card's iPXE, boots from our servers, and only its own word makes it OK."""

from __future__ import annotations

from pathlib import Path

import pytest

from netboot_stock import SYSTEM_RUNS, stock_site

ORDER = [
    "asks for an address",
    "has an address",
    "loads boot files",
    "was told to format",
    "is installed",
    "has booted",
]


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_bare_machine_installs_itself_and_what_needs_it_starts_after_its_word(tmp_path: Path) -> None:
    with stock_site(tmp_path, "board") as stock:
        run = stock.ended(stock.order("on", "after"))
        assert {step["server"]: step["state"] for step in run["steps"]} == {"board": "done", "after": "done"}
        assert stock.states() == {"board": "OK", "after": "OK"}
        console = stock.until(
            "in its own system", lambda: SYSTEM_RUNS in (said := stock.machines["board"].said()) and said
        )
        assert "IS_FORMATTED" in console

        events = stock.call("events")["events"]
        stages = [one["text"].removeprefix("board: ") for one in events if one["kind"] == "netboot"]
        assert [text for text in stages if text in ORDER] == [text for text in ORDER if text in stages]
        assert {"was told to format", "is installed", "has booted"} <= set(stages)

        def place(kind: str, text: str) -> int:
            return next(at for at, one in enumerate(events) if one["kind"] == kind and text in one["text"])

        booted, ok = place("netboot", "has booted"), place("state", "board: OK")
        began = place("state", "after: Switching on")
        assert booted < ok < began
        assert not [one for one in events[:ok] if one["kind"] == "outlet" and "after" in one["text"]]

        # its power is its process: cut, it is off, and so is what needs it
        stock.ended(stock.order("off", "board"))
        assert stock.states() == {"board": "OFF", "after": "OFF"}
        assert not stock.machines["board"].pid_file.exists()
