"""hosts.csv in the user's editor: what is wrong in it leads back to the editor, and nothing typed is lost."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..webserver.ockle_client.connection import ClientError, Connection
from .codes import ABORTED, CliError
from .netboot_ask import ask_about_hosts
from .output import safe, tell

FALLBACKS = ("sensible-editor", "editor", "nano", "vi")


def edited(connection: Connection, found: dict[str, Any]) -> dict[str, Any] | None:
    """Have the user change the text of ``netbootHosts`` and store it; None when nothing was changed.

    Raises CliError, which names the file with what was typed, when the user gives up.
    """
    handle, name = tempfile.mkstemp(prefix="ockle-hosts-", suffix=".csv")
    path = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(found["text"])
    while True:
        _open_editor(path)
        text = path.read_text("utf-8", errors="replace")
        if text == found["text"]:
            path.unlink()
            return None
        try:
            reply = ask_about_hosts(connection, "netbootSetHosts", {"text": text, "rev": found["rev"]})
        except ClientError as error:
            if error.code == "conflict":
                raise CliError(f"{safe(error.message)}; what you typed is in {path}", ABORTED) from None
            if error.code != "bad_request":
                raise
            for one in error.data.get("problems", ()):
                tell(f"line {one['line']}: {safe(one['text'])}")
            if not _again():
                raise CliError(f"nothing was stored; what you typed is in {path}", ABORTED) from None
        else:
            path.unlink()
            return reply


def _open_editor(path: Path) -> None:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    for words in [shlex.split(chosen)] if chosen else [[name] for name in FALLBACKS]:
        try:
            done = subprocess.run([*words, str(path)], check=False)
        except OSError:  # there is no such program
            continue
        if done.returncode:
            raise CliError(
                f"{words[0]} ended with {done.returncode}; nothing was stored, {path} is as it left it", ABORTED
            )
        return
    raise CliError(f"{chosen or 'an editor'} cannot be started: set EDITOR to one that is there")


def _again() -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write("Edit it again? [Y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("", "y", "yes")
