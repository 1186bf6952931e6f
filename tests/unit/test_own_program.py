"""Another process of the same Ockle starts wherever the package lies, and whatever finds it."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import ockle
from ockle.common.own_program import own_command


def test_it_starts_where_no_search_finds_the_package(tmp_path: Path) -> None:
    (program, *words), environment = own_command("--version")
    libraries = {**environment, "PYTHONPATH": sysconfig.get_path("purelib")}
    # -S: an editable installation is not looked for either
    search = [program, "-S", "-c", "import ockle"]
    assert subprocess.run(search, env=libraries, cwd=tmp_path, capture_output=True, timeout=30, check=False).returncode
    done = subprocess.run(
        [program, "-S", *words], env=libraries, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True
    )
    assert ockle.__version__ in done.stdout
