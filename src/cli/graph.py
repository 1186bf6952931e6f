"""``ockle tree`` and ``ockle why``: who needs whom, and what a server is waiting for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from .codes import OK
from .connect import connect
from .output import glyph, moment, paint, safe, show
from .parser import Commands


def register(commands: Commands) -> None:
    parser = commands.add("tree", run_tree, "who is needed by whom")
    parser.add_argument("server", nargs="?", help="only what needs this server")
    parser.add_argument("--reverse", action="store_true", help="the other way: what each server needs")
    parser = commands.add("why", run_why, "why a server is in the state it is in, and what would change it")
    parser.add_argument("server")


def run_tree(args: argparse.Namespace) -> int:
    request: dict[str, Any] = {"reverse": args.reverse}
    if args.server:
        request["server"] = args.server
    with connect(args) as connection:
        reply = connection.call("tree", request)
    show(args, reply, "\n".join(draw(reply["roots"], reply["nodes"])), reply["nodes"])
    return OK


def draw(roots: list[str], nodes: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the tree. What several servers lead to is drawn out once and then only named with ``…``."""
    drawn: set[str] = set()
    # (name, what stands before it, before its children, why it is a child): a stack of our own, because a deep network
    # must not meet the limit of recursion
    todo = [(root, "", "", "") for root in reversed(roots)]
    while todo:
        name, branch, below, because = todo.pop()
        children = nodes[name]["children"]
        again = name in drawn and bool(children)
        yield f"{branch}{_label(name, nodes[name])}{_told(because)}{'  …' if again else ''}"
        if again:
            continue
        drawn.add(name)
        for number, child in enumerate(reversed(children)):
            last = number == 0
            why = nodes[name].get("because", {}).get(child, "")
            todo.append((child, f"{below}{'└─ ' if last else '├─ '}", f"{below}{'   ' if last else '│  '}", why))


def _label(name: str, node: dict[str, Any]) -> str:
    word = node["word"]
    why = f" ({safe(node['why'])})" if node.get("why") else ""
    mates = "".join(f"  [on {safe(outlet)} with {safe(mate)}]" for mate, outlet in (node.get("mates") or {}).items())
    return f"{safe(name)}  {paint(f'{glyph(word)} {word}', word)}{why}{mates}"


def _told(because: str) -> str:
    return f"  [{safe(because)}]" if because else ""


def run_why(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        reply = connection.call("why", {"server": args.server})
    lines = [f"{safe(reply['server'])}: {safe(reply['state'])}"]
    for reason in reply["reasons"]:
        since = f", since {moment(reason['since'])}" if reason.get("since") else ""
        lines.append(f"  {safe(reason['text'])}{since}")
        if reason.get("frees"):
            lines.append(f"    goes on when: {safe(reason['frees'])}")
    if reply.get("chain"):
        lines.append("Because of:")
        lines += [
            f"  {safe(link['server'])}: {safe(link['state'])}" + (f" ({safe(link['why'])})" if link.get("why") else "")
            for link in reply["chain"]
        ]
    show(args, reply, "\n".join(lines), [link["server"] for link in reply.get("chain", ())])
    return OK
