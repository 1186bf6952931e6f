"""A pass_persist script for snmpd: PoE ports with a life of their own.

Group 1: port 1 delivers 0.3 s after it was enabled; 2 is stuck (says yes, does nothing); 3 has no detection status;
4 answers with an error and switches all the same; 5 cannot be written; 6 searches for ever; 7 has a fault;
8 keeps delivering when disabled; 9 takes a second to answer a command, and the whole agent with it.
Both tables are served by processes of their own, so the ports live in a file.
"""

import json
import os
import sys
import time
from pathlib import Path

LAG_S = 0.3
FILE = Path(os.environ["OCKLE_PORTS"])


def load() -> dict[str, list[float]]:
    """Return port -> [admin state 1 or 2, time of the last change]."""
    try:
        ports: dict[str, list[float]] = json.loads(FILE.read_text("utf-8"))
        return ports
    except FileNotFoundError:
        return {}


def store(ports: dict[str, list[float]]) -> None:
    temporary = FILE.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(ports), "utf-8")
    temporary.replace(FILE)


def read(column: int, port: int) -> int | None:
    if not 1 <= port <= 9:
        return None
    admin, since = load().get(str(port), [2, 0.0])
    if column == 3:
        return int(admin)
    settled = time.time() - since >= LAG_S
    if port == 3:
        return None
    if port == 6 and admin == 1:
        return 2
    if port == 7 and admin == 1:
        return 4
    if port == 8:
        return 3
    return (3 if settled else 2) if admin == 1 else (1 if settled else 3)


def write(port: int, value: int) -> str:
    if port == 5:
        return "not-writable"
    if port == 9:
        time.sleep(1.0)
    ports = load()
    if port != 2 and ports.get(str(port), [2])[0] != value:
        ports[str(port)] = [value, time.time()]
        store(ports)
    return "commit-failed" if port == 4 else "DONE"


def answer(lines: "list[str]") -> str:
    column, _, port = (int(part) for part in lines[1].split(".")[-3:])
    if lines[0] == "set":
        return write(port, int(lines[2].split()[1]))
    value = read(column, port) if lines[0] == "get" else None
    return "NONE" if value is None else f"{lines[1]}\ninteger\n{value}"


def main() -> None:
    while line := sys.stdin.readline():
        word = line.strip()
        if not word:
            continue  # snmpd sends one newline too many after a set (net-snmp issue 461)
        if word == "PING":
            print("PONG", flush=True)
            continue
        lines = [word, sys.stdin.readline().strip()]
        if word == "set":
            lines.append(sys.stdin.readline().strip())
        print(answer(lines), flush=True)


main()
