from __future__ import annotations

import json
import signal
import socket
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from totango_sandbox.cli import main


def test_it_says_where_it_listens_and_stops_cleanly(start):
    with start("--seed", "none", "--token", "t", "--service-id", "SP-7-02") as sandbox:
        assert sandbox.info == {
            "url": sandbox.url,
            "token": "t",
            "service_id": "SP-7-02",
            "pid": sandbox.process.pid,
        }
        sandbox.process.send_signal(signal.SIGINT)
        out, err = sandbox.process.communicate(timeout=10)
    assert sandbox.process.returncode == 0
    assert err == ""
    for setting in ("api_url", "tracking_url", "hub_url"):
        assert f"{setting} " in out
    assert sandbox.url in out
    assert "SP-7-02" in out


def test_sigterm_is_a_clean_stop_even_while_a_call_hangs(start):
    with start("--seed", "none", "--chaos", "timeout@tracking:hang=60") as sandbox:
        hung = socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])))
        hung.sendall(b"GET /pixel.gif?sdr_o=a HTTP/1.1\r\nhost: x\r\n\r\n")
        while not sandbox.stats()["max_in_flight"].get("tracking"):
            pass
        sandbox.process.send_signal(signal.SIGTERM)
        _, err = sandbox.process.communicate(timeout=10)
        hung.close()
    assert (sandbox.process.returncode, err) == (0, "")


def test_a_port_in_use_is_one_sentence(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port, "--seed", "none")
    assert done.returncode == 1
    assert port in done.stderr
    assert "--port" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--chaos", "nonsense"], "nonsense"),
        (["--set", "tyes=stable"], "tyes"),
        (["--set", "ties"], "SWITCH=VALUE"),
        (["--set", "ties=wobbly"], "wobbly"),
        (["--seed", "many"], "many"),
        (["--seed", "accounts=x"], "accounts=x"),
        (["--seed", "users=5"], "users"),
        (["--rate-limit", "-1"], "-1"),
        (["--service-id", "12345"], "12345"),
        (["--host", "0.0.0.0"], "loopback"),
        (["--host", "example.com"], "loopback"),
        (["--port", "99999"], "99999"),
    ],
)
def test_wrong_usage_is_one_sentence(capsys, arguments, word):
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", "0", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert word in said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("totango-sandbox")


def test_help_explains_switches_and_chaos(capsys):
    said = {}
    for arguments in (["serve", "--help"], ["--version"], ["--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        said[arguments[0]] = capsys.readouterr().out
    for word in ("beyond_window", "error|empty|serve", "term.<type>", "duplicate-page", "every=N"):
        assert word in said["serve"]
    assert said["--version"].startswith("totango-sandbox ")


def test_without_its_packages_it_says_what_brings_them(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "totango_sandbox.server", None)
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", "0"])
    assert ended.value.code == 1
    assert "pip install '.[sandbox]'" in capsys.readouterr().err


def test_a_clone_that_is_not_installed_has_no_version(capsys, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == "totango-sandbox (not installed)\n"


def test_flags_reach_the_service(start):
    flags = ["--rate-limit", "2", "--sdr-token", "s", "--set", "terms=evidenced"]
    with start("--seed", "none", *flags, "--chaos", "503@users") as sandbox:
        assert sandbox.post_search("accounts").headers["RateLimit-Limit"] == "2"
        assert sandbox.post_search("users").status_code == 503
        sandbox.track(sdr_o="a")
        assert sandbox.dump("accounts") == []
        assert sandbox.stats()["switches"]["terms"] == "evidenced"
        assert json.dumps(sandbox.stats()["chaos"]).count("503@users") == 1


def test_a_file_that_cannot_be_opened_is_one_sentence(run, tmp_path):
    done = run("serve", "--port", "0", "--db", str(tmp_path / "no" / "such.db"))
    assert done.returncode == 1
    assert "such.db" in done.stderr
    assert "Traceback" not in done.stderr
