# SPDX-License-Identifier: Apache-2.0
"""/api/v2 of a real server, asked by curl; every answer is held against openapi.json."""

import json
import subprocess

import pytest

from integration.lib.cli import program
from integration.lib.openapi import FILE, Curl, Description
from services.bakplane_server import BakplaneServer

JOBS, BACKUPS = "/api/v2/jobs", "/api/v2/backups"
# A create with these takes minutes, unless it is cancelled.
SLOW = {"BP_FAULT": "storage.copy:backups:delay=1s"}
MANY = 100


@pytest.fixture(scope="module")
def description():
    return Description()


def fill(server):
    for name in ("default/books/1", "default/books/2", "shop/films/1"):
        file = server.source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name * 1000, encoding="utf-8")


def make_server(folder, **kwargs):
    read = folder / "read-token"
    read.write_text("a-token-that-may-only-look\n", encoding="utf-8")
    read.chmod(0o600)
    offsite = folder / "offsite"
    offsite.mkdir()
    settings = {"storages": {"offsite": {"plugin": "local", "root": str(offsite)},
                             "broken": {"plugin": "local", "root": str(read)}},
                "server": {"read_token_file": str(read)}}
    server = BakplaneServer(folder / "server", settings=settings, **kwargs)
    fill(server)
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with make_server(tmp_path_factory.mktemp("rest")) as running:
        yield running


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory):
    slow = make_server(tmp_path_factory.mktemp("slow"), env=SLOW)
    slow.settings["backup"]["concurrency"] = {"copies": 1}
    for number in range(MANY):
        (slow.source / "default" / "books" / f"more-{number}").write_text("x", encoding="utf-8")
    with slow as running:
        yield running


@pytest.fixture
def curl(server, description):
    return Curl(server, description)


def command(server, *words):
    """What the command line prints on the same configuration."""
    done = subprocess.run([program(), "--config", server.config, "--json", *words], check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def test_description_is_valid_and_served(curl, description):
    description.validate()
    served = curl.get("/api/v2/openapi.json", token=None).expect(200)
    assert served.json == json.loads(FILE.read_text(encoding="utf-8"))
    page = curl.get("/api/v2/docs", token=None).expect(200, "<!DOCTYPE html>", *served.json["paths"])
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_life_of_a_backup(curl, server, description):
    created = curl.do("POST", BACKUPS, {"name": "b", "filter": "default.*"})
    assert (created["origin"], created["verb"], created["name"]) == ("rest-v2", "create", "b")
    assert created["result"]["outcome"] == "done" and created["result"]["items"] == 2
    curl.do("POST", BACKUPS)  # its name is made up

    first = curl.get(f"{BACKUPS}?limit=1").expect(200).json
    assert [one["name"] for one in first["backups"]] == ["b"] and first["next"] == "b"
    rest = curl.get(f"{BACKUPS}?limit=1&cursor=b&status=success").expect(200).json
    assert len(rest["backups"]) == 1 and "next" not in rest
    listed = command(server, "list")["backups"]
    assert first["backups"] + rest["backups"] == listed

    shown = curl.get(f"{BACKUPS}/b?detail=true").expect(200).json
    printed = command(server, "get", "-n", "b", "--detail")
    assert shown == {"storage": "backups", **{key: value for key, value in printed.items()
                                             if key not in ("job", "outcome", "notes")}}

    verified = curl.do("POST", f"{BACKUPS}/b/verify", {"deep": True})
    assert verified["result"]["compared"] > 0
    curl.do("POST", f"{BACKUPS}/b/copy", {"to": "offsite"})
    looked = curl.do("POST", f"{BACKUPS}/b/restore", {"storage": "offsite", "dry_run": True})
    assert looked["result"]["touched"] is False
    restored = curl.do("POST", f"{BACKUPS}/b/restore", {"storage": "offsite", "suffix": "_again"})
    assert {one["state"] for one in restored["result"]["targets"]} == {"complete"}
    curl.do("DELETE", f"{BACKUPS}/b")
    curl.get(f"{BACKUPS}/b").expect(404, "b")
    curl.get(f"{BACKUPS}/b?storage=offsite").expect(200)

    jobs = curl.get(f"{JOBS}?state=succeeded&limit=1000").expect(200).json["jobs"]
    assert [job["verb"] for job in jobs] == ["delete", "restore", "restore", "copy", "verify",
                                             "create", "create"]
    where = f"{JOBS}/{created['id']}"
    curl.get(f"{where}/log").expect(200, "phase")
    curl.ask("POST", f"{where}/cancel").expect(409, "has ended: succeeded")

    curl.get("/api/v2/health", token=None).expect(200)
    curl.get("/api/v2/ready", token=None).expect(200)
    curl.get("/metrics").expect(200, "bakplane_")
    names = {one["name"]: one["default"] for one in
             curl.get("/api/v2/storages").expect(200).json["storages"]}
    assert names == {"backups": True, "broken": False, "data": False, "offsite": False}
    plugins = curl.get("/api/v2/plugins").expect(200).json["plugins"]
    kept = [{key: value for key, value in one.items() if key not in ("path", "refused")}
            for one in command(server, "plugin", "list")["plugins"]]
    assert plugins == kept

    # Starting a job of each verb by the other address, and what is not the backup's.
    curl.do("POST", JOBS, {"verb": "prune", "keep_last": 1, "dry_run": True})
    curl.do("POST", JOBS, {"verb": "delete", "name": "none"}, state="failed")
    answered = {(method, path) for method, path, status in description.seen if status < 300}
    missing = {(method, path) for method, path in description.operations() - answered
               if not path.startswith("/api/v1/")}
    assert missing <= {("POST", f"{JOBS}/{{id}}/cancel"), ("GET", "/api/v2/openapi.json"),
                       ("GET", "/api/v2/docs")}  # the other tests', as is all of /api/v1


def test_key_makes_asking_again_safe(curl, server):
    body = {"name": "keyed"}
    key = ["Idempotency-Key: 6f1c-2"]
    first = curl.post(BACKUPS, body, headers=key).expect(202)
    again = curl.post(BACKUPS, body, headers=key).expect(200)
    assert again.headers["location"] == first.headers["location"]
    curl.post(BACKUPS, {"name": "other"}, headers=key).expect(422, first.json["id"])
    curl.post(BACKUPS, body, headers=["Idempotency-Key;"]).expect(400, "key")
    curl.post(BACKUPS, body, headers=[*key, "Idempotency-Key: 2"]).expect(400, "twice")
    assert curl.end_of(first.headers["location"])["state"] == "succeeded"
    server.stop()
    server.start()
    late = curl.post(JOBS, {"verb": "create", "name": "keyed"}, headers=key).expect(200)
    assert late.headers["location"] == first.headers["location"]


def test_another_job_is_at_it(slow_server, description):
    curl = Curl(slow_server, description)
    where = curl.start("POST", BACKUPS, {"name": "b"})
    curl.post(BACKUPS, {"name": "b"}).expect(409, where.rpartition("/")[2])
    curl.ask("DELETE", f"{BACKUPS}/b").expect(409)
    state = curl.get(f"{where}?wait=1").expect(200).json["state"]
    assert state in ("queued", "running")
    curl.post(f"{where}/cancel").expect(202)
    curl.post(f"{where}/cancel", "{}").expect(202)
    assert curl.end_of(where)["state"] == "cancelled"


def test_who_may(curl, server):
    look = server.settings["server"]["read_token_file"]
    with open(look, encoding="utf-8") as file:
        look = file.read().strip()
    jobs_before = curl.get(JOBS).json
    curl.get(JOBS, token=look).expect(200)
    curl.get(BACKUPS, token=look).expect(200)
    for method, target in (("POST", JOBS), ("POST", BACKUPS), ("DELETE", f"{BACKUPS}/b"),
                           ("POST", f"{BACKUPS}/b/restore"), ("POST", f"{BACKUPS}/b/copy"),
                           ("POST", f"{BACKUPS}/b/verify"), ("POST", f"{JOBS}/x/cancel")):
        curl.ask(method, target, {}, token=look).expect(403, "may look, but not operate")
        refused = curl.ask(method, target, {}, token=None).expect(401, "a valid token")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        curl.ask(method, target, {}, token="not-the-token-of-it").expect(401)
    for target in (JOBS, BACKUPS, "/api/v2/storages", "/api/v2/plugins", "/api/v2/none"):
        curl.get(target, token=None).expect(401)
    assert curl.get(JOBS).json == jobs_before


@pytest.mark.parametrize("method, target, body, status, text", [
    ("GET", f"{JOBS}?color=red", None, 400, "no parameter 'color'"),
    ("GET", f"{JOBS}?limit=1001", None, 400, "limit is a number from 1 to 1000"),
    ("GET", f"{BACKUPS}?status=fine", None, 400, "no status 'fine'"),
    ("GET", f"{BACKUPS}?storage=s3", None, 400, "no storage 's3'"),
    ("GET", f"{BACKUPS}/b%2Fc", None, 400, "slash inside a part"),
    ("GET", f"{BACKUPS}/%252e", None, 404, "%2e"),  # decoded once
    ("GET", f"{BACKUPS}/no-such", None, 404, "no-such"),
    ("GET", f"{JOBS}/20261126-014500-8c1f03?wait=60", None, 404, "no job"),
    ("GET", "/api/v2/nothing", None, 404, "nothing at this address"),
    ("PUT", JOBS, {}, 405, "does not know that method"),
    ("POST", JOBS, {"verb": "create", "colour": 1}, 400, "create knows no 'colour'"),
    ("POST", JOBS, {"verb": "create", "settings": ["a=b"]}, 403, "settings"),
    ("POST", BACKUPS, {"verb": "create"}, 400, "'verb' is said by the address"),
    ("POST", BACKUPS, '{"name": "a", "name": "b"}', 400, "not valid JSON"),
    ("POST", BACKUPS, [], 400, "not a JSON object"),
    ("POST", f"{BACKUPS}/b/restore", {"suffix": 1}, 400, "'suffix' of restore has to be a text"),
    ("POST", f"{BACKUPS}/b/copy", {"to": "http://evil"}, 400, "no storage 'http://evil'"),
    ("DELETE", f"{BACKUPS}/b?force=yes", None, 400, "force is true or false"),
    ("POST", JOBS, "x" * (1 << 20) + "x", 413, "too large"),
])
def test_refused(curl, method, target, body, status, text):
    refused = curl.ask(method, target, body).expect(status, text)
    assert refused.json["status"] == status
    assert ("allow" in refused.headers) == (status == 405)


def test_storage_that_cannot_be_used(curl):
    curl.get(f"{BACKUPS}?storage=broken").expect(500, "storage broken", "is not a directory")
    curl.get(f"{BACKUPS}/b?storage=broken").expect(500, "storage broken")
    curl.get(f"{BACKUPS}?storage=offsite").expect(200)
