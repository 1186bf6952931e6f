"""load_site: every fault in one run, one line each, and any bytes are survived."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config_site import FILES, write_site
from ockle.config.site import load_site
from ockle.config.templates import EXTERNAL, parse_template, register_template


def faults(etc: Path) -> list[str]:
    return [str(fault) for fault in load_site(etc).faults]


def test_a_faultless_site_is_typed(tmp_path: Path) -> None:
    site = load_site(write_site(tmp_path))
    assert site.faults == []
    assert site.warnings == []
    assert site.main["log_level"] == "DEBUG"
    assert site.main["poll_interval"] == 30.0
    assert site.plugins == ["AutoControl", "SocketListener"]
    assert site.plugin_settings["SocketListener"]["port"] == 8088
    assert site.pdus["pdu-a"].settings["port"] == 161
    web = site.servers["web"]
    assert web.dependencies == ["nas"]
    assert web.settings["boot_timeout"] == 300.0
    assert web.outlets[0].params["outlet"] == 2
    assert [part.kind for part in web.parts()] == ["outlet", "control", "test"]
    assert web.tests[0].generator == "tcp"


def server(body: str) -> str:
    return f"[server]\n{body}"


PDU = "[pdu]\ntype = Raritan\nhost = 127.0.0.1\n"
CASES: list[tuple[str, str, list[str]]] = [
    (
        "outlets__pdu-a",
        PDU + "retries = x\ntimeot = 3s\ncommunity = ${env:OCKLE_NO_SUCH}\nport = 0\n",
        [
            "outlets/pdu-a.ini [pdu] retries = 'x': not an integer; write an integer from 0 to 10",
            "outlets/pdu-a.ini [pdu] timeot: unknown option; did you mean 'timeout'?",
            "outlets/pdu-a.ini [pdu] community: the environment has no variable OCKLE_NO_SUCH; "
            "write a secret, best as ${file:path} or ${env:NAME}",
            "outlets/pdu-a.ini [pdu] port = '0': out of range; write a port from 1 to 65535",
        ],
    ),
    (
        "outlets__pdu-a",
        "[pdu]\ntype = Raritn\nhost = h\n",
        ["outlets/pdu-a.ini [pdu] type = 'Raritn': unknown type; did you mean 'Raritan'?"],
    ),
    (
        "outlets__pdu-a",
        "[pdu]\ntype = Raritan\n",
        ["outlets/pdu-a.ini [pdu] host: missing, and it has no default; write a host name, an IPv4 or an IPv6 address"],
    ),
    (
        "outlets__pdu-a",
        PDU + "[pud]\n",
        ["outlets/pdu-a.ini [pud]: unknown section; options belong to [pdu]"],
    ),
    ("testers__tcp", "", ["testers/tcp.ini [tester]: this section is missing; write [tester] and a type"]),
    (
        "config",
        "[main]\nstart_limit = -1\n[plugins]\nplugins = AutoControl, SocketListner, AutoControl\n[mian]\n",
        [
            "config.ini [main] start_limit = '-1': out of range; write an integer of at least 0",
            "config.ini [plugins] plugins = 'SocketListner': unknown plugin; did you mean 'SocketListener'?",
            "config.ini [plugins] plugins = 'AutoControl': listed twice; list it once",
            "config.ini [mian]: unknown section; did you mean 'main'?",
        ],
    ),
    (
        "config",
        '[main]\nlog_level DEBUG\nlog_dir = "x\n',
        [
            "config.ini: line 2: neither a [section], nor `option = value`, nor a # comment",
            "config.ini: line 3: a quote is not closed, or text follows it",
        ],
    ),
    (
        "servers__nas",
        server("dependencies = nas, webb, web, web\n"),
        [
            "servers/nas.ini [server] dependencies = 'nas': a server cannot depend on itself; take it out",
            "servers/nas.ini [server] dependencies = 'webb': unknown server; did you mean 'web'?",
            "servers/nas.ini [server] dependencies = 'web': listed twice; list it once",
        ],
    ),
    (
        "servers__nas",
        server("outlets = a, b\ntests = b, server\n[a]\npdu = pdu-b\n[c]\ntester = tcp\n"),
        [
            "servers/nas.ini [a] pdu = 'pdu-b': unknown PDU; did you mean 'pdu-a'?",
            "servers/nas.ini [server] outlets = 'b': there is no section of this name; "
            "write [b] with pdu and its other options, or take it out of outlets",
            "servers/nas.ini [server] tests = 'b': listed in outlets, too; give each part its own section",
            "servers/nas.ini [server] tests = 'server': this name is taken by [server] itself; rename it",
            "servers/nas.ini [c]: no list of [server] names this section; add it to tests, or take it out",
        ],
    ),
    (
        "servers__nas",
        server("outlets = psu1\n[psu1]\npdu = pdu-a\noutlet = 2\n"),
        [
            "servers/web.ini [psu1]: the outlet pdu-a outlet 2 also feeds servers/nas.ini [psu1]; "
            "choose another outlet, or write shared = true in both"
        ],
    ),
    (
        "servers__WEB",
        server(""),
        ["servers/web.ini: differs only by upper and lower case from WEB.ini; rename one of them"],
    ),
]


@pytest.mark.parametrize(("file", "text", "expected"), CASES)
def test_faults_are_named_exactly(tmp_path: Path, file: str, text: str, expected: list[str]) -> None:
    found = faults(write_site(tmp_path, **{file: text}))
    assert [line for line in found if line in expected] == expected
    # The change may make other files wrong, too (a PDU that is gone), but adds nothing in its own file.
    own = f"{file.replace('__', '/')}.ini"
    assert [line for line in found if line.startswith(own) and line not in expected] == []


def test_faults_of_all_files_come_in_one_run_in_file_order(tmp_path: Path) -> None:
    changes = {"config": "[main]\nx = 1\n", "outlets__pdu-a": "[pdu\n", "servers__web": "[server]\ntags\n"}
    found = faults(write_site(tmp_path, **changes))
    assert [line.split()[0].rstrip(":") for line in found] == ["config.ini", "outlets/pdu-a.ini", "servers/web.ini"]


def test_a_shared_outlet_is_allowed_when_both_say_so(tmp_path: Path) -> None:
    text = server("outlets = p\n[p]\npdu = pdu-a\noutlet = 1\nshared = {}\n")
    both = write_site(tmp_path / "both", servers__nas=text.format("true"), servers__web=text.format("yes"))
    assert faults(both) == []
    one = write_site(tmp_path / "one", servers__nas=text.format("true"), servers__web=text.format("no"))
    assert len(faults(one)) == 1


def test_dummy_outlets_without_an_address_do_not_clash(tmp_path: Path) -> None:
    text = server("outlets = p\n[p]\npdu = pdu-a\n")
    changes = {"outlets__pdu-a": "[pdu]\ntype = Dummy\n", "servers__nas": text, "servers__web": text}
    assert faults(write_site(tmp_path, **changes)) == []


def test_no_secret_is_shown(tmp_path: Path) -> None:
    text = PDU + "comunity = hunter2\nauth_password = ${evn:hunter2\nwrite_community = hun#ter2\n"
    site = load_site(write_site(tmp_path, **{"outlets__pdu-a": text}))
    assert site.faults
    assert "ter2" not in "\n".join(map(str, site.faults))
    good = load_site(write_site(tmp_path, **{"outlets__pdu-a": PDU + "community = hunter2\n"}))
    assert good.faults == []
    assert "hunter2" not in repr(good)
    assert good.pdus["pdu-a"].settings["community"].reveal() == "hunter2"


def test_references_start_at_etc_and_open_files_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKLE_TEST_HOST", "127.0.0.9")
    text = "[pdu]\ntype = Raritan\nhost = ${env:OCKLE_TEST_HOST}\ncommunity = ${file:key}@9\n"
    etc = write_site(tmp_path, **{"outlets__pdu-a": text})
    key = etc / "key"
    key.write_text("private\n")
    key.chmod(0o644)
    site = load_site(etc)
    assert site.faults == []
    assert site.pdus["pdu-a"].settings["host"] == "127.0.0.9"
    assert site.pdus["pdu-a"].settings["community"].reveal() == "private@9"
    assert [warning.split(":")[0] for warning in site.warnings] == ["outlets/pdu-a.ini [pdu] community"]
    key.unlink()
    assert len(load_site(etc).faults) == 1
    assert load_site(etc, check_secrets=False).faults == []


def test_unresolved_references_stay_when_they_are_not_checked(tmp_path: Path) -> None:
    changes = {
        "outlets__pdu-a": "[pdu]\ntype = Raritan\nhost = ${env:OCKLE_NO_SUCH}\n",
        "testers__tcp": "[tester]\ntype = Command\ncommand = probe ${env:OCKLE_NO_SUCH}\n",
        "servers__web": server(""),
    }
    etc = write_site(tmp_path, **changes)
    assert len(load_site(etc).faults) == 2
    site = load_site(etc, check_secrets=False)
    assert site.faults == []
    assert site.pdus["pdu-a"].settings["host"] == "${env:OCKLE_NO_SUCH}"
    assert site.testers["tcp"].settings["command"] == ["probe", "${env:OCKLE_NO_SUCH}"]


def test_an_external_type_is_known_once_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.config.templates.EXTERNAL", dict(EXTERNAL))
    register_template("testers", "Smtp", parse_template('# Mail.\n[testerParams]\nhost=["host",null]\n', "Smtp.ini"))
    web = FILES["servers/web.ini"].replace("port = 80\n", "")
    assert faults(write_site(tmp_path, testers__tcp="[tester]\ntype = Smtp\n", servers__web=web)) == []


def test_a_missing_folder_and_unreadable_files_are_faults(tmp_path: Path) -> None:
    assert "does not exist" in faults(tmp_path / "none")[0]
    etc = write_site(tmp_path / "etc")
    (etc / "servers/latin.ini").write_bytes("[server]\ncomment = Büro\n".encode("latin-1"))
    (etc / "servers/dir.ini").mkdir()
    (etc / "servers/big.ini").write_bytes(b"#" * (1024 * 1024 + 1))
    (etc / "servers/out.ini").symlink_to(tmp_path / "elsewhere.ini")
    assert faults(etc) == [
        "servers/big.ini: larger than 1024 KiB",
        "servers/dir.ini: not a regular file",
        "servers/latin.ini: line 2: not UTF-8; save it as UTF-8",
        "servers/out.ini: servers/out.ini leads out of the configuration folder",
    ]


LINES = st.lists(
    st.sampled_from(
        ["[server]", "outlets = a, b", "[a]", "pdu = pdu-a", "outlet=1", "tags = x,,", "'", '"""', "= 1", "[["]
    )
    | st.text(max_size=20)
).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200) | LINES)
def test_any_bytes_give_faults_at_most(tmp_path: Path, file: str, data: bytes) -> None:
    etc = write_site(tmp_path)
    (etc / file).write_bytes(data)
    for fault in load_site(etc).faults:
        assert str(fault).isprintable()


def test_a_fault_of_a_pdu_does_not_hide_those_of_the_servers_on_it(tmp_path: Path) -> None:
    for name, text in {
        "config.ini": "[plugins]\nplugins = TimerPluginExample\n",
        "outlets/strip.ini": "[pdu]\ntype = PoE\nhost = 127.0.0.1\nretries = many\n",
        "servers/a.ini": "[server]\noutlets = psu\n[psu]\npdu = strip\nport = 3\n",
        "servers/b.ini": "[server]\noutlets = psu\n[psu]\npdu = strip\nport = 3\n",
        "servers/c.ini": "[server]\noutlets = psu\n[psu]\npdu = strip\nport = x\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    texts = [str(fault) for fault in load_site(tmp_path).faults]
    assert [text.partition(";")[0] for text in texts] == [
        "outlets/strip.ini [pdu] retries = 'many': not an integer",
        "servers/b.ini [psu]: the outlet strip group 1 port 3 also feeds servers/a.ini [psu]",
        "servers/c.ini [psu] port = 'x': not an integer",
    ]
