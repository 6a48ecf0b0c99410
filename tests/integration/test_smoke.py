# SPDX-License-Identifier: Apache-2.0
"""One backup there and back; also run by builds with sanitizers, so it stays small."""

from integration.lib import data, milvus
from integration.lib.cli import targets


def test_round_trip(source, bakplane):
    data.simple(source, "simple", count=60, load=True).delete("id in [1, 2, 3]")
    data.simple(source, "unloaded", count=10, index=False)
    expected = milvus.everything(source)
    program = bakplane(source)
    program.run("version").expect(0)

    created = program.create("smoke").json
    assert created["state"] == "success" and created["items"] > 0
    assert program.list()["smoke"]["status"] == "success"
    verified = program.verify("smoke", "--deep").json
    assert verified["compared"] == created["items"]

    milvus.wipe(source)
    restored = targets(program.restore("smoke", "--wait"))
    assert {path: one["state"] for path, one in restored.items()} == {
        "default.simple": "complete", "default.unloaded": "complete"}
    milvus.assert_same(expected, milvus.everything(source))
    program.delete("smoke")
    assert program.list() == {}
