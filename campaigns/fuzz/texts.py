"""Targets that a person, or a form, writes: INI files, whole sites, values of options, ranges of hosts."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ockle.common.errors import ConfigError
from ockle.common.hostranges import MAX_LETTERS, MAX_NAMES, expand, fold
from ockle.config.faults import one_line
from ockle.config.files import parse_ini, render_ini
from ockle.config.templates import TYPED, Option, driver_template, load_template, plugin_template, type_names
from ockle.networkTree.ServerNetworkFactory import check

from .target import Target


def ini_files(data: bytes) -> None:
    """An INI file is refused with its faults, or written again it is the same."""
    try:
        ini = parse_ini(data.decode("utf-8", "replace"), "fuzz.ini")
    except ConfigError as error:
        assert error.faults and all(line == one_line(line) for line in error.faults)
        return
    try:
        text = render_ini(ini)
    except ConfigError:  # two kinds of quotes in one value
        return
    again = parse_ini(text, "fuzz.ini")
    assert again == ini, (again, ini)


_HEAD = re.compile(rb"^=== (config\.ini|(?:outlets|controllers|testers|servers)/[^/\0\n]{1,60}\.ini)\n", re.MULTILINE)
_FOLDER = tempfile.TemporaryDirectory(prefix="ockle-fuzz-")


def sites(data: bytes) -> None:
    """The check of a whole site ends with faults, or with a network that can be built; never in a traceback."""
    etc = Path(_FOLDER.name) / "etc"
    shutil.rmtree(etc, ignore_errors=True)
    for folder in ("outlets", "controllers", "testers", "servers"):
        (etc / folder).mkdir(parents=True)
    parts = _HEAD.split(data)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        (etc / name.decode("utf-8", "surrogateescape")).write_bytes(text)
    faults, warnings = check(etc)
    for line in (*map(str, faults), *warnings):
        assert line == one_line(line) and len(line) < 10_000, line


_SITE = b"""=== config.ini
[main]
poll_interval = 1s
[plugins]
plugins = AutoControl, SocketListener
[plugins.SocketListener]
port = 0
=== outlets/pdu.ini
[pdu]
type = Raritan
host = 127.0.0.1
community = ${env:OCKLE_COMMUNITY}
=== controllers/ssh.ini
[controller]
type = SSHController
user = root
=== testers/tcp.ini
[tester]
type = TCP
=== servers/nas.ini
[server]
outlets = psu1
controls = ssh
tests = tcp
[psu1]
pdu = pdu
outlet = 3
[ssh]
controller = ssh
host = nas
[tcp]
tester = tcp
host = nas
port = 22
=== servers/web.ini
[server]
dependencies = nas
outlets = psu1, psu2
boot_timeout = 5m
[psu1]
pdu = pdu
outlet = 1
[psu2]
pdu = pdu
outlet = 2
"""


def _options() -> Iterator[Option]:
    """Yield one option of each kind: type and arguments."""
    templates = [load_template("config.ini"), load_template("serverNodes.ini")]
    templates += [driver_template(kind, name) for kind in TYPED for name in type_names(kind)]
    templates += [plugin_template(name) for name in type_names("plugins")]
    found = {
        (option.type, repr(option.args)): option
        for template in templates
        for options in template.sections.values()
        for option in options.values()
    }
    yield from found.values()


_OPTIONS = tuple(_options())


def option_values(data: bytes) -> None:
    """A value is refused with a ValueError, or its own text gives it again."""
    if not data:
        return
    option = _OPTIONS[data[0] % len(_OPTIONS)]
    text = data[1:].decode("utf-8", "replace")
    for raw in (text, text.split(",")):
        try:
            value = option.kind.parse(raw, option)
        except ValueError as error:
            assert str(error)
            continue
        if option.type != "secret":  # which does not show itself
            again = option.kind.parse(option.kind.format(value), option)
            assert again == value, (option.type, raw, value, again)


def host_ranges(data: bytes) -> None:
    """A text is refused with a ValueError, or means no more names than the limit, which folded mean the same."""
    try:
        names = expand(data.decode("utf-8", "replace"))
    except ValueError as error:
        assert len(str(error)) < 500
        return
    assert len(names) <= MAX_NAMES
    assert sum(map(len, names)) <= MAX_LETTERS
    if len(names) <= 1000:
        assert sorted(expand(fold(names))) == sorted(names)


TARGETS = {
    "ini_files": Target(
        ini_files,
        (
            _SITE.replace(b"=== ", b"# "),
            b'[a] # b\nkey = "x, y", \'z\', # c\nlong = """one\ntwo"""\n',
            b"\xef\xbb\xbf[pdu]\r\ntype = Dummy\r\n",
        ),
    ),
    "sites": Target(sites, (_SITE,), most=8192, small=False),
    "option_values": Target(option_values, tuple(bytes([n]) + b"1-8" for n in range(len(_OPTIONS))), most=256),
    "host_ranges": Target(host_ranges, (b"web[1-4],pi[01-16] n[1,4-5] pdu-[a-b]", b"a[1-9]b[1-9]"), most=256),
}
