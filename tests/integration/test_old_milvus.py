# SPDX-License-Identifier: Apache-2.0
"""Milvus 2.2.16: what it knows comes back; what its import loses is noticed."""

import pytest
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema

from integration.lib import data, golden, milvus
from integration.lib.cli import EXIT_FAILED, targets
from services import MilvusServer


@pytest.fixture(scope="module")
def old_server():
    with MilvusServer("2.2.16") as server:
        yield server


@pytest.fixture
def old(old_server):
    milvus.wipe(old_server)
    return old_server


def make_keyed(server):
    """Texts as keys, JSON, dynamic fields, a partition key."""
    fields = [FieldSchema("key", DataType.VARCHAR, max_length=64, is_primary=True),
              FieldSchema("tenant", DataType.INT64, is_partition_key=True),
              FieldSchema("vec", DataType.FLOAT_VECTOR, dim=data.DIM),
              FieldSchema("doc", DataType.JSON)]
    schema = CollectionSchema(fields, "of 2.2", enable_dynamic_field=True)
    one = Collection("keyed", schema, using=milvus.using(server), num_partitions=3, num_shards=1)
    one.insert([{"key": f"k{i}-é", "tenant": i % 7, "vec": data.vector(i), "doc": {"i": i},
                 "more": f"m{i}"} for i in range(100)])
    one.flush()
    one.create_index("vec", {"index_type": "HNSW", "metric_type": "IP",
                             "params": {"M": 8, "efConstruction": 64}}, index_name="vec")


def simple_with_deletes(server, load=False):
    """Its deletes are flushed with the rows that they are of: 2.2 would keep later ones back."""
    one = data.simple(server, "simple", count=0)
    one.create_partition("p1")
    one.insert(data.simple_rows(range(100)))
    one.insert(data.simple_rows(range(200, 260)), partition_name="p1")
    one.delete("id in [3, 4, 5, 210]")
    one.flush()
    if load:
        one.load()


def test_round_trip(old, bakplane):
    simple_with_deletes(old, load=True)
    make_keyed(old)
    data.make_database(old, "other")
    data.simple(old, "simple", count=20, database="other")
    data.make_database(old, "hollow")
    expected = milvus.everything(old)
    program = bakplane(old)
    program.create("b").mentions("deletes of flushed rows")
    program.verify("b", "--deep")

    milvus.wipe(old)
    result = targets(program.restore("b", "--wait"))
    assert {one["state"] for one in result.values()} == {"complete"}
    facts, rows = milvus.everything(old)
    milvus.assert_same(expected[1], rows)
    milvus.assert_same(expected[0], facts)


def test_keys_deleted_and_inserted_again(old, bakplane):
    """Its import loses them without a word; only the count of rows tells."""
    one = data.simple(old, "again", count=0)
    one.insert(data.simple_rows(range(100)))
    one.delete(f"id in {list(range(10))}")
    one.insert(data.simple_rows(range(5), version=1))
    one.flush()
    assert len(milvus.rows(old, "default.again")) == 95
    program = bakplane(old)
    created = program.create("b").json["units"][0]
    assert (created["low"], created["high"]) == (95, 105)
    result = program.restore("b", "--suffix", "_2", expect=EXIT_FAILED)
    failed = targets(result)["default.again_2"]
    assert failed["state"] == "failed" and failed["found"] == 90
    assert "restored 90" in failed["error"] and "95 to 105" in failed["error"]
    result.mentions("deleted and inserted again")


def test_backup_of_a_newer_milvus(old, bakplane):
    program = bakplane(old)
    golden.unpack("g_057", program.backups)
    program.restore("g_057", expect=EXIT_FAILED).mentions("2.3.5", "2.2.16")
    assert milvus.databases(old) == ["default"] and milvus.collections(old) == []


def test_into_a_newer_milvus(old, target, bakplane):
    simple_with_deletes(old)
    expected = milvus.rows(old, "default.simple")
    bakplane(old).create("b")
    bakplane(target).restore("b", "--wait")
    milvus.assert_same(expected, milvus.rows(target, "default.simple"))
