"""A pass_persist script for snmpd: read-only cells from a JSON file, OID -> [type, value]."""

import json
import os
import sys
from pathlib import Path

CELLS = {
    tuple(map(int, oid.split("."))): cell
    for oid, cell in json.loads(Path(os.environ["OCKLE_CELLS"]).read_text()).items()
}
ORDER = sorted(CELLS)


def answer(verb: str, name: str) -> str:
    asked = tuple(map(int, name.strip(".").split(".")))
    oid = asked if verb == "get" else next((one for one in ORDER if one > asked), ())
    if oid not in CELLS:
        return "NONE"
    kind, value = CELLS[oid]
    return f".{'.'.join(map(str, oid))}\n{kind}\n{value}"


def main() -> None:
    while line := sys.stdin.readline():
        word = line.strip()
        if word == "PING":
            print("PONG", flush=True)
        elif word:
            print(answer(word, sys.stdin.readline().strip()), flush=True)


main()
