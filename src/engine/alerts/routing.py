"""Which messages go to a channel, and when. Pure."""

from __future__ import annotations

from ...common.alert_message import AlertMessage
from ...common.problems import Severity
from ...config.channels import Rules


def subject_of(channel: str) -> str:
    """Return the subject of a problem that a channel has itself."""
    return f"channel/{channel}"


def wanted(message: AlertMessage, channel: str, rules: Rules, servers: frozenset[str]) -> bool:
    """Tell whether a message is for a channel; ``servers``: those that its selectors name.

    What a channel itself has for a problem never goes through it: it could not arrive, and might make another one.
    """
    return (
        rules.enabled
        and message.subject != subject_of(channel)
        and message.severity.rank >= rules.severity.rank
        and (not rules.kinds or not message.about or message.about in rules.kinds)
        and (not rules.servers or not servers.isdisjoint(message.servers))
    )


def quiet_until(rules: Rules, severity: Severity, at: float) -> float | None:
    """Return until when a message of this severity has to wait at ``at``, None if it may go."""
    through = rules.through_quiet
    return None if through is not None and severity.rank >= through.rank else rules.quiet.until(at)
