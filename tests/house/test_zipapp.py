"""ockle.pyz: what is in it, how it unpacks, and that it runs on a Python that has nothing installed."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build_pyz = _load("build_pyz")
pyz_main = _load("pyz_main")


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pyz") / "ockle.pyz"
    build_pyz.build(path)
    return path


@pytest.fixture
def small() -> tuple[zipfile.ZipFile, str]:
    """An archive as ockle.pyz has it inside, with one file; and its digest."""
    payload = build_pyz.archive({"ockle/__init__.py": b"there = True\n"})
    outer = build_pyz.archive({"payload.zip": payload})
    return zipfile.ZipFile(io.BytesIO(outer)), hashlib.sha256(payload).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("OCKLE_CACHE", str(folder))
    return folder


def test_it_unpacks_once(small: tuple[zipfile.ZipFile, str], cache: Path) -> None:
    folder = pyz_main.unpacked(*small)
    before = folder.stat().st_ino
    assert (folder / "ockle/__init__.py").read_bytes() == b"there = True\n"
    assert pyz_main.unpacked(*small).stat().st_ino == before
    assert [path.name for path in cache.iterdir()] == [folder.name]


@pytest.mark.parametrize("spoil", [lambda path: path.chmod(0o777), lambda path: path.chmod(0o720)])
def test_a_folder_that_others_can_write_is_refused(
    small: tuple[zipfile.ZipFile, str], cache: Path, spoil: Callable[[Path], None]
) -> None:
    pyz_main.unpacked(*small)
    spoil(cache)
    with pytest.raises(SystemExit, match="can be written by others"):
        pyz_main.unpacked(*small)


def test_a_damaged_file_is_refused(small: tuple[zipfile.ZipFile, str], cache: Path) -> None:
    with pytest.raises(SystemExit, match="damaged"):
        pyz_main.unpacked(small[0], "0" * 64)
    assert not list(cache.iterdir())


def test_another_python_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="built for python cpython-27"):
        pyz_main.check({"python": "cpython-27", "platform": "linux-x86_64", "libc": "glibc"})


@pytest.mark.slow
def test_it_holds_the_data_and_the_same_bytes_each_time(pyz: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pyz) as outer, zipfile.ZipFile(io.BytesIO(outer.read("payload.zip"))) as payload:
        names = set(payload.namelist())
    templates = {f"ockle/{path.relative_to(ROOT / 'src').as_posix()}" for path in (ROOT / "src/config").rglob("*.ini")}
    site = {
        f"ockle/simulator/site/{path.relative_to(ROOT / 'etc').as_posix()}"
        for path in (ROOT / "etc").rglob("[!.]*.ini")
    }
    assert templates
    assert templates | site | {"ockle/LICENSE", "ockle/__main__.py"} <= names
    assert not [name for name in names if name.endswith(".pyc") or "/.history/" in name]
    build_pyz.build(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == pyz.read_bytes()


def _run(pyz: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python ockle.pyz …`` without the virtual environment's packages, from a folder with nothing in it."""
    cache.parent.mkdir(exist_ok=True)
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return subprocess.run(
        [python, "-s", pyz, *arguments], cwd=cache.parent, env={"PATH": os.defpath, "OCKLE_CACHE": str(cache)},
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_it_tells_its_version(pyz: Path, cache: Path) -> None:
    result = _run(pyz, cache, "--version")
    assert (result.returncode, result.stdout.split()) == (0, ["ockle", "0.9.0"]), result.stderr


@pytest.mark.slow
def test_it_checks_a_configuration(pyz: Path, cache: Path) -> None:
    result = _run(pyz, cache, "config", "check", "--etc", str(ROOT / "etc"))
    assert result.returncode == 0, result.stdout + result.stderr
