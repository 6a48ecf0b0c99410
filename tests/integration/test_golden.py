# SPDX-License-Identifier: Apache-2.0
"""Backups that milvus-backup wrote: restored to exactly the rows they hold, never written into."""

import pytest

from integration.lib import files, golden, milvus
from integration.lib.cli import EXIT_DIFFERENT, EXIT_FAILED, Bakplane, targets


@pytest.fixture
def foreign(bakplane, target):
    """A program whose folder holds all golden backups."""
    program = bakplane(target)
    for name in golden.BACKUPS:
        golden.unpack(name, program.backups)
    return program


@pytest.fixture(params=golden.BACKUPS)
def name(request):
    return request.param


def test_restored_to_exactly_their_rows(foreign, target, name):
    before = files.tree(foreign.backups)
    result = targets(foreign.restore(name, "--wait"))
    assert {path: one["state"] for path, one in result.items()} == {
        path: "complete" for path in golden.COLLECTIONS}
    facts, rows = milvus.everything(target)
    milvus.assert_same(golden.expected_rows(), rows)
    assert sorted(facts) == sorted(golden.COLLECTIONS)

    articles, items = facts["default.articles"], facts["shop.items"]
    assert articles["num_shards"] == 2 and articles["consistency_level"] == 0
    assert articles["enable_dynamic_field"] and articles["description"] == "dynamic, auto id"
    assert sorted(articles["partitions"]) == ["_default", "y2024", "y2025"]
    assert articles["indexes"]["vec_idx"] == ("vec", {
        "index_type": "HNSW", "metric_type": "COSINE", "params": '{"M":16,"efConstruction":100}'})
    assert "title_idx" in articles["indexes"]
    assert len(items["partitions"]) == 4
    assert items["indexes"]["sig"][1]["metric_type"] == "HAMMING"
    assert files.tree(foreign.backups) == before


def test_under_other_names(foreign, target, name):
    foreign.restore(name, "--rename", "shop.*:store.*", "-d", "shop")
    rows = golden.expected_rows()
    assert milvus.collections(target, "store") == ["empty", "items"]
    milvus.assert_same(rows["shop.items"], milvus.rows(target, "store.items"))


def test_listed_and_verified(foreign, name):
    before = files.tree(foreign.backups)
    entry = foreign.list()[name]
    assert entry["foreign"] is True and entry["status"] == "foreign"
    detail = foreign.get(name, "--detail").json
    assert {(one["parent"], one["name"]) for one in detail["units"] if one["kind"] == "collection"
            } == {("default", "articles"), ("shop", "items"), ("shop", "empty")}
    for flags in ([], ["--deep"]):
        result = foreign.verify(name, *flags).json
        assert result["items"] > 0 and result["missing"] == result["unexpected"] == 0
        assert result["compared"] == result["sealed"] == 0, "there is nothing to compare with"
    assert files.tree(foreign.backups) == before


def test_never_written_into(foreign, name):
    before = files.tree(foreign.backups)
    for flags in ([], ["--resume"], ["--replace"]):
        foreign.create(name, *flags, expect=EXIT_FAILED).mentions(name, "exists")
    foreign.run("prune", "--keep-last", 1).expect(0)
    assert files.tree(foreign.backups) == before


def test_deleted_when_named(foreign, name):
    foreign.delete(name)
    assert not foreign.path(name).exists()
    assert sorted(foreign.list()) == [other for other in golden.BACKUPS if other != name]


def test_damage_is_found(foreign, target, name):
    """Its documents hold the sizes; there is no record of ours to compare with."""
    victim = files.largest(foreign.path(name, "binlogs"))
    key = str(victim.relative_to(foreign.path(name)))
    for damage, problem in ((lambda: victim.write_bytes(victim.read_bytes()[:-1]), "truncated"),
                            (victim.unlink, "missing")):
        damage()
        result = foreign.verify(name, expect=EXIT_DIFFERENT)
        assert [(one["key"], one["problem"]) for one in result.json["problems"]] == [(key, problem)]
        foreign.restore(name, expect=EXIT_FAILED).mentions("damaged", key)
        assert milvus.collections(target) == [] and milvus.databases(target) == ["default"]


def test_by_hand_from_another_storage(tmp_path, target, name):
    """Staged: Milvus does not see the folder, so its bytes go through a place that it sees."""
    program = Bakplane(tmp_path, target)
    golden.unpack(name, program.backups)
    before = files.tree(target.root_path / "insert_log")
    program.restore(name, "-c", "shop.items", "--placement", "stage")
    milvus.assert_same(golden.expected_rows()["shop.items"], milvus.rows(target, "shop.items"))
    kept = {"insert_log", "delta_log", "stats_log", "index_files", "etcd.data", "rocksmq",
            "index_node", "query_node", "rdb_data", "rdb_data_meta_kv", "mmap"}
    left = [path.name for path in target.root_path.iterdir() if path.name not in kept]
    assert [path for path in left if "restore" in path or "bakplane" in path] == []
    assert before.items() <= files.tree(target.root_path / "insert_log").items()
