"""The model in a few seconds; ``python -m campaigns.model`` explores the whole."""

from __future__ import annotations

import pytest
from campaigns.model.configurations import QUICK
from campaigns.model.daemon import Model
from campaigns.model.explore import Explorer
from campaigns.model.state import Configuration, Rules


@pytest.mark.parametrize("configuration", QUICK, ids=lambda one: one.name)
def test_no_way_breaks_an_invariant_and_all_ways_end_well(configuration: Configuration) -> None:
    result = Explorer(Model(configuration, Rules())).run()
    assert result.findings == [], "\n".join(str(one) for one in result.findings)
    assert result.complete
    assert result.rests > 0


def test_a_finding_is_told_with_the_shortest_way_there() -> None:
    result = Explorer(Model(QUICK[3], Rules(recheck_on=False))).run()
    [finding] = result.findings
    assert finding.what.startswith("I1: on while a, which it needs")
    assert "an operator" in str(finding)
    assert str(finding).count("\n") == len(finding.trace)
