"""The body of a webhook from a text with ``{title}`` and such in it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote_plus

from ..common.alert_message import AlertMessage
from ..common.problems import Severity

EXAMPLE = AlertMessage("id", "test", Severity.INFO, 'a "title"', ("a line",))
"""For a look whether a template makes sense."""

_FIELD = re.compile(r"\{([a-z]+)\}")


def fields_of(message: AlertMessage) -> dict[str, str]:
    """Return what may stand in a template, as text; ``text``: title and lines together."""
    return {
        "id": message.id,
        "kind": message.kind,
        "severity": message.severity.value,
        "title": message.title,
        "lines": "\n".join(message.lines),
        "text": "\n".join((message.title, *message.lines)),
        "at": f"{message.at:.0f}",
        "time": datetime.fromtimestamp(message.at, UTC).isoformat(timespec="seconds"),
        "alert": str(message.alert),
        "subject": message.subject,
        "about": message.about,
        "servers": ", ".join(message.servers),
        "site": message.site,
        "url": message.url,
    }


def unknown_fields(template: str) -> list[str]:
    """Return what stands in braces like a field and is none."""
    known = fields_of(EXAMPLE)
    return [name for name in _FIELD.findall(template) if name not in known]


def filled(template: str, message: AlertMessage, content_type: str) -> str:
    """Return the template with its fields in the place of their names, written as the content type wants it."""
    fields, escape = fields_of(message), _escape(content_type)
    return _FIELD.sub(lambda match: escape(fields[match[1]]) if match[1] in fields else match[0], template)


def is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _escape(content_type: str) -> Callable[[str], str]:
    if is_json(content_type):
        return lambda text: json.dumps(text)[1:-1]
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return quote_plus
    return lambda text: text
