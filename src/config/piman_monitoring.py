"""piman's monitoring.config, and what its options are called here. Text in, options out.

Source: monitoring.config and monitoring_client.py of SJSU's piman: section [DEFAULT], figures beyond a threshold when
they are greater, 10 s for an answer, a round every ``timeout`` seconds.
"""

from __future__ import annotations

import configparser
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..common.errors import ConfigError

URL: Final = "http://{host}:3000/event/"
ANSWER_S: Final = 10.0
FIGURES: Final[Mapping[str, tuple[str, float]]] = {
    "cpu_threshold": ("cpu_percent", 50.0),
    "mem_threshold": ("memory_percent", 70.0),
    "disk_threshold": ("disk_percent", 50.0),
    "pids_threshold": ("num_pids", 100.0),
    "temperature_threshold": ("temp", 85.0),
}
"""Option -> the figure that it limits, and what it is when it is left out."""
ROUND_S: Final = 300.0
CHANNELS: Final = ("slack", "discord")
"""Options that are the URL of a webhook."""


@dataclass(frozen=True, slots=True)
class PimanMonitoring:
    """``limits``: figure -> threshold; ``webhooks``: slack, discord -> URL, as far as there is one."""

    round_s: float
    limits: Mapping[str, float]
    webhooks: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    def monitor(self) -> dict[str, str | list[str]]:
        """Return the options of etc/monitors/NAME.ini that mean the same. A Pi is missing at its second silence."""
        every = f"{self.round_s:g}s"
        return {
            "comment": "the Raspberry Pis of piman",
            "boards": "true",
            "url": URL,
            "interval": every,
            "timeout": f"{min(ANSWER_S, self.round_s):g}s",
            "missing_after": every,
            "limits": [f"{figure} > {threshold:g}" for figure, threshold in self.limits.items()],
        }


def parse_monitoring(text: str, name: str = "monitoring.config") -> PimanMonitoring:
    """Return what the file says. Raises ConfigError with every fault."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text, name)
    except configparser.MissingSectionHeaderError as error:
        raise ConfigError(f"{name}: line {error.lineno}: stands before the first [section]") from None
    except configparser.ParsingError as error:  # the line itself may be a webhook's, which is secret
        raise ConfigError(f"{name}: line {error.errors[0][0]}: neither a [section] nor `option = value`") from None
    found = {key: value.strip() for key, value in parser.defaults().items()}
    faults: list[str] = []

    def number(key: str, default: float, least: float) -> float:
        try:
            value = float(found.pop(key, default))
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            faults.append(f"{name}: {key} is not a number from {least:g}")
        return value

    round_s = number("timeout", ROUND_S, 1)
    limits = {figure: number(key, default, 0) for key, (figure, default) in FIGURES.items()}
    webhooks = {key: url for key in CHANNELS if (url := found.pop(key, ""))}
    for key, url in webhooks.items():
        if not url.startswith(("http://", "https://")):
            faults.append(f"{name}: {key} is not the URL of a webhook")
    if faults:
        raise ConfigError(*faults)
    return PimanMonitoring(round_s, limits, webhooks, tuple(found))
