"""A change tried on a copy: what the configuration would be, checked before anything is written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..common.errors import ConfigError
from .faults import Fault
from .files import read_ini
from .known_options import FOLDERS, editable, site_files
from .reader import MAIN_FILE
from .servers import PART_KINDS, SECTION
from .types_lists import split_list

Validate = Callable[[Path], tuple[list[Fault], list[str]]]
"""Returns faults and warnings of the site in a folder, cycles included: ``ServerNetworkFactory.check``."""


@contextmanager
def draft_folder(etc: Path, files: Mapping[str, str | None]) -> Iterator[Path]:
    """Yield a folder that holds the site as it will be after ``files`` (None: deleted); it is gone afterwards.

    The site's own files are copied; everything else (folders of keys and password files) is only linked to, so that
    relative paths and ``${file:…}`` lead to the same files and no secret is copied that need not be.
    """
    with tempfile.TemporaryDirectory(prefix="ockle-draft-") as scratch:
        draft = Path(scratch).resolve() / "etc"
        try:
            _fill(draft, etc, files)
        except OSError as error:
            raise ConfigError(f"the change cannot be tried: {error.strerror or error}") from error
        yield draft


def _fill(draft: Path, etc: Path, files: Mapping[str, str | None]) -> None:
    draft.mkdir(mode=0o700)
    copied = set(site_files(etc))
    for entry in etc.iterdir():
        if entry.name in FOLDERS and entry.is_dir():
            (draft / entry.name).mkdir()
            for inner in entry.iterdir():
                if f"{entry.name}/{inner.name}" not in {*copied, *files}:
                    (draft / entry.name / inner.name).symlink_to(inner.absolute())
        elif entry.name not in {*copied, *files, ".history"}:
            (draft / entry.name).symlink_to(entry.absolute())
    for file in copied - files.keys():
        _copy(etc / file, draft / file)
    for file, text in files.items():
        if text is not None:
            path = draft / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode("utf-8"))


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():  # a FIFO or a folder: the check says so, reading it would block
        target.symlink_to(source.absolute())
        return
    shutil.copyfile(source, target)


def users(etc: Path, deleted: Iterable[str]) -> list[str]:
    """Return a sentence for each of the files ``deleted`` that servers in ``etc`` still use.

    Cost: reads all servers; files with errors count as using nothing, the check reports them.
    """
    used_by: dict[tuple[str, str], list[str]] = {}
    wanted = [(file.rpartition("/")[0], Path(file).stem) for file in deleted if file != MAIN_FILE]
    if not wanted:
        return []
    for file in site_files(etc):
        folder, _, _name = file.rpartition("/")
        if folder == "servers":
            for used in _uses(editable(etc, file), file):
                used_by.setdefault(used, []).append(Path(file).stem)
    sentences = []
    for folder, name in wanted:
        servers = list(dict.fromkeys(used_by.get((folder, name), [])))
        if servers:
            noun = "server" if len(servers) == 1 else "servers"
            sentences.append(f"{folder}/{name}.ini is used by {noun} {', '.join(servers)}")
    return sentences


def _uses(path: Path, file: str) -> Iterator[tuple[str, str]]:
    """Yield folder and name of everything that a server's file refers to."""
    try:
        ini = read_ini(path, name=file)
        needed = split_list(ini.get(SECTION, {}).get("dependencies", ""))
    except (ConfigError, ValueError):
        return
    yield from (("servers", name) for name in needed)
    for section in ini.sections:
        for part in PART_KINDS:
            if part.key in ini[section]:
                yield part.kind, str(ini[section][part.key])
