"""Types of options that are texts: free ones, secrets, and those of a certain form."""

from __future__ import annotations

import ipaddress
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from typing_extensions import override

from ..common.mac import normalised
from .option_type import OptionType, register, text_of
from .references import Secret

if TYPE_CHECKING:
    from .templates import Option


@register("string")
class String(OptionType):
    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = text_of(raw)
        if "\0" in text:
            raise ValueError("contains a NUL character")
        return text

    @override
    def describe(self, option: Option) -> str:
        return "a text"


@register("text")
class Text(String):
    """A string that does not say which outlet it is, only how it is treated."""

    addresses = False


@register("secret")
class SecretText(OptionType):
    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        return raw if isinstance(raw, Secret) else Secret(text_of(raw))

    @override
    def format(self, value: Any) -> str:
        return str(value.source)

    @override
    def describe(self, option: Option) -> str:
        return "a secret, best as ${file:path} or ${env:NAME}"


_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


@register("host")
class Host(OptionType):
    """A name (RFC 1123, underscores allowed as in many local zones) or an address; IPv6 may carry a zone."""

    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = text_of(raw).strip()
        if not text:
            return self._empty(option)
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            labels = text.removesuffix(".").split(".")
            if len(text) > 253 or labels[-1].isdigit() or not all(_HOST_LABEL.fullmatch(label) for label in labels):
                raise ValueError("not a host") from None
            return text

    @staticmethod
    def _empty(option: Option) -> str:
        # Empty is allowed exactly where the template itself leaves the host empty.
        if option.default != "":
            raise ValueError("is empty")
        return ""

    @override
    def describe(self, option: Option) -> str:
        return "a host name, an IPv4 or an IPv6 address"


@register("mac")
class Mac(OptionType):
    """Normalised to ``aa:bb:cc:dd:ee:ff``."""

    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = text_of(raw).strip()
        return "" if text == option.default == "" else normalised(text)

    @override
    def describe(self, option: Option) -> str:
        return "a MAC address such as b8:27:eb:01:02:03"


@register("command")
class Command(OptionType):
    """An argument list, run without a shell; a text is split the way a shell would, a list is taken as it is."""

    textual = True
    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        if isinstance(raw, (list, tuple)):
            parts = [text_of(item) for item in raw]
            if len(parts) > 1 and " " in parts[0]:
                # `pdu set 1,2` arrives as ["pdu set 1", "2"]: what was meant cannot be known.
                raise ValueError("mixes commas and spaces; put the whole command into quotes")
        else:
            try:
                parts = shlex.split(text_of(raw))
            except ValueError:
                raise ValueError("has a quote that is not closed") from None
        if any("\0" in part for part in parts):
            raise ValueError("contains a NUL character")
        return parts

    @override
    def format(self, value: Any) -> str:
        return shlex.join(value)

    @override
    def describe(self, option: Option) -> str:
        return "a command with its arguments (no shell: pipes and wildcards mean nothing)"


@register("path")
class FilePath(String):
    """A file or folder; a relative one starts at etc, ``~`` is the home folder. The check makes it absolute."""

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = super().parse(raw, option)
        try:
            Path(text).expanduser()
        except RuntimeError:
            raise ValueError("no home folder is known for its ~") from None
        return text

    @override
    def describe(self, option: Option) -> str:
        return "a path; a relative one starts at the configuration folder"


@register("url")
class Url(OptionType):
    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = text_of(raw).strip()
        if text == option.default == "":
            return ""
        try:
            parts = urlsplit(text)
            complete = bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            complete = False
        if not complete or not text.isprintable() or " " in text:
            raise ValueError("not a URL")
        return text

    @override
    def describe(self, option: Option) -> str:
        return "a URL such as http://host:3000/path"


@register("topic")
class Topic(OptionType):
    """What MQTT topics begin with (MQTT 3.1.1, section 4.7): no wildcard, and none that belongs to the broker."""

    textual = True
    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = text_of(raw).strip()
        if not text.isprintable() or any(letter in "+#" for letter in text) or text.startswith("$"):
            raise ValueError("has a +, a #, a control character, or a $ at its start")
        if not all(text.split("/")) or len(text.encode()) > 200:
            raise ValueError("is empty or too long, or has a slash at an end, or two in a row")
        return text

    @override
    def describe(self, option: Option) -> str:
        return "the beginning of MQTT topics such as ockle or home/ockle"
