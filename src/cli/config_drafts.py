"""``ockle config drafts``: what the web GUI collects in a draft; looked at, applied, or thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codes import OK, CliError
from .connect import connect
from .output import safe, show, tell

if TYPE_CHECKING:
    import argparse

    from .parser import Commands

APPLY_TIMEOUT_S = 90.0


def register(group: Commands) -> None:
    parser = group.add("drafts", run_drafts, "your draft, as the web GUI fills it: what it means, apply it, discard it")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--apply", action="store_true", help="write all its files; refused when the result would not load"
    )
    what.add_argument("--discard", metavar="WHO", nargs="?", const="", help="forget it, or that of somebody else")
    parser.add_argument("-m", "--message", default="", help="why, for the history")


def run_drafts(args: argparse.Namespace) -> int:
    from .config import changed

    if args.etc:
        raise CliError("drafts are with the daemon; leave --etc out")
    with connect(args) as connection:
        if args.apply:
            return changed(args, connection.call("draftApply", {"message": args.message}, APPLY_TIMEOUT_S))
        if args.discard is not None:
            reply = connection.call("draftDiscard", {"who": args.discard} if args.discard else {})
            show(args, reply, "the draft is gone")
            return OK
        draft = connection.call("draftGet")
        review = connection.call("draftDiff", {}, APPLY_TIMEOUT_S) if draft["files"] else {}
    show(args, {**review, **draft}, _text(draft, review), sorted(draft["files"]))
    if draft["others"]:
        tell(f"others have drafts, too: {safe(', '.join(draft['others']))}")
    return OK


def _text(draft: dict[str, Any], review: dict[str, Any]) -> str:
    if not draft["files"]:
        return "your draft is empty"
    lines = [safe(text) for text in review["meaning"]]
    lines += [f"changed meanwhile by {safe(one['who'])}: {safe(one['file'])}" for one in draft["stale"]]
    lines += [f"fault: {safe(fault['text'])}" for fault in review["faults"]]
    diffs = [text.rstrip("\n") for text in review["diffs"].values()]
    return "\n".join([*lines, "", *diffs])
