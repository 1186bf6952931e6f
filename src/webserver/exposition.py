"""Metrics as text, as Prometheus reads them: its own format 0.0.4, and OpenMetrics 1.0.0.

Sources: Prometheus' document "Exposition formats", and the specification of OpenMetrics.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

CLASSIC = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Family = Mapping[str, Any]
"""As ``getMetrics`` has it: name, type, help, samples; of a stateset also states."""


def classic(families: Iterable[Family], *, all_states: bool = True) -> str:
    """Return ``families`` in the format 0.0.4. ``all_states``: of a stateset also what is 0."""
    lines: list[str] = []
    for family in families:
        counter = family["type"] == "counter"
        name = family["name"] + "_total" if counter else family["name"]
        lines += [f"# HELP {name} {_help(family['help'])}", f"# TYPE {name} {_type(family)}"]
        lines += _samples(family, all_states)
    return "\n".join([*lines, ""])


def openmetrics(families: Iterable[Family], *, all_states: bool = True) -> str:
    """Return ``families`` as OpenMetrics."""
    lines: list[str] = []
    for family in families:
        name = family["name"]
        text = _help(family["help"]).replace('"', '\\"')
        lines += [f"# TYPE {name} {_type(family)}", f"# HELP {name} {text}", *_samples(family, all_states)]
    return "\n".join([*lines, "# EOF", ""])


def _type(family: Family) -> str:
    # a stateset of OpenMetrics has to call its label as itself; people look for one called "state"
    return "gauge" if family["type"] == "stateset" else str(family["type"])


def _samples(family: Family, all_states: bool) -> Iterator[str]:
    name = family["name"]
    for suffix, labels, value in family["samples"]:
        if all_states and family["type"] == "stateset":
            before = "".join(f'{key}="{_label(text)}",' for key, text in labels.items() if key != "state")
            for state in family["states"]:
                yield f'{name}{{{before}state="{_label(state)}"}} {int(state == labels["state"])}'
        elif labels:
            inside = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
            yield f"{name}{suffix}{{{inside}}} {_number(value)}"
        else:
            yield f"{name}{suffix} {_number(value)}"


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _label(text: object) -> str:
    return str(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float | None) -> str:
    if value is None:  # JSON has no other way to say it
        return "NaN"
    if math.isfinite(value):
        return str(int(value) if isinstance(value, bool) else value)  # a plugin may say that something is so
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
