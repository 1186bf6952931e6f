"""Starting another process of this Ockle, however this one was started: installed, as one file, from a checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

_START = """\
import importlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("ockle", sys.argv.pop(1))
package = sys.modules["ockle"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
sys.argv[0] = "ockle"
sys.exit(importlib.import_module("ockle.__main__").main())
"""


def own_command(*words: str) -> tuple[list[str], dict[str, str]]:
    """Return the argument list and the environment of ``ockle`` with ``words``.

    The package is named by its folder: in a checkout that is ``src``, and one file unpacks it where no search finds it.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return [sys.executable, "-P", "-c", _START, str(PACKAGE / "__init__.py"), *words], environment
