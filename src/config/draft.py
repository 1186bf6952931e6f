"""A change tried on a copy: what the configuration would be, checked before anything is written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..common.errors import ConfigError
from .faults import Fault
from .known_options import FOLDERS, site_files

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
    told = copied | files.keys()
    for entry in etc.iterdir():
        if entry.name in FOLDERS and entry.is_dir():
            (draft / entry.name).mkdir()
            for inner in entry.iterdir():
                if f"{entry.name}/{inner.name}" not in told:
                    (draft / entry.name / inner.name).symlink_to(inner.absolute())
        elif entry.name not in {*told, ".history", ".drafts"}:
            (draft / entry.name).symlink_to(entry.absolute())
    for file in copied - files.keys():
        _copy(etc / file, draft / file)
    put_texts(draft, files)


def put_texts(draft: Path, files: Mapping[str, str | None]) -> None:
    """Make the files in a draft's folder, which is nobody else's, what ``files`` says."""
    for file, text in files.items():
        path = draft / file
        path.unlink(missing_ok=True)  # what stands there may be a link to the original
        if text is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode("utf-8"))


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():  # a FIFO or a folder: the check says so, reading it would block
        target.symlink_to(source.absolute())
        return
    shutil.copyfile(source, target)
