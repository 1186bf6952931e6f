"""Choices of multi-choice fields, ready for a template; the names are those of the manual.

A *multiListChoices* is section -> option -> choice -> how it is shown: ``selected``, ``doc``, ``refused`` (why it
cannot be chosen), ``link`` and ``known`` (whether it is on offer at all). What is selected comes first, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

Choice = dict[str, Any]
MultiListChoices = dict[str, dict[str, dict[str, Choice]]]
Offers = Mapping[str, Any]
"""Choice -> its documentation, or a dict with ``doc``, ``refused`` and ``link``."""

PLACEHOLDER = "~~name~~"


def _makeMultichoice(
    section: str,
    option: str,
    multiListChoicesCallback: Callable[[], Offers],
    INIFileDict: Mapping[str, Mapping[str, Any]],
    multiListChoices: MultiListChoices | None = None,
    *,
    sorted: bool = False,
    urlPattern: str = "",
) -> MultiListChoices:
    """Return ``multiListChoices`` with the choices of a multilist option.

    ``multiListChoicesCallback``  returns what is on offer
    ``INIFileDict``               section -> option -> list of what is selected, in order
    ``sorted``                    whether what is not selected comes in alphabetical order; else as offered
    ``urlPattern``                link of a choice, in which ``~~name~~`` stands for its name; "" for none
    """
    offers = multiListChoicesCallback()
    listed = INIFileDict.get(section, {}).get(option) or []
    selected = [listed] if isinstance(listed, str) else list(listed)
    others = [name for name in offers if name not in selected]
    if sorted:
        others.sort(key=str.casefold)
    choices = {name: _choice(name, offers, name in selected, urlPattern) for name in [*selected, *others]}
    found = {} if multiListChoices is None else multiListChoices
    found.setdefault(section, {})[option] = choices
    return found


def _makeSelectMulitChoice(
    existingType: str,
    objectType: str,
    item: str,
    getObjectDict: Callable[[], Offers] | Offers,
    multiListChoices: MultiListChoices | None = None,
) -> MultiListChoices:
    """Return ``multiListChoices`` with the choices of an option of which one is selected.

    ``existingType``   what is selected, "" for nothing
    ``objectType``     the section
    ``item``           the option
    ``getObjectDict``  what is on offer, or what returns it
    """
    offers = getObjectDict() if callable(getObjectDict) else getObjectDict
    names = list(offers)
    if existingType and existingType not in offers:
        names.append(existingType)
    found = {} if multiListChoices is None else multiListChoices
    found.setdefault(objectType, {})[item] = {name: _choice(name, offers, name == existingType, "") for name in names}
    return found


def _choice(name: str, offers: Offers, selected: bool, pattern: str) -> Choice:
    offer = offers.get(name, "")
    about: Mapping[str, Any] = offer if isinstance(offer, Mapping) else {"doc": offer}
    link = about.get("link") or (pattern.replace(PLACEHOLDER, quote(name, safe="")) if pattern else "")
    return {
        "selected": selected,
        "doc": str(about.get("doc") or ""),
        "refused": str(about.get("refused") or ""),
        "link": link,
        "known": name in offers,
    }
