"""What a name means: prefixes of boards, folders that cover others, maps, and the kernel command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.netboot.tftp.names import View, candidates, clean, fill_cmdline, is_cmdline
from ockle.netboot.tftp.packet import Code, TftpError

PI = View(mac="DC:A6:32:01:02:04")


@pytest.mark.parametrize(
    ("name", "view", "found"),
    [
        ("config.txt", View(), ["config.txt"]),
        ("0a1b2c3d/start4.elf", View(), ["0a1b2c3d/start4.elf", "start4.elf"]),
        ("0A1B2C3D/overlays/x.dtbo", View(), ["0A1B2C3D/overlays/x.dtbo", "overlays/x.dtbo"]),
        ("dc-a6-32-01-02-04/config.txt", View(), ["dc-a6-32-01-02-04/config.txt", "config.txt"]),
        ("0a1b2c3/start4.elf", View(), ["0a1b2c3/start4.elf"]),
        ("0a1b2c3d", View(), ["0a1b2c3d"]),
        ("rack1/config.txt", View(), ["rack1/config.txt"]),
        ("rack1/config.txt", View(prefixes=("rack1/",)), ["rack1/config.txt", "config.txt"]),
        ("rack1config.txt", View(prefixes=("rack1",)), ["rack1/config.txt", "config.txt"]),
        ("rack1../secret", View(prefixes=("rack1",)), ["rack1../secret"]),
        ("rack1./x", View(prefixes=("rack1",)), ["rack1./x"]),
        ("config.txt", PI, ["dc-a6-32-01-02-04/config.txt", "config.txt"]),
        ("a/b", View(root="k8s"), ["k8s/a/b", "a/b"]),
        (
            "0a1b2c3d/config.txt",
            View(mac="DC:A6:32:01:02:04", root="k8s"),
            [
                "k8s/0a1b2c3d/config.txt", "0a1b2c3d/config.txt", "k8s/dc-a6-32-01-02-04/config.txt",
                "dc-a6-32-01-02-04/config.txt", "k8s/config.txt", "config.txt",
            ],
        ),
        ("0a1b2c3d/config.txt", View(maps={"config.txt": "alt/c.txt"}), ["alt/c.txt"]),
        ("config.txt", View(root="k8s", maps={"config.txt": "c.txt"}), ["k8s/c.txt", "c.txt"]),
        ("0a1b2c3d/x", View(maps={"0a1b2c3d/x": "y", "x": "z"}), ["y"]),
    ],
)  # fmt: skip
def test_where_a_name_is_looked_for(name: str, view: View, found: list[str]) -> None:
    assert candidates(name, view) == found


@given(st.text(st.sampled_from("./\\ab%\0é"), max_size=12))
def test_04_rfc1350_s7_a_clean_name_stays_below(name: str) -> None:
    try:
        parts = clean(name).split("/")
    except TftpError as error:
        assert error.code in (1, 2)
        return
    assert parts and not {"", ".", ".."} & set(parts)


@pytest.mark.parametrize(
    "name", ["..", "a/..", "../a", "a/../b", "/..", "./..//a", "..\\a", "a\\b", "", "/", ".", "//."]
)
def test_04_rfc1350_s7_names_that_nobody_may_ask_for(name: str) -> None:
    with pytest.raises(TftpError) as refusal:
        clean(name)
    assert refusal.value.code == Code.ACCESS


@pytest.mark.parametrize(
    ("text", "arguments", "filled"),
    [
        (b"ip=dhcp master=MASTER\n", "", b"ip=dhcp master=10.0.0.1\n"),
        (b"nfsroot=MASTER:/srv,MASTER MASTERS xMASTER", "", b"nfsroot=10.0.0.1:/srv,10.0.0.1 MASTERS xMASTER"),
        (b"quiet  \nsecond\n", "a=1 b", b"quiet a=1 b\nsecond\n"),
        (b"quiet\r\n", "a", b"quiet a\n"),
        (b"", "a", b"a"),
        (b"\xff MASTER", "\u00e4", b"\xff 10.0.0.1 \xc3\xa4"),
    ],
)
def test_a_kernel_command_line_is_filled_in(text: bytes, arguments: str, filled: bytes) -> None:
    assert fill_cmdline(text, "10.0.0.1", arguments) == filled


def test_which_names_are_kernel_command_lines() -> None:
    assert is_cmdline("cmdline.txt") and is_cmdline("0a1b2c3d/cmdline.txt") and is_cmdline("x/cmdline.txt-rescue")
    assert not is_cmdline("cmdline.txt/x") and not is_cmdline("config.txt")
