# SPDX-License-Identifier: Apache-2.0
"""Many small collections at once."""

from integration.lib import data, milvus
from integration.lib.cli import targets

COUNT = 200


def test_two_hundred_collections(source, target, bakplane):
    paths = data.many(source, COUNT, rows=20)
    program = bakplane(source)
    created = program.create("many", "--concurrency-units", 8, timeout=1200).json
    assert len(created["units"]) == COUNT
    assert program.verify("many", "--deep").json["compared"] == created["items"]
    result = targets(bakplane(target).restore("many", timeout=1500))
    assert {one["state"] for one in result.values()} == {"complete"} and len(result) == COUNT
    facts = {path: milvus.describe(source, path) for path in paths}
    milvus.assert_same(facts, {path: milvus.describe(target, path) for path in paths})
    for path in paths[::20]:
        milvus.assert_same(milvus.rows(source, path), milvus.rows(target, path))
