"""A site of dummies in layers, as files."""

from __future__ import annotations

from pathlib import Path

from .dag import layered
from .sites import OUTLETS_OF_A_PDU

_LAYERS, _SEED = 8, 20


def write_dummy_site(etc: Path, state: Path, servers: int) -> None:
    """Write a site of ``servers`` servers, each with a Dummy outlet, control and test; options have their defaults but
    for what would only make it wait."""

    def write(name: str, text: str) -> None:
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    write(
        "config.ini",
        f"[main]\nstate_dir = {state}\n[plugins]\nplugins = CoreCommunicationCommands, SocketListener\n"
        "[plugins.SocketListener]\nport = 0\n",
    )
    write("controllers/dummy.ini", "[controller]\ntype = Dummy\n")
    write("testers/dummy.ini", "[tester]\ntype = Dummy\n")
    for number, (name, needs) in enumerate(layered(servers, _LAYERS, _SEED).items()):
        pdu = f"pdu{number // OUTLETS_OF_A_PDU:02}"
        if number % OUTLETS_OF_A_PDU == 0:
            write(f"outlets/{pdu}.ini", "[pdu]\ntype = Dummy\n")
        write(
            f"servers/{name}.ini",
            f"[server]\ndependencies = {', '.join(needs)},\noutlets = psu,\ncontrols = control,\ntests = test,\n"
            "halt_grace = 0s\n"
            f"[psu]\npdu = {pdu}\nmin_off_time = 0s\n[control]\ncontroller = dummy\n[test]\ntester = dummy\n",
        )
