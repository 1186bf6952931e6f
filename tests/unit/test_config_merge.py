"""Two changes of one file brought together option by option."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ockle.config.files import parse_ini
from ockle.config.merge import WHOLE, three_way

BASE = "# why\n[server]\ncomment = a\ntags = x\n\n[psu]\npdu = p\noutlet = 1\n"


def merged(mine: str | None, theirs: str | None, **choices: Any) -> Any:
    return three_way("servers/a.ini", BASE, mine, theirs, choices.get("choices"))


def test_what_does_not_collide_is_taken_from_both_with_their_comments() -> None:
    mine = BASE.replace("comment = a", "comment = mine")
    theirs = BASE.replace("# why", "# because").replace("outlet = 1", "outlet = 2\nshared = true")
    outcome = merged(mine, theirs)
    assert outcome.conflicts == []
    assert outcome.text == theirs.replace("comment = a", "comment = mine")
    assert outcome.theirs == [("psu", "outlet"), ("psu", "shared")]


def test_the_same_option_changed_by_both_needs_a_choice() -> None:
    mine, theirs = BASE.replace("tags = x", "tags = m"), BASE.replace("tags = x", "tags = t")
    [conflict] = merged(mine, theirs).conflicts
    assert (conflict.section, conflict.key, conflict.base, conflict.mine, conflict.theirs) == (
        "server",
        "tags",
        "x",
        "m",
        "t",
    )
    assert merged(mine, theirs, choices={("server", "tags"): "mine"}).text == mine
    assert merged(mine, theirs, choices={("server", "tags"): "theirs"}).text == theirs
    assert merged(mine, mine).conflicts == []  # both did the same


def test_a_file_deleted_by_one_and_changed_by_the_other() -> None:
    theirs = BASE.replace("tags = x", "tags = t")
    [conflict] = merged(None, theirs).conflicts
    assert (conflict.section, conflict.key) == WHOLE
    assert "tags" not in str(conflict)
    assert merged(None, theirs, choices={WHOLE: "mine"}).text is None
    assert merged(theirs, None, choices={WHOLE: "mine"}).text == theirs
    assert merged(BASE, None).text is None  # mine has not changed it


def test_a_file_that_somebody_broke_collides_as_a_whole() -> None:
    mine = BASE.replace("tags = x", "tags = m")
    [conflict] = merged(mine, "[server\npassword = hidden\n").conflicts
    assert (conflict.section, conflict.key) == WHOLE
    assert "hidden" not in str(conflict)
    assert merged(mine, "[server\n", choices={WHOLE: "mine"}).text == mine


FILES = st.dictionaries(
    st.sampled_from(["server", "psu", "ssh"]),
    st.dictionaries(st.sampled_from(["one", "two", "three"]), st.sampled_from(["x", "y", "z"])),
)


def written(content: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
        for section, options in content.items()
    )


@given(FILES, FILES, FILES)
def test_merging_loses_nobodys_change(base: Any, mine: Any, theirs: Any) -> None:
    outcome = three_way("f", written(base), written(mine), written(theirs))
    got = parse_ini(outcome.text or "", "f").dict()
    collide = {(conflict.section, conflict.key) for conflict in outcome.conflicts}
    for section in ("server", "psu", "ssh"):
        for key in ("one", "two", "three"):
            was, own, other = (side.get(section, {}).get(key) for side in (base, mine, theirs))
            result = got.get(section, {}).get(key)
            if was not in (own, other) and own != other:
                assert (section, key) in collide
                assert result == other
            elif own != was:
                assert result == own
            elif section in got or other is None:
                assert result == other
