"""Every text that a person reads on a page goes through ``_``: the English text is the key of the catalogue.

The catalogue's template is ``locale/ockle.pot``, which ``make docs`` writes. A translation made from it lies in
``LANGUAGE/LC_MESSAGES/ockle.mo`` below ``locale`` here, or below ``locale`` of the configuration's folder.
"""

from __future__ import annotations

import gettext
import json
from pathlib import Path

DOMAIN = "ockle"
LOCALES = Path(__file__).parent / "locale"

_catalogue = gettext.NullTranslations()
_language = "en"


def use(wanted: str, *folders: Path) -> bool:
    """Use the language ``wanted`` for all pages, from the first folder that has it; False when none has.

    ``wanted``  such as ``de`` or ``pt_BR``; "" for English
    """
    global _catalogue, _language
    _catalogue, _language = gettext.NullTranslations(), "en"
    for folder in (*folders, LOCALES) if wanted else ():
        if gettext.find(DOMAIN, folder, [wanted]):
            _catalogue, _language = gettext.translation(DOMAIN, folder, [wanted]), wanted
            return True
    return not wanted


def _(text: str) -> str:
    """Return ``text`` in the language of the GUI."""
    return _catalogue.gettext(text)


def language() -> str:
    """Return the language in use, as pages name it: ``en``, ``pt-BR``."""
    return _language.replace("_", "-")


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Return ``text`` as it is: it belongs into the catalogue, and is translated where it is shown."""
    return text


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form for ``count`` of a text; it may hold ``{}`` for the number."""
    return _catalogue.ngettext(one, many, count).format(count)


SCRIPT_TEXTS = (
    N_("connected"),
    N_("no connection"),
    N_("What you see is {} s old. Nothing can be switched."),
    N_("and {} more"),
    N_("Power-up"),
    N_("Shutdown"),
    N_("Restart"),
    N_("Cut of power"),
    N_("{} is about to begin"),
    N_("{} {}/{}, {} left"),
    N_("system"),
    N_("light"),
    N_("dark"),
    N_("open, the worst: {}"),
)
"""What the scripts of the pages say."""


def script_texts(*more: str) -> str:
    """Return the translations of SCRIPT_TEXTS and ``more`` as JSON, "" where there are none."""
    found = {text: translated for text in (*SCRIPT_TEXTS, *more) if (translated := _(text)) != text}
    return json.dumps(found, ensure_ascii=False) if found else ""
