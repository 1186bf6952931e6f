"""Builds the firmware from the source that ESPHome generates, without its toolchain: g++ does."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIRMWARE = ROOT / "packaging" / "esphome" / "ockle-plug.yaml"
SECRETS = ("wifi_ssid", "wifi_password", "plug_key", "ota_password")
LONGEST_S = 600.0


class NoBuild(Exception):
    """What is missing, or what went wrong, for a person."""


def build(folder: Path, esphome: str) -> Path:
    """Return the program, built in ``folder`` unless it is there already for this source. Raises NoBuild."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(FIRMWARE, folder)
    shutil.copy(HERE / "host.yaml", folder)
    (folder / "secrets.yaml").write_text("".join(f"{name}: '{'A' * 43}='\n" for name in SECRETS))
    _run([esphome, "compile", "--only-generate", "host.yaml"], folder)
    (tree,) = (folder / ".esphome" / "build").iterdir()
    sources = sorted([*tree.glob("src/**/*.cpp"), *tree.glob("src/**/*.c"), HERE / "loopback.cpp"])
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in [*sources, *sorted(tree.glob("src/**/*.h"))]))
    program = folder / f"firmware-{digest.hexdigest()[:16]}"
    if not program.exists():
        flags = re.findall(r"^ +(-D\S+)$", (tree / "platformio.ini").read_text(), re.MULTILINE)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            objects = list(pool.map(lambda source: _compiled(source, tree, flags), sources))
        _run(["g++", "-o", str(program), *map(str, objects), "-Wl,--wrap=bind", "-lpthread"], folder)
    return program


def find_esphome() -> str:
    """Return the path of esphome: on PATH, or beside this Python. Raises NoBuild when that or g++ is missing."""
    beside = Path(sys.executable).with_name("esphome")
    found = shutil.which("esphome") or (str(beside) if beside.exists() else "")
    if not found:
        raise NoBuild("esphome is missing: pip install esphome, into an environment of its own, and put it on PATH")
    if shutil.which("g++") is None:
        raise NoBuild("g++ is missing (Debian: g++)")
    return found


def _compiled(source: Path, tree: Path, flags: list[str]) -> Path:
    target = tree / f"{hashlib.sha256(str(source).encode()).hexdigest()[:16]}.o"
    _run(["g++", "-std=gnu++20", "-O0", "-w", *flags, f"-I{tree / 'src'}", "-c", str(source), "-o", str(target)], tree)
    return target


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        raise NoBuild(f"{' '.join(command)[:200]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
