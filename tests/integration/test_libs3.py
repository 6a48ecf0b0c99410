# SPDX-License-Identifier: Apache-2.0
"""sdk/examples/storage-libs3 on MinIO, which still takes signatures of version 2: whole backups of a
directory and of a Milvus, its limits, and what goes wrong on the way.

The plugin comes from the prefix that the test examples.libs3 installs and builds into.
"""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from examples.conformance import check
from examples.trees import Tree, Trees, same
from integration.lib import data, milvus
from integration.lib.cli import EXIT_DONE, EXIT_FAILED, Bakplane, program, targets
from services.faults import CutAnswer, CutRequest, Fault, LoseAnswer, Reset, Stall, s3_error
from services.proxy import FaultProxy

# A bound against hanging, not a measure: a cancelled run should end within a second.
SOON = 30
BUILD = program().resolve().parent.parent
PREFIX = Path(os.environ.get("BAKPLANE_BUILD_DIR") or BUILD) / "tests/examples/examples.libs3/prefix"
PLUGINS = PREFIX / "lib/bakplane/plugins"

pytestmark = pytest.mark.skipif(not (PLUGINS / "bakplane-storage-libs3.so").exists(),
                                reason="storage-libs3 is not built: ctest -R examples.libs3")


@pytest.fixture(scope="module")
def proxy(minio):
    with FaultProxy(minio.port) as made:
        yield made


@pytest.fixture
def bucket(minio, request):
    return minio.make_bucket(f"libs3-{abs(hash(request.node.name)) % 10 ** 8}")


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path / "www")


def configure(trees, storage, **backup):
    trees.settings["plugins"] = {"dirs": [str(PLUGINS)]}
    trees.settings["storages"]["backups"] = storage
    trees.settings["backup"].update({"lock": "advisory", **backup})
    trees.write()
    trees.config.chmod(0o600)
    return trees


@pytest.fixture
def trees(tmp_path, tree, minio, proxy, bucket):
    """A directory, and backups in a bucket behind the proxy."""
    made = Trees(tmp_path / "bakplane", {"www": tree.root}, tmp_path / "unused")
    storage = {"plugin": "libs3", "endpoint": f"http://127.0.0.1:{proxy.port}", "bucket": bucket,
               "prefix": "deep/er", "access_key": minio.access_key, "secret_key": minio.secret_key}
    return configure(made, storage)


def test_a_directory_there_and_back(trees, tree, minio, bucket):
    tree.seed()
    trees.settings["storages"]["backups"]["endpoint"] = minio.endpoint
    trees.write()
    for name in ("with space", "a+b", "100%25", "a&b=c?d#e", "gr\u00f6\u00dfe", "~", "x;y:z,(w)"):
        tree.write(f"names/{name}", name.encode())
    for i in range(1100):  # more than a page of a listing
        tree.write(f"many/{i}", b"%d" % i)
    trees.run("check").expect(EXIT_DONE)
    made = trees.create("b").json
    assert made["items"] == 1112
    assert all(key.startswith("deep/er/b/") for key in minio.list_keys(bucket))
    assert trees.verify("b", "--deep").json["outcome"] == "done"
    assert trees.list()["b"]["items"] == 1112
    trees.restore_out("b", "--verify", "deep")
    same(tree.root, trees.out / "www")
    trees.delete("b")
    assert minio.list_keys(bucket) == []


def test_a_milvus_there_and_back(source, tmp_path, minio, bucket):
    data.simple(source, "simple", count=60, load=True).delete("id in [1, 2, 3]")
    expected = milvus.everything(source)
    bakplane = Bakplane(tmp_path / "bakplane", source)
    configure(bakplane, {"plugin": "libs3", "endpoint": minio.endpoint, "bucket": bucket,
                         "access_key": minio.access_key, "secret_key": minio.secret_key})
    bakplane.create("b")
    assert bakplane.verify("b", "--deep").json["outcome"] == "done"
    milvus.wipe(source)
    restored = targets(bakplane.restore("b", "--wait"))
    assert restored["default.simple"]["state"] == "complete"
    milvus.assert_same(expected, milvus.everything(source))


def test_limits_are_told_before_the_first_byte(trees, tree, minio, bucket):
    """No exclusive creation, no parts: what does not fit into one PUT is refused."""
    tree.write("large", os.urandom(3 << 20))
    trees.settings["backup"]["lock"] = None
    trees.write()
    trees.create("b", expect=EXIT_FAILED).mentions("exclusive", "lock: advisory")
    trees.settings["backup"]["lock"] = "advisory"
    trees.settings["storages"]["backups"]["max_object"] = "2MiB"
    trees.write()
    trees.create("b", expect=EXIT_FAILED).mentions(
        "large", "has 3145728 bytes", "at most 2097152 in one piece")
    assert not any("large" in key for key in minio.list_keys(bucket))


@pytest.mark.parametrize("change, text", [
    ({"secret_key": "not the right one"}, "SignatureDoesNotMatch"),
    ({"access_key": "nobody"}, "InvalidAccessKeyId"),
    ({"bucket": "no-such-bucket"}, "NoSuchBucket"),
    ({"endpoint": "http://127.0.0.1:1"}, "FailedToConnect"),
    ({"endpoint": "http://"}, "endpoint"),
    ({"bucket": "a/b"}, "is no name of one")])
def test_what_is_wrong_is_said(trees, tree, minio, change, text):
    trees.settings["storages"]["backups"].update(change)
    trees.settings["backup"]["retry"] = {"attempts": 2, "max_delay": "100ms"}
    trees.write()
    result = trees.run("create", "-n", "b")
    assert result.code != EXIT_DONE
    result.mentions(text)
    secret = trees.settings["storages"]["backups"]["secret_key"]
    assert secret not in result.out + result.err


WRITING = {
    "slow-down": s3_error(503, "SlowDown"),
    "unavailable": s3_error(503, "ServiceUnavailable"),
    "internal": s3_error(500, "InternalError"),
    "reset": Reset(),
    "cut-request": CutRequest(100_000),
    "lost-answer": LoseAnswer(),
}
READING = {
    "cut-answer": CutAnswer(100_000),
    "slow-down": s3_error(503, "SlowDown"),
    "reset": Reset(),
}


def faults(method, actions):
    """Each file meets its own, twice."""
    return [Fault(action, method, f"files/1/{name}$", times=2) for name, action in actions.items()]


def test_what_passes_is_tried_again(trees, tree, proxy):
    for name in {**WRITING, **READING}:
        tree.write(name, os.urandom(1 << 20))
    trees.settings["backup"]["retry"] = {"attempts": 4, "max_delay": "200ms"}
    trees.write()
    writing, reading = faults("PUT", WRITING), faults("GET", READING)
    with proxy.meets(*writing):
        trees.create("b")
    with proxy.meets(*reading):
        assert trees.verify("b", "--deep").json["outcome"] == "done"
    assert [fault.hits for fault in writing + reading] == [2] * 9
    trees.restore_out("b")
    same(tree.root, trees.out / "www")


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_cancel_while_nothing_comes(trees, tree, proxy, method):
    """Soon, whatever the server does not do."""
    tree.write("large", os.urandom(1 << 20))
    verb = ["create", "-n", "b"]
    if method == "GET":
        trees.create("b")
        verb = ["verify", "-n", "b", "--deep"]
    with proxy.meets(Fault(Stall(), method, r"files/1/large", times=None)) as fault:
        process = trees.start(*verb)
        fault.wait()
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        result = trees.finish(process)
    assert result.code not in (EXIT_DONE, None)
    assert time.monotonic() - began < SOON


def answer(status, code, cls):
    return {"status": status, "class": cls,
            "body": f"<Error><Code>{code}</Code><Message>m</Message></Error>"}


def test_conformance(minio, bucket, tmp_path):
    """But for what the library does not let pass; the plugin's README says why."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        check(PLUGINS / "bakplane-storage-libs3.so", {
            "storage": {"plugin": "libs3", "endpoint": minio.endpoint, "bucket": bucket,
                        "prefix": "one", "access_key": minio.access_key,
                        "secret_key": minio.secret_key},
            "hooks": {
                "second": {"prefix": "two"},
                "denied": {"bucket": "kit-none"},
                "unreachable": {"endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}"},
                "bad_values": {"endpoint": "http://", "bucket": "a/b"},
                "server": {"settings": {"endpoint": "http://127.0.0.1:{port}"},
                           "answers": [answer(503, "SlowDown", "throttled"),
                                       answer(403, "SignatureDoesNotMatch", "auth")]},
            },
        }, tmp_path, failed=["write.keys", "server.statuses", "server.answers"],
            skipped=r"write\.(unknown_size|bad_keys|exclusive.*)|list\.(strong|many)|leaks\.files"
                    r"|server\.retry_after")
