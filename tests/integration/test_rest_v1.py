# SPDX-License-Identifier: Apache-2.0
"""/api/v1 of bakplane's server answers curl as milvus-backup 0.5.7 does, and keeps promises.

What that tool answers is written down (lib/rest_v1.py), so that only one program has to run here;
test_slow_rest_v1.py asks it anew. Both read the same configuration file. What ours answers is held
against openapi.json, too.
"""

import json
import subprocess
import time

import pytest
from pymilvus import Collection

from integration.lib import milvus, rest_v1
from integration.lib.openapi import Description
from integration.lib.rest_v1 import HERE, PATIENCE

# Codes that differ on purpose, by the number of the case: what is not there is 404.
CODES = {
    "13": 404,  # there, a success without data
    "16": 404,  # there, 3
    "32": 404,  # there, what was deleted is still remembered
}
# Messages of 0.6, and our own.
MESSAGES = {"07", "08", "09", "10", "13", "16", "25", "29", "32"}
# What is only known, or only shown, where the document of a backup is.
NOT_THERE = {
    ".milvus_version", "[].collection_backups[].partition_backups", ".collection_restore_tasks",
    ".end_time", ".collection_backups[].partition_backups[].segment_backups[].deltalogs",
}
# Answered before they are over: they may have begun, and targets are named when they have ended.
ASYNCHRONOUS = {"21", "27"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory, milvus_on_minio):
    return rest_v1.Stage(tmp_path_factory.mktemp("ours"), milvus_on_minio)


@pytest.fixture(scope="module")
def description():
    return Description()


@pytest.fixture(scope="module")
def server(stage, description):
    with rest_v1.OurRest(stage, description) as server:
        yield server


@pytest.fixture(scope="module")
def outcomes(server):
    return rest_v1.play_all(server)


def lacking(expected, found, where=""):
    """Names of a shape that another has not."""
    if isinstance(expected, list) and expected:
        return lacking(expected[0], found[0], f"{where}[]") if found else [where]
    if not isinstance(expected, dict):
        return [] if expected == found else [where]
    names = []
    for name, member in expected.items():
        if name in found:
            names += lacking(member, found[name], f"{where}.{name}")
        else:
            names.append(f"{where}.{name}")
    return names


def test_each_request_has_the_same_outcome(outcomes):
    expected = rest_v1.recorded()
    assert list(outcomes) == list(expected)
    for name, theirs in expected.items():
        ours, number = outcomes[name], name[:2]
        runs = number in ASYNCHRONOUS and not name.endswith("over")
        assert ours["status"] == theirs["status"], name
        assert ours.get("text") == theirs.get("text"), name
        assert ours.get("error") == theirs.get("error"), name
        assert set(theirs.get("names", [])) <= set(ours.get("names", [])), name
        if "code" not in theirs:
            continue
        assert ours["code"] == CODES.get(number, theirs["code"]), f"{name}: {ours}"
        assert number in MESSAGES or ours["msg"] == theirs["msg"], f"{name}: {ours}"
        if number in CODES:
            continue
        assert not runs or ours["state"] in (0, 1), f"{name}: {ours}"
        for member in ("name", "backups") + (() if runs else ("state", "targets")):
            # Where there is no data there, ours says more.
            assert member not in theirs or ours[member] == theirs[member], f"{name}: {ours}"
        assert set(theirs.get("held", [])) <= set(ours.get("held", [])), f"{name}: {ours}"
        has_data = theirs["shape"] != "NoneType"
        assert not has_data or set(lacking(theirs["shape"], ours["shape"])) <= NOT_THERE, name


def test_the_code_is_always_sent(outcomes):
    processed = [one for one in outcomes.values() if "code" in one]
    assert len(processed) > 20
    for one in processed:
        assert "code" in one["names"]


def test_each_operation_has_answered_as_described(server, outcomes, description):
    refused = server.curl("POST", f"{HERE}/restore_secondary", {"backup_name": "one"})[1]
    assert refused["code"] == 400
    answered = {(method, path) for method, path, status in description.seen if status == 200}
    described = {one for one in description.operations() if one[1].startswith(f"{HERE}/")}
    assert described and described <= answered


def collection(stage, database, name):
    return Collection(name, using=milvus.using(stage.milvus, database))


def test_what_came_back(stage, outcomes):
    """The suffix and the index, the name that was given, and what was dropped first."""
    for database, name, rows, indexes in (("default", "simple_r", 50, ["vec_idx"]),
                                          ("default", "simple", 50, []),
                                          ("shop", "moved", 30, [])):
        one = collection(stage, database, name)
        assert one.num_entities == rows
        assert [each.index_name for each in one.indexes] == indexes


def test_tasks_are_known_to_a_later_server(server, outcomes):
    before = server.curl("GET", f"{HERE}/get_backup?backup_name=one")[1]["data"]
    server.stop()
    server.start()
    status, restored = server.curl("GET", f"{HERE}/get_restore?id=mine")
    assert (status, restored["code"], restored["data"]["state_code"]) == (200, 0, 2)
    assert restored["data"]["collection_restore_tasks"][0]["target_collection_name"] == "moved"
    for way in ("backup_name=one", f"backup_id={before['id']}"):
        found = server.curl("GET", f"{HERE}/get_backup?{way}",
                            headers=["request_id: later"])[1]
        assert (found["requestId"], found["data"]) == ("later", before)


def test_a_restore_by_a_plan(stage, server, outcomes):
    plan = {"mapping": [{"source": "shop", "target": "default",
                         "colls": [{"source": "items", "target": "planned"}]}],
            "filter": {"default": {"colls": ["planned"]}}}
    answer = server.curl("POST", f"{HERE}/restore", {"backup_name": "one", "restorePlan": plan})[1]
    assert answer["code"] == 0, answer
    assert collection(stage, "default", "planned").num_entities == 30


def test_a_client_that_goes_away_cancels_nothing(server, outcomes):
    body = json.dumps({"backup_name": "left", "collection_names": ["simple"]})
    words = ["curl", "-s", "-H", server.headers[0], "--data-binary", body,
             f"{server.url}{HERE}/create"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as client:
        path, end = f"{HERE}/get_backup?backup_name=left", time.monotonic() + PATIENCE
        while server.curl("GET", path)[1]["code"] != 0:
            assert time.monotonic() < end
            time.sleep(0.02)
        client.kill()
    status, text = rest_v1.ended(server, path)
    assert (status, json.loads(text)["data"]["state_code"]) == (200, 2)
    assert server.curl("DELETE", f"{HERE}/delete?backup_name=left")[1]["code"] == 0


def test_without_a_token_there_is_a_greeting_and_nothing_else(server):
    assert rest_v1.curl(server.url) == (200, "Hello, This is backup service")
    for case in rest_v1.CASES:
        if case[1] not in ("/", f"{HERE}/hello"):
            status, _ = server.exchange(case[0], case[1], case[2] if len(case) > 2 else None,
                                        token=None)
            assert status == 401, case
