"""``ockle piman config``: piman's configuration becomes a site of Ockle."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from ..common.errors import ConfigError
from ..config.atomic import write_atomic
from ..config.edits import Edits
from ..config.piman_monitoring import PimanMonitoring
from ..netboot.hosts import parse_hosts
from ..netboot.piman import BOOT, PimanConfig, read_piman
from .codes import OK, CliError
from .output import safe, say, tell
from .piman_monitoring import CONFIG as MONITORING
from .piman_monitoring import read_monitoring

FAILED = 1
LEASE = "10m"
USUAL = ["SocketListener", "CoreCommunicationCommands", "EditingCommunicationCommands", "AutoControl", "Logger"]
"""The plugins of a site that lists none yet."""


def import_site(args: argparse.Namespace, name: str, config: str, hosts: str) -> int:
    """Write NetBoot's section, a PDU for each switch and hosts.csv into the configuration folder, and tell so.

    What is there already stays: a file that says otherwise is named, and nothing is written.
    Raises ConfigError, CliError.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise CliError(f"NAME is {safe(name)!r}: letters, digits, dots, dashes and underlines are needed", FAILED)
    piman, rows = read_piman(Path(config)), _hosts(Path(hosts))
    alerts = Path(config).with_name(MONITORING)
    watched = read_monitoring(alerts) if alerts.exists() else None
    etc = Path(args.etc or "etc")
    etc.mkdir(parents=True, exist_ok=True)
    files = _files(etc, name, piman, Path(config).resolve().parent, watched) | {"hosts.csv": rows}
    for file, text in files.items():
        path = etc / file
        if file != "config.ini" and path.exists() and path.read_text("utf-8") != text:
            raise CliError(f"{path} is there already and says otherwise: move it away, or use another --etc", FAILED)
    for file, text in files.items():
        write_atomic(etc / file, text or "")
        say(f"{etc / file}: {_what(file, piman, rows)}")
    for key in (*piman.left_out, *(watched.left_out if watched else ())):
        tell(f"{config}: {safe(key)} was not taken over")
    if piman.subnet_mask:
        tell(f"{config}: subnet_mask is that of the interface {safe(piman.interface)}, wherever it is served")
    say("Start it with: ockle daemon. Open the GUI for editing: ockle web, then Settings and Netboot.")
    return OK


def _hosts(path: Path) -> str:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", FAILED) from error
    problems = parse_hosts(text).problems
    if problems:
        raise ConfigError(*(f"{path}, {problem}" for problem in problems))
    return text


def _files(
    etc: Path, name: str, piman: PimanConfig, folder: Path, watched: PimanMonitoring | None
) -> dict[str, str | None]:
    """Return the files as they would be: config.ini with the boot server in it, each switch, and who is alerted."""
    edits = Edits(etc)
    listed = edits.parsed("config.ini").get("plugins", {}).get("plugins") or USUAL
    listed = [listed] if isinstance(listed, str) else list(listed)
    options = {"interface": piman.interface, "address": str(piman.server_address), "dhcp_lease": LEASE}
    if (folder / BOOT).is_dir():
        options |= {"root": str(folder / BOOT), "images": str(folder / BOOT)}
    wanted = ["NetBoot", *(["Monitoring", "Alerts"] if watched else [])]
    plugins = {"plugins": [*listed, *(plugin for plugin in wanted if plugin not in listed)]}
    files = dict(edits.change("config.ini", {"plugins": plugins, "plugins.NetBoot": options}))
    read, write = piman.communities
    for number, switch in enumerate(piman.switches, 1):
        pdu = name if len(piman.switches) == 1 else f"{name}-{number}"
        access = {"type": "PoE", "host": switch, "version": "1", "community": read, "write_community": write}
        files |= edits.replace(f"outlets/{pdu}.ini", {"pdu": access})
    if watched is not None:
        files |= edits.replace("monitors/piman.ini", {"monitor": watched.monitor()})
        for channel, url in watched.webhooks.items():
            options = {"type": channel.capitalize(), "url": url}
            files |= edits.replace(f"channels/{channel}.ini", {"channel": options})
    return files


def _what(file: str, piman: PimanConfig, rows: str) -> str:
    if file == "config.ini":
        return f"the plugin NetBoot on {piman.interface}, {piman.server_address}"
    if file == "hosts.csv":
        return f"{len(parse_hosts(rows).hosts)} hosts"
    if file.startswith("monitors/"):
        return f"the Pis are asked as {MONITORING} says"
    if file.startswith("channels/"):
        return "where alerts are sent; the webhook's URL is a secret"
    return f"a PoE switch, VLAN {piman.private_number}; its servers are yours to write"
