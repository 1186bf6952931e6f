"""Every text that a person reads on a page goes through ``_``: the English text is the key of the catalogue."""

from __future__ import annotations

import gettext
from pathlib import Path

DOMAIN = "ockle"
LOCALES = Path(__file__).parent / "locale"

_catalogue = gettext.NullTranslations()


def use(languages: list[str]) -> None:
    """Use the first of ``languages`` that there is a catalogue for; English otherwise."""
    global _catalogue  # noqa: PLW0603 - one language per process, chosen once at the start
    _catalogue = gettext.translation(DOMAIN, LOCALES, languages, fallback=True)


def _(text: str) -> str:
    """Return ``text`` in the language of the GUI."""
    return _catalogue.gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form for ``count`` of a text; it may hold ``{}`` for the number."""
    return _catalogue.ngettext(one, many, count).format(count)
