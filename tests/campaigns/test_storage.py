"""Short form of ``campaigns.storage``: a few of its failing calls, changed bytes and power cuts."""

from __future__ import annotations

import pytest
from campaigns.storage import __main__ as storage

from peers import peer


@pytest.mark.slow
@pytest.mark.peer
def test_what_was_promised_is_there_or_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    peer("strace")
    assert storage.main(["--runs", "5", "--cuts", "15", "--seed", "7"]) == 0, capsys.readouterr().out
