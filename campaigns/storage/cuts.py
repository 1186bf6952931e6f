"""The power goes: what was written and not synced is there, or not, or half. Replayed from a recording of the calls.

The worker is recorded once by strace. For each replay a moment is drawn; of each file everything is there up to its
last sync before that moment, and of what was written since each piece of 512 bytes or none, as the dice fall. A file
that was removed or renamed may still have its old name, unless its folder was synced since.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .judge import broken, look

ROUNDS = 25
SECTOR = 512
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Step:
    """``what``: write, truncate, sync, unlink, rename, folder (it was synced) or ack; ``name``: the file in it."""

    what: str
    name: str
    at: int = 0
    data: bytes = b""
    other: str = ""


def record(folder: Path, log: Path) -> list[Step]:
    """Have the worker run on an empty folder; return what it did to the disk and said, in order."""
    calls = "pwrite64,write,ftruncate,fsync,fdatasync,unlink,rename,openat"
    strace = ["strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-o", str(log), "-e", f"trace={calls}"]
    worker = [sys.executable, "-m", "campaigns.storage.worker", str(folder), str(ROUNDS), "0"]
    subprocess.run([*strace, *worker], check=True, capture_output=True, timeout=120)
    steps = []
    for line in joined(log.read_text(errors="replace").splitlines()):
        match = _CALL.match(line)
        if match is not None and int(match[4]) >= 0:
            step = parse(match[2], match[3], str(folder))
            if step is not None:
                steps.append(step)
    return steps


def joined(lines: list[str]) -> list[str]:
    """Put calls together that another thread interrupted; they count from their end."""
    begun: dict[str, str] = {}
    whole = []
    for line in lines:
        thread = line.partition(" ")[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>").rstrip()
        elif "resumed>" in line:
            whole.append(begun.pop(thread, "") + line.partition("resumed>")[2])
        else:
            whole.append(line)
    return whole


def parse(call: str, words: str, folder: str) -> Step | None:
    """Return what a call means for the files of ``folder``; None for nothing."""
    strings = [bytes.fromhex(text.replace("\\x", "")) for text in _STRING.findall(words)]
    path = _path(words)
    if call == "write" and words.startswith("1<"):
        text = strings[0].decode()
        return Step("ack", "", int(text.split()[1])) if text.startswith("acked") else None
    if call in ("unlink", "rename"):
        names = [text.decode(errors="replace") for text in strings]
        if not names or not names[0].startswith(folder):
            return None
        return Step(call, Path(names[0]).name, other=Path(names[-1]).name)
    if path == folder and call in ("fsync", "fdatasync"):
        return Step("folder", "")
    if not path.startswith(f"{folder}/"):
        return None
    name = Path(path).name
    if call == "pwrite64":
        return Step("write", name, int(words.rpartition(", ")[2]), strings[-1])
    if call == "ftruncate":
        return Step("truncate", name, int(words.rpartition(", ")[2]))
    return Step("sync", name) if call in ("fsync", "fdatasync") else None


def _path(words: str) -> str:
    """Return the path that -y shows for a descriptor, which -xx shows in hexadecimal."""
    found = re.match(r"\d+<((?:\\x[0-9a-f]{2})+|[^>]*)>", words)
    text = found[1] if found else ""
    return bytes.fromhex(text.replace("\\x", "")).decode(errors="replace") if text.startswith("\\x") else text


def cut(steps: list[Step], folder: Path, moment: int, draw: random.Random) -> list[str]:
    """Rebuild the folder as it may be when the power goes after ``moment`` steps; return the broken promises."""
    synced = {step.name: place for place, step in enumerate(steps[:moment]) if step.what == "sync"}
    named = max((place for place, step in enumerate(steps[:moment]) if step.what == "folder"), default=-1)
    files: dict[str, bytearray] = {}
    for place, step in enumerate(steps[:moment]):
        until = named if step.what in ("unlink", "rename") else synced.get(step.name, -1)
        _apply(files, step, durable=place <= until, draw=draw)
    folder.mkdir()
    for name, data in files.items():
        if not name.endswith("-shm"):  # memory, in truth: it does not survive the power
            (folder / name).write_bytes(data)
    acked = max((step.at for step in steps[:moment] if step.what == "ack"), default=0)
    left = look(folder)
    findings = broken(left, acked, set(range(1, acked + 1)), acked + 1)
    if left.told:
        findings.append(f"a power cut is no damage, but: {left.said or left.refused}")
    return [f"{one} (after {acked} acknowledged orders)" for one in findings]


def _apply(files: dict[str, bytearray], step: Step, *, durable: bool, draw: random.Random) -> None:
    data = files.setdefault(step.name, bytearray()) if step.what in ("write", "truncate") else bytearray()
    if step.what == "write":
        for start in range(0, len(step.data), SECTOR):
            if durable or draw.random() < 0.5:
                piece = step.data[start : start + SECTOR]
                end = step.at + start + len(piece)
                data.extend(bytes(max(0, end - len(data))))
                data[step.at + start : end] = piece
    elif step.what == "truncate" and (durable or draw.random() < 0.5):
        del data[step.at :]
        data.extend(bytes(step.at - len(data)))
    elif step.what == "unlink" and (durable or draw.random() < 0.5):
        files.pop(step.name, None)
    elif step.what == "rename" and step.name in files and (durable or draw.random() < 0.5):
        files[step.other] = files.pop(step.name)
