"""The picture of a plan: well-formed whatever the names are, nothing cut off, bars where the times say."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli_site import cli_site
from ockle.cli.plan_svg import CHART, draw

SVG = "{http://www.w3.org/2000/svg}"
NAMES = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=64)
STEPS = st.lists(st.tuples(NAMES, st.floats(0, 1e5), st.floats(0, 1e5), st.booleans()), max_size=30)


def plan(steps: list[tuple[str, float, float, bool]]) -> dict[str, Any]:
    return {
        "action": "on",
        "total_s": max((start + seconds for _, start, seconds, _ in steps), default=0.0),
        "steps": [
            {"server": name, "action": "on", "needs": [name], "start_s": start, "eta_s": seconds, "critical": critical}
            for name, start, seconds, critical in steps
        ],
    }


@given(STEPS)
def test_every_step_has_a_bar_within_the_picture(steps: list[tuple[str, float, float, bool]]) -> None:
    root = ET.fromstring(draw(plan(steps)))
    width = float(root.attrib["width"])
    bars = [one for one in root.iter(f"{SVG}rect") if one.attrib.get("class", "").startswith("bar")]
    assert len(bars) == len(steps)
    for bar, (_, _, _, critical) in zip(bars, steps, strict=True):
        assert 0 <= float(bar.attrib["x"]) <= width
        assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width
        assert ("critical" in bar.attrib["class"]) is critical


def test_bars_stand_where_their_times_say() -> None:
    root = ET.fromstring(draw(plan([("a", 0.0, 30.0, True), ("b", 30.0, 10.0, False)])))
    first, second = (one for one in root.iter(f"{SVG}rect") if "class" in one.attrib)
    assert float(first.attrib["width"]) == CHART * 0.75
    assert float(second.attrib["x"]) == float(first.attrib["x"]) + CHART * 0.75
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"a on", "b on", "30 s · critical", "10 s", "0:00", "0:40"} <= set(texts)


def test_the_command_writes_it_and_says_when_it_cannot(tmp_path: Path) -> None:
    with cli_site() as site:
        target = tmp_path / "plan.svg"
        assert site.run("plan", "on", "web1", "--svg", str(target)).code == 0
        assert "web1 on" in target.read_text()
        refused = site.run("plan", "on", "web1", "--svg", str(tmp_path / "no" / "plan.svg"))
        assert refused.code == 1
        assert "cannot write the picture" in refused.err
