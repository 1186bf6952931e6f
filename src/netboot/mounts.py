"""Which folders lie on file systems of other machines: one that does not answer would keep the whole server waiting."""

from __future__ import annotations

import re
import time
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
LOOK_EVERY_S = 5.0
_REMOTE = frozenset((
    "afs", "autofs", "ceph", "cifs", "coda", "fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs",
    "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs",
))  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


def remote_folders(mountinfo: str) -> list[tuple[str, bool]]:
    """Return mount points, longest first, and whether each is another machine's; nothing when none is (proc(5))."""
    found: dict[str, bool] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(), right.split()[:1]
        if len(fields) > 4 and kind:
            point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
            found[point.rstrip("/") + "/"] = kind[0] in _REMOTE
    if not any(found.values()):
        return []
    return sorted(found.items(), key=lambda entry: len(entry[0]), reverse=True)


class Mounts:
    """The mounts of this machine, looked at again every few seconds."""

    def __init__(self, source: Path = MOUNTS) -> None:
        self._source = source
        self._folders: list[tuple[str, bool]] = []
        self._looked = float("-inf")

    def is_remote(self, path: str) -> bool:
        """Whether ``path``, as it is written, lies on another machine; nothing there is touched to find out."""
        now = time.monotonic()
        if now - self._looked > LOOK_EVERY_S:
            self._looked = now
            try:
                self._folders = remote_folders(self._source.read_text("utf-8", "surrogateescape"))
            except OSError:  # not this system's way: then nothing is known of it
                self._folders = []
        return next((remote for point, remote in self._folders if path.startswith(point)), False)
