"""Start of ockle.pyz: unpacks once into a cache folder, then runs Ockle from there.

The folder is named after the content's SHA-256 and appears by one rename, so that two first starts at the same time,
or one that is cut off, leave nothing half done. Only folders of this user that nobody else can write are believed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import runpy
import shutil
import stat
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path


def check(about: dict[str, str]) -> None:
    """Leave with a sentence when this Python cannot load the compiled parts."""
    here = {
        "python": str(sys.implementation.cache_tag),
        "platform": sysconfig.get_platform(),
        "libc": platform.libc_ver()[0],
    }
    other = [f"{name} {about[name]}, not {value}" for name, value in here.items() if about[name] != value]
    if other:
        raise SystemExit(f"ockle.pyz: built for {'; '.join(other)}. Build one here: make zipapp")


def cache_folder() -> Path:
    """Where unpacked archives live: systemd's or the user's cache folder, $OCKLE_CACHE before both."""
    for variable, below in (("OCKLE_CACHE", ""), ("CACHE_DIRECTORY", ""), ("XDG_CACHE_HOME", "ockle")):
        if value := os.environ.get(variable):
            return Path(value.split(":")[0], below)
    try:
        return Path.home() / ".cache/ockle"
    except RuntimeError:  # no home folder
        return Path(tempfile.gettempdir(), f"ockle-{os.getuid()}")


def trusted(folder: Path) -> bool:
    """Whether only this user (or root) can have put something there."""
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid in (os.getuid(), 0) and not status.st_mode & 0o022


def unpacked(archive: zipfile.ZipFile, digest: str) -> Path:
    """Return the folder that holds the content, made now if need be."""
    cache = cache_folder()
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = cache / f"pyz-{digest[:24]}"
    if not trusted(cache) or (folder.exists() and not trusted(folder)):
        raise SystemExit(f"ockle.pyz: {folder} can be written by others: name a folder of your own in $OCKLE_CACHE")
    if folder.is_dir():
        return folder
    payload = archive.read("payload.zip")
    if hashlib.sha256(payload).hexdigest() != digest:
        raise SystemExit("ockle.pyz: the file is damaged")
    fresh = Path(tempfile.mkdtemp(prefix=".pyz-", dir=cache))
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as content:
            content.extractall(fresh)
        fresh.chmod(0o755)
        fresh.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another start was first
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def main() -> None:
    """Run ``python -m ockle`` on the unpacked content, for this process and those that it starts."""
    with zipfile.ZipFile(sys.argv[0]) as archive:
        about = json.loads(archive.read("about.json"))
        check(about)
        folder = str(unpacked(archive, about["digest"]))
    sys.path.insert(0, folder)
    # `ockle demo` starts the daemon as a process of its own, by this Python and the same libraries
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
    runpy.run_module("ockle", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
