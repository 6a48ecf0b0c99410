# SPDX-License-Identifier: Apache-2.0
"""What users get wrong: told at once, in words that help, with the documented exit code."""

import json

import pytest

from integration.lib import data, files, golden, milvus
from integration.lib.cli import (EXIT_DIFFERENT, EXIT_FAILED, EXIT_USAGE, Bakplane, notes,
                                 targets)
from services import MilvusServer

NOBODY = {"source": {"address": "127.0.0.1:1"}, "storages": {"milvus-data": {
    "plugin": "local", "root": "/nonexistent/milvus"}}}


@pytest.fixture
def offline(bakplane):
    """No Milvus answers; a backup of another tool is there."""
    program = bakplane(settings=NOBODY)
    golden.unpack("g_057", program.backups)
    return program


# -- usage and configuration


@pytest.mark.parametrize("words, mentioned", [
    (["creat"], ["creat", "create"]),
    (["create", "--nmae", "x"], ["--nmae", "--name"]),
    (["restore"], ["-n"]),
    (["restore", "-n", "x", "--drop-exist-colection"], ["--drop-exist-col"]),
    (["create", "-n", "has blank"], ["has blank"]),
    (["create", "-n", "../up"], ["../up"]),
    (["create", "-n", "x", "--concurrency-units", "0"], ["concurrency"]),
    (["create", "-n", "x", "--throttle", "fast"], ["throttle", "fast"]),
    (["create", "-n", "x", "--prove", "maybe"], ["prove", "maybe"]),
    (["restore", "-n", "g_057", "--filter", "a.b.c"], ["a.b.c"]),
    (["--set", "source.adress=1", "list"], ["adress", "address"]),
    (["--set", "source.password=secret1", "list"], ["password"]),
    (["create", "--rbac"], ["--rbac"]),
])
def test_usage(offline, words, mentioned):
    result = offline.run(*words).expect(EXIT_USAGE).mentions(*mentioned)
    assert result.out == "" and "secret1" not in result.err


BACKUP = "backup: {storage: b}\nstorages: {b: {plugin: local, root: /tmp/b}}\n"


@pytest.mark.parametrize("text, mentioned", [
    (BACKUP + "source: {plugin: milvus, adress: 'x:1'}\n",
     ["bakplane.yaml", "adress", "address", "3"]),
    (BACKUP + "source:\n  plugin: milvus\n  tls_mode: 7\n", ["tls_mode", "7"]),
    (BACKUP + "source:\n  plugin: milvus\n  address: a:1\n  address: b:2\n", ["address", "6"]),
    ("backup: {storage: b}\nsource: {plugin: milvus}\n", ['"b"']),
    ("backup: [1, 2\n", ["bakplane.yaml"]),
    ("source: {plugin: milvus}\n", ["backup.storage"]),
    (BACKUP + "source: {plugin: milvus}\nsauce: 1\n", ["sauce", "source"]),
])
def test_configuration(bakplane, text, mentioned):
    program = bakplane(settings=NOBODY)
    program.config.write_text(text, encoding="utf-8")
    program.run("list").expect(EXIT_USAGE).mentions(*mentioned)


@pytest.mark.parametrize("words", [["list"], ["check"], ["create", "-n", "b"]])
@pytest.mark.parametrize("key", ["source.plugin", "storages.backups.plugin"])
def test_plugin_that_is_not_there(bakplane, words, key):
    result = bakplane(settings=NOBODY).run("--set", f"{key}=nosuch", *words)
    result.expect(EXIT_USAGE).mentions("nosuch", "bakplane-source-milvus.so")


def test_missing_configuration(bakplane, tmp_path):
    program = bakplane(settings=NOBODY)
    program.config.unlink()
    program.run("list").expect(EXIT_USAGE).mentions(str(program.config))


def test_config_show_masks_secrets(bakplane):
    program = bakplane(settings={**NOBODY, "source": {"user": "root", "password": "very secret"}})
    shown = program.run("config", "show").expect(0)
    assert "very secret" not in shown.out + shown.err
    shown.mentions("source.user", "root", "source.password", str(program.config))
    changed = program.run("config", "show", env={"BAKPLANE__SOURCE__USER": "from_env"}).expect(0)
    changed.mentions("from_env", "BAKPLANE__SOURCE__USER")


# -- while Milvus is down


def test_without_milvus_backups_can_be_managed(offline):
    assert "g_057" in offline.list()
    offline.get("g_057", "--detail")
    offline.verify("g_057", "--deep")
    offline.delete("g_057", "--force")
    assert offline.list() == {}


def test_without_milvus_nothing_is_made(offline):
    result = offline.run("--set", "source.connect_timeout=500ms", "--set",
                         "backup.retry.attempts=2", "create", "-n", "b").expect(EXIT_FAILED)
    result.mentions("127.0.0.1:1")
    assert "b" not in offline.list()
    offline.run("--set", "source.connect_timeout=500ms", "--set", "backup.retry.attempts=2",
                "restore", "-n", "g_057").expect(EXIT_FAILED).mentions("127.0.0.1:1")


# -- which Milvus, which folder


def test_empty_milvus_cannot_be_checked(source, bakplane):
    result = bakplane(source).run("check").expect(EXIT_DIFFERENT)
    result.mentions("cannot be proven", "no segments")


def test_check_of_a_milvus_with_data(source, bakplane):
    data.simple(source, "one", count=10)
    report = bakplane(source).run("--json", "check").expect(0).json
    assert {one["status"] for one in report["checks"]} == {"ok"}


@pytest.mark.parametrize("words", [["check"], ["create", "-n", "b"]])
def test_root_path_of_another_milvus(source, target, bakplane, words):
    """The folder is there and looks right, but the segments are somebody else's."""
    data.simple(source, "one", count=10)
    data.simple(target, "one", count=10)
    program = bakplane(source, settings={"storages": {"milvus-data": {
        "root": str(target.root_path)}}})
    result = program.run(*words)
    assert result.code in (EXIT_FAILED, EXIT_USAGE), result
    result.mentions(str(target.root_path), "milvus-data", "root", "insert_log")
    assert program.list() == {}


@pytest.mark.parametrize("where", ["/nonexistent/data", "parent", "child"])
def test_wrong_root_path(source, bakplane, where):
    data.simple(source, "one", count=10)
    folders = {"parent": source.root_path.parent, "child": source.root_path / "insert_log"}
    root = str(folders.get(where, where))
    program = bakplane(source, settings={"storages": {"milvus-data": {"root": root}}})
    for words in (["check"], ["create", "-n", "b"]):
        result = program.run(*words)
        assert result.code in (EXIT_FAILED, EXIT_USAGE), result
        result.mentions(root)
    assert program.list() == {}


def test_backups_where_nothing_can_be_written(source, bakplane):
    data.simple(source, "one", count=10)
    program = bakplane(source, prefix=files.obeys_modes())
    program.backups.mkdir()
    program.backups.chmod(0o555)
    program.create("b", expect=EXIT_FAILED).mentions(str(program.backups))


def test_backups_that_the_server_may_not_read(source, target, bakplane):
    """An unreadable folder looks empty to Milvus: so it is not even asked to look there."""
    data.simple(source, "one", count=10)
    program = bakplane(source)
    program.create("b")
    expected = milvus.rows(source, "default.one")
    other = bakplane(target, settings={"storages": {"backups": {"server_user": "nobody"}}})
    program.backups.chmod(0o700)
    result = other.restore("b", "--placement", "in_place", expect=EXIT_USAGE)
    result.mentions("storage backups", "nobody", "mode")
    assert not milvus.has(target, "default.one")

    result = other.restore("b")
    assert "not-in-place" in notes(result)
    assert targets(result)["default.one"]["state"] == "complete"
    assert milvus.rows(target, "default.one") == expected


# -- who


@pytest.fixture(scope="module")
def guarded():
    """A Milvus that wants a password and a client certificate."""
    with MilvusServer("2.3.5", auth=True, tls=2) as server:
        data.simple(server, "one", count=25)
        yield server


def login(server, folder, **changes):
    certificates = server.certificates
    source = {"user": server.USER, "password": {"env": "TEST_PASSWORD"}, "tls_mode": 2,
              "ca_file": str(certificates.ca), "cert_file": str(certificates.client),
              "key_file": str(certificates.client_key), "server_name": "localhost"}
    return Bakplane(folder, server, settings={"source": {**source, **changes}})


def test_password_and_certificates(guarded, tmp_path):
    program = login(guarded, tmp_path)
    env = {"TEST_PASSWORD": guarded.PASSWORD}
    program.create("b", env=env)
    secret = tmp_path / "secret"
    secret.write_text(guarded.PASSWORD + "\n", encoding="utf-8")
    secret.chmod(0o600)
    from_file = login(guarded, tmp_path, password={"file": str(secret)})
    from_file.restore("b", "--suffix", "_2")
    assert len(milvus.rows(guarded, "default.one_2")) == 25
    milvus.drop(guarded, "default.one_2")


def test_wrong_password(guarded, tmp_path):
    program = login(guarded, tmp_path)
    result = program.create("b", expect=EXIT_FAILED, env={"TEST_PASSWORD": "not the password"})
    assert result.json["error"]["class"] == "auth", result
    assert "not the password" not in result.err + result.out
    assert not program.path("b").exists()


@pytest.mark.parametrize("changes, code", [
    ({"cert_file": None, "key_file": None}, EXIT_USAGE),
    ({"cert_file": None, "key_file": None, "tls_mode": 1}, EXIT_FAILED),
    ({"server_name": "somebody.else"}, EXIT_FAILED),
    ({"ca_file": None}, EXIT_FAILED),
    ({"ca_file": "/nonexistent.pem"}, None),
    ({"tls_mode": 0, "ca_file": None, "cert_file": None, "key_file": None, "server_name": None},
     EXIT_FAILED),
])
def test_wrong_certificates(guarded, tmp_path, changes, code):
    program = login(guarded, tmp_path, connect_timeout="2s", **changes)
    result = program.run("--set", "backup.retry.attempts=1", "create", "-n", "b",
                         env={"TEST_PASSWORD": guarded.PASSWORD}, timeout=60)
    assert result.code in ((EXIT_FAILED, EXIT_USAGE) if code is None else (code,)), result


# -- what programs read


def test_json_is_all_that_stdout_holds(offline):
    result = offline.run("--json", "restore", "-n", "nobody").expect(EXIT_FAILED)
    answer = json.loads(result.out)
    assert answer["outcome"] == "failed"
    assert answer["error"]["class"] == "not-found" and "nobody" in answer["error"]["message"]
    assert "error: " in result.err


def test_progress_events(source, bakplane):
    data.simple(source, "one", count=10)
    result = bakplane(source).run("--progress=json", "create", "-n", "b").expect(0)
    events = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    assert {"phase", "done"} <= {event["event"] for event in events}
    assert any(event["phase"] == "copy" for event in events)
