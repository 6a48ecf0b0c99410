# SPDX-License-Identifier: Apache-2.0
"""storage-s3 against real servers: every operation (tests/unit/plugins/storage-s3/live_s3.c), over
http and https, and whole backups of a directory and of a bucket.
"""

import filecmp
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from botocore.session import Session

from services import MinioServer, VersityServer
from services.faults import Corrupt, Fault
from services.proxy import FaultProxy

BUILD = Path(os.environ["BAKPLANE_BUILD_DIR"])
PROGRAM = BUILD / "tests/unit/s3_live"
SIZES = {"small": 10, "chunk": 300_000, "parts": 9 << 20}
KINDS = {"minio": MinioServer, "s3": VersityServer}


@pytest.fixture(params=[(name, tls) for name in KINDS for tls in (False, True)],
                ids=lambda param: f"{param[0]}-{'https' if param[1] else 'http'}")
def storage(request):
    """The settings of a storage on a running server."""
    provider, tls = request.param
    with KINDS[provider](tls=tls) as server:
        settings = {"provider": provider, "endpoint": server.endpoint, "bucket": "test-bucket",
                    "access_key": server.access_key, "secret_key": server.secret_key,
                    "create_bucket": "true"}
        if tls:
            settings["ca_file"] = str(server.certificates.ca)
        yield settings


def test_every_operation(storage):
    text = "\n".join(f"{name}={value}" for name, value in storage.items()
                     if name != "create_bucket")
    done = subprocess.run([PROGRAM], env={**os.environ, "BAKPLANE_S3_TEST": text}, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert done.returncode == 0, done.stdout


class Setup:
    """A directory with two units, and a configuration with everything in it."""

    def __init__(self, folder, storage):
        self.folder, self.data = folder, folder / "data"
        for unit in ("one", "two"):
            for name, size in {**SIZES, "ä b+c%": 5, "empty": 0}.items():
                path = self.data / "db" / unit / "deep" / f"{unit}-{name}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(os.urandom(size))
        self.storages = {
            "data": {"plugin": "local", "root": str(self.data)},
            "bucket": {"plugin": "s3", **storage, "prefix": "backups/deep"},
            "copied": {"plugin": "s3", **storage, "prefix": "backups/deep/first/items"},
            "other": {"plugin": "s3", **storage, "prefix": "other"},
        }

    def run(self, source, target, *words, code=0):
        config = self.folder / "bakplane.json"
        config.write_text(json.dumps({
            "source": {"plugin": "files", "storage": source, "databases": True},
            "storages": self.storages, "backup": {"storage": target},
            "plugins": {"dirs": [str(BUILD / "lib/bakplane/plugins"),
                                 str(BUILD / "tests/plugins")]},
            "state_dir": str(self.folder / "state")}), encoding="utf-8")
        config.chmod(0o600)
        done = subprocess.run([os.environ["BAKPLANE_BIN"], "--config", config, "--json", *words],
                              check=False, capture_output=True, encoding="utf-8")
        assert done.returncode == code, done.stderr + done.stdout
        assert self.storages["bucket"]["secret_key"] not in done.stderr + done.stdout
        return json.loads(done.stdout)


def same_files(one, other):
    left = {p.relative_to(one) for p in one.rglob("*") if p.is_file()}
    right = {p.relative_to(other) for p in other.rglob("*") if p.is_file()}
    assert left == right
    assert filecmp.cmpfiles(one, other, left, shallow=False)[1:] == ([], [])


def test_backup_of_a_directory_and_of_a_bucket(storage, tmp_path):
    setup = Setup(tmp_path, storage)
    setup.run("data", "bucket", "check")
    made = setup.run("data", "bucket", "create", "-n", "first")
    assert made["items"] == 10
    assert setup.run("data", "bucket", "verify", "-n", "first", "--deep")["outcome"] == "done"
    setup.run("data", "bucket", "restore", "-n", "first")
    same_files(setup.data / "db", setup.data / "restored" / "db")

    # The same once more, copied by the store: the items of the first backup are the data.
    second = setup.run("copied", "other", "create", "-n", "second")
    assert (second["items"], second["bytes"]) == (made["items"], made["bytes"])
    assert setup.run("copied", "other", "verify", "-n", "second", "--deep")["outcome"] == "done"

    setup.run("data", "bucket", "delete", "-n", "first")
    setup.run("copied", "other", "delete", "-n", "second")
    for target in ("bucket", "other"):
        assert setup.run("data", target, "list")["backups"] == []


@pytest.mark.parametrize("where, at", [("length", 3), ("signature", 50), ("first", 100_000),
                                       ("line end", 262_232), ("last", 300_000)])
@pytest.mark.parametrize("provider", KINDS)
def test_byte_changed_on_its_way(provider, where, at, tmp_path):
    """Of a body in signed chunks of 256 KiB. The store says that the signature is wrong, or the
    form; the program sends it once more.
    """
    with KINDS[provider]() as server, FaultProxy(server.port) as proxy:
        setup = Setup(tmp_path, {
            "provider": provider, "endpoint": f"http://127.0.0.1:{proxy.port}",
            "bucket": "test-bucket", "access_key": server.access_key,
            "secret_key": server.secret_key, "create_bucket": "true"})
        fault = Fault(Corrupt(at=at, sent=True), "PUT", "one-chunk$")
        with proxy.meets(fault):
            setup.run("data", "bucket", "create", "-n", "first")
        assert fault.hits == 1
        setup.run("data", "bucket", "verify", "-n", "first", "--deep")
        setup.run("data", "bucket", "restore", "-n", "first")
        same_files(setup.data / "db", setup.data / "restored" / "db")


def policy_of_the_manual():
    text = (Path(__file__).parents[2] / "docs/guide/storage-s3.md").read_text(encoding="utf-8")
    return re.search(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE).group(1)


def test_rights_of_the_manual(tmp_path):
    """They are enough for everything, and for nothing outside of the prefix."""
    with MinioServer() as server:
        server.make_bucket("milvus-backups")
        login = Session().create_client(
            "sts", endpoint_url=server.endpoint, region_name=server.REGION,
            aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key)
        keys = login.assume_role(RoleArn="arn:minio:iam:::role/none", RoleSessionName="session",
                                 Policy=policy_of_the_manual())["Credentials"]
        setup = Setup(tmp_path, {
            "provider": "minio", "endpoint": server.endpoint, "bucket": "milvus-backups",
            "access_key": keys["AccessKeyId"], "secret_key": keys["SecretAccessKey"],
            "session_token": keys["SessionToken"]})
        setup.storages["bucket"]["prefix"] = "cluster-1"
        setup.storages = {name: setup.storages[name] for name in ("data", "bucket")}
        for words in (["check"], ["create", "-n", "first"], ["verify", "-n", "first", "--deep"],
                      ["list"], ["restore", "-n", "first"], ["delete", "-n", "first"]):
            setup.run("data", "bucket", *words)
        assert not server.list_keys("milvus-backups", "")
        setup.storages["bucket"]["prefix"] = "cluster-2"
        refused = setup.run("data", "bucket", "create", "-n", "first", code=1)
        assert refused["error"]["class"] == "denied"
