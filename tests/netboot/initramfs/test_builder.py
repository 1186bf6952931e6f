"""The builder: what is in the archive, where it comes from, and what it refuses."""

from __future__ import annotations

import gzip
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from cpio_reader import read_back
from ockle.cli.main import main
from ockle.common.errors import ConfigError, OckleError
from ockle.netboot.initramfs.builder import APPLETS, build
from ockle.netboot.initramfs.cpio import Entry
from ockle.netboot.initramfs.modules import gather_modules
from ockle.netboot.initramfs.programs import Gatherer, Sysroot
from ockle.netboot.initramfs.settings import checked_settings, load_settings
from peers import peer

HERE = Sysroot(Path("/"))


def contents(packed: bytes) -> dict[str, Entry]:
    return {entry.path: entry for entry in read_back(gzip.decompress(packed))}


@pytest.mark.peer
def test_what_is_built_holds_all_that_runs(tmp_path: Path) -> None:
    for program in ("busybox", "mkfs.ext4", "sfdisk"):
        peer(program)
    target = tmp_path / "initramfs.gz"
    assert main(["--etc", str(tmp_path), "netboot", "build-initramfs", str(target)]) == 0
    found = contents(target.read_bytes())
    assert {
        "init",
        "lib/ockle/hello.sh",
        "bin/busybox",
        "sbin/mkfs.ext4",
        "sbin/sfdisk",
        "proc",
        "new_root",
    } <= found.keys()
    assert stat.S_ISCHR(found["dev/console"].mode) and found["dev/console"].device == (5, 1)
    assert all(found[f"bin/{applet}"].data == b"busybox" for applet in APPLETS)
    assert not found["etc/ockle/settings"].mode & 0o077
    again = tmp_path / "again.gz"
    assert main(["--etc", str(tmp_path), "netboot", "build-initramfs", str(again)]) == 0
    assert target.read_bytes() == again.read_bytes()


@pytest.mark.peer
def test_the_programs_run_with_nothing_but_the_archive(tmp_path: Path) -> None:
    """Each library that ldd names is there, at the place where the loader looks."""
    programs = Gatherer(HERE)
    for program in ("mkfs.ext4", "sfdisk"):
        path = peer(program)
        programs.add_program(path)
        listed = subprocess.run([peer("ldd"), path], capture_output=True, text=True, check=True, timeout=20).stdout
        names = {line.split()[0].rpartition("/")[2] for line in listed.splitlines()} - {"linux-vdso.so.1"}
        assert names <= {name.rpartition("/")[2] for name in programs.files}
    loader = next(name for name in programs.files if "/ld-" in name)
    for name, data in programs.files.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o755)
    folders = {str((tmp_path / name).parent) for name in programs.files if ".so" in name}
    library_path = ":".join(folders)
    command = [
        str(tmp_path / loader),
        "--inhibit-cache",
        "--library-path",
        library_path,
        str(tmp_path / "sbin/mkfs.ext4"),
    ]
    done = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20, check=False)
    assert done.stderr.startswith("mke2fs"), done.stderr


def test_links_of_a_sysroot_stay_in_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("inside")
    (tmp_path / "bin").symlink_to("/usr/bin")
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "usr" / "bin" / "out").symlink_to("../../../../../../etc/passwd")
    (tmp_path / "usr" / "bin" / "round").symlink_to("round")
    root = Sysroot(tmp_path)
    assert root.read("/bin/out") == b"inside"
    assert root.resolve("/bin/round") is None
    with pytest.raises(OckleError, match="there is no program absent"):
        root.find("absent")


@pytest.mark.peer
def test_programs_of_two_processors_do_not_mix(tmp_path: Path) -> None:
    programs = Gatherer(HERE)
    programs.add_program(peer("busybox"))
    other = bytearray(Path(peer("busybox")).read_bytes())
    other[18:20] = (8).to_bytes(2, "little")
    with pytest.raises(OckleError, match=r"is for MIPS, .* take all from one --sysroot"):
        programs.add("/sbin/x", bytes(other), "x")


@pytest.mark.peer
def test_a_busybox_that_lacks_applets_is_refused(tmp_path: Path) -> None:
    small = tmp_path / "busybox"
    small.write_text("#!/bin/sh\necho sh\necho mount\n")
    small.chmod(0o755)
    with pytest.raises(OckleError, match="lacks cat, chmod"):
        build(checked_settings({}, "x.ini", None), HERE, small)


def test_without_mkfs_only_ext2_can_be_made(tmp_path: Path) -> None:
    shutil.copy(peer("busybox"), tmp_path / "busybox")
    (tmp_path / "bin").mkdir()
    shutil.move(tmp_path / "busybox", tmp_path / "bin")
    root = Sysroot(tmp_path)
    with pytest.raises(OckleError, match=r"no program mkfs\.ext4 .*only filesystem = ext2"):
        build(checked_settings({"table": "none"}, "x.ini", None), root)
    made = build(checked_settings({"table": "none", "filesystem": "ext2"}, "x.ini", None), root)
    assert b"mkfs='/bin/busybox mke2fs -F -L rootfs'" in contents(made.data)["etc/ockle/settings"].data


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("devices", "", "names no disk"),
        ("devices", "/etc/passwd", "no path below /dev"),
        ("devices", "/dev/../sda", "no path below /dev"),
        ("devices", "/dev/sda;reboot", "no path below /dev"),
        ("partitions", "delete everything", "not understood"),
        ("root", "3", "there are 2 partitions"),
        ("label", "a b", "not made of"),
        ("token", "two words", "cannot be sent"),
        ("modules", "ext4", "is needed to find"),
        ("filesystem", "ntfs", "ext4, ext3 or ext2"),
        ("devises", "/dev/sda", "did you mean|unknown option"),
    ],
)
def test_an_option_that_makes_no_sense_is_told(tmp_path: Path, option: str, value: str, problem: str) -> None:
    path = tmp_path / "initramfs.ini"
    path.write_text(f'[initramfs]\n{option} = "{value}"\n')
    with pytest.raises(ConfigError, match=problem) as caught:
        load_settings(path)
    assert "initramfs.ini" in str(caught.value) and "two words" not in str(caught.value)


def test_what_the_options_say_is_quoted_for_the_shell() -> None:
    settings = checked_settings({"devices": "/dev/sda, /dev/vda", "token": "a'$(reboot)", "patience": "2m"}, "x", None)
    lines = settings.shell("mkfs").splitlines()
    assert "devices='/dev/sda /dev/vda'" in lines
    assert "patience=120" in lines
    said = subprocess.run(
        ["sh", "-c", settings.shell("mkfs") + 'printf %s "$token"'],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    assert said.stdout == "a'$(reboot)"


@pytest.mark.peer
def test_sfdisk_takes_the_table(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(256 << 20)
    settings = checked_settings({}, "x.ini", None)
    subprocess.run(
        [peer("sfdisk"), "-q", str(disk)],
        input=settings.sfdisk_script,
        text=True,
        check=True,
        timeout=20,
        capture_output=True,
    )
    dumped = subprocess.run([peer("sfdisk"), "-d", disk], capture_output=True, text=True, check=True, timeout=20).stdout
    lines = [" ".join(line.split()) for line in dumped.splitlines() if "start=" in line]
    assert "start= 8192, size= 88472, type=c" in lines[0]
    assert "start= 98304, size= 425984, type=83" in lines[1]


def test_modules_come_with_what_they_need_in_order(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    for name in ("net.ko", "core.ko", "virtio-net.ko.gz"):
        data = name.encode()
        (tmp_path / "kernel" / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    (tmp_path / "modules.dep").write_text(
        "kernel/core.ko:\nkernel/net.ko: kernel/core.ko\nkernel/virtio-net.ko.gz: kernel/net.ko kernel/core.ko\n"
    )
    (tmp_path / "modules.builtin").write_text("kernel/ext4.ko\n")
    found = gather_modules(["ext4", "virtio_net", "core"], tmp_path)
    assert list(found) == ["core.ko", "net.ko", "virtio_net.ko"]
    assert found["virtio_net.ko"] == b"virtio-net.ko.gz"
    with pytest.raises(OckleError, match="there is no kernel module xfs"):
        gather_modules(["xfs"], tmp_path)
    with pytest.raises(OckleError, match=r"modules\.dep cannot be read"):
        gather_modules(["xfs"], tmp_path / "absent")
    (tmp_path / "kernel" / "a.ko.zst").touch()
    (tmp_path / "modules.dep").write_text("kernel/a.ko.zst:\n")
    with pytest.raises(OckleError, match="packed in a way"):
        gather_modules(["a"], tmp_path)
