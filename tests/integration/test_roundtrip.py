# SPDX-License-Identifier: Apache-2.0
"""What is backed up comes back: every row, index and property, into an empty second Milvus, beside
what is there, under other names, in part, without rows."""

import pytest

from integration.lib import data, golden, milvus
from integration.lib.cli import EXIT_DIFFERENT, EXIT_FAILED, EXIT_USAGE, Bakplane, notes, targets

ZOO = ["default.articles", "default.books", "default.words", "hollow.", "other.books", "other.void",
       "shop.empty", "shop.items"]


class Zoo:
    """A Milvus full of collections, what it held, and a backup of it."""

    def __init__(self, folder, server):
        milvus.wipe(server)
        golden.fill(server)
        data.zoo(server)
        self.server, self.folder = server, folder
        self.program = Bakplane(folder, server, settings={
            "source": {"management": f"http://{server.http_address}"}})
        self.created = self.program.create("zoo")
        self.facts, self.rows = milvus.everything(server)
        self.partitions = milvus.partition_rows(server, "default.books")

    def into(self, server):
        """The same backups, another Milvus."""
        return Bakplane(self.folder / "other", server, backups=self.program.backups)


@pytest.fixture(scope="module")
def zoo(milvus_server, tmp_path_factory):
    return Zoo(tmp_path_factory.mktemp("zoo"), milvus_server)


def test_create_says_what_it_copied(zoo):
    result = zoo.created.json
    assert result["state"] == "success"
    assert sorted(zoo.facts) == ZOO
    units = {f"{one['parent']}.{one['name']}": one for one in result["units"]}
    assert sorted(units) == [path for path in ZOO if not path.endswith(".")]
    assert (units["default.articles"]["low"], units["default.articles"]["high"]) == (293, 300)
    assert units["shop.items"]["low"] == units["shop.items"]["high"] == 200
    assert units["shop.empty"]["items"] == units["other.void"]["items"] == 0
    copied = [path for path in zoo.program.path("zoo", "binlogs").rglob("*") if path.is_file()]
    assert len(copied) == result["items"]
    assert sum(path.stat().st_size for path in copied) == result["bytes"]


def test_into_an_empty_milvus(zoo, target):
    result = zoo.into(target).restore("zoo", "--wait")
    assert {one["state"] for one in targets(result).values()} == {"complete"}
    facts, rows = milvus.everything(target)
    milvus.assert_same(zoo.rows, rows)
    milvus.assert_same(zoo.facts, facts)
    milvus.assert_same(zoo.partitions, milvus.partition_rows(target, "default.books"))
    assert "ttl" in notes(result)


def test_beside_with_suffix(zoo, target):
    program = zoo.into(target)
    data.simple(target, "bystander", count=5)
    before = milvus.rows(target, "default.bystander")
    result = targets(program.restore("zoo", "--filter", "books_copy,other.*", "--suffix", "_copy"))
    assert sorted(result) == ["default.books_copy", "other.books_copy", "other.void_copy"]
    milvus.assert_same(zoo.rows["default.books"], milvus.rows(target, "default.books_copy"))
    milvus.assert_same(zoo.rows["other.books"], milvus.rows(target, "other.books_copy"))
    assert milvus.rows(target, "default.bystander") == before
    assert not milvus.has(target, "default.books")


def test_suffix_in_the_same_milvus(zoo):
    """Beside the original: its aliases stay where they are, and that is said."""
    result = zoo.program.restore("zoo", "-c", "words", "--suffix", "_again")
    try:
        assert "alias-taken" in notes(result)
        milvus.assert_same(zoo.rows["default.words"],
                           milvus.rows(zoo.server, "default.words_again"))
        milvus.assert_same(zoo.facts["default.words"],
                           milvus.describe(zoo.server, "default.words"))
        again = milvus.describe(zoo.server, "default.words_again")
        assert again["aliases"] == []
    finally:
        milvus.drop(zoo.server, "default.words_again")


def test_rename(zoo, target):
    program = zoo.into(target)
    rules = "books:volumes,other.*:elsewhere.*,shop.items:default.items"
    result = targets(program.restore("zoo", "-a", '{"default": ["books"], "other": [], '
                                     '"shop": ["items"]}', "--rename", rules, "--wait"))
    assert sorted(result) == ["default.items", "default.volumes", "elsewhere.books",
                              "elsewhere.void"]
    for old, new in (("default.books", "default.volumes"), ("other.books", "elsewhere.books"),
                     ("shop.items", "default.items"), ("other.void", "elsewhere.void")):
        milvus.assert_same(zoo.rows[old], milvus.rows(target, new))
        milvus.assert_same(zoo.facts[old], milvus.describe(target, new))
    assert milvus.databases(target) == ["default", "elsewhere"]


@pytest.mark.parametrize("flags, expected", [
    (["-c", "books,shop.empty"], ["default.books", "shop.empty"]),
    (["-d", "other"], ["other.books", "other.void"]),
    (["-a", '{"shop": ["empty"], "other": []}'], ["other.books", "other.void", "shop.empty"]),
    (["--filter", " other.* , words"], ["default.words", "other.books", "other.void"]),
    (["--filter", "hollow."], []),
])
def test_selection(zoo, target, flags, expected):
    program = zoo.into(target)
    result = targets(program.restore("zoo", *flags, "--meta_only"))
    assert sorted(result) == expected
    made = [f"{db}.{name}" for db in milvus.databases(target)
            for name in milvus.collections(target, db)]
    assert sorted(made) == expected
    assert ("hollow" in milvus.databases(target)) == ("hollow." in flags)


@pytest.mark.parametrize("flags", [["-c", "nobody"], ["-d", "nowhere"],
                                   ["--filter", "books,nobody"], ["--rename", "nobody:somebody"]])
def test_what_matches_nothing_is_an_error(zoo, target, flags):
    zoo.into(target).restore("zoo", *flags, expect=EXIT_FAILED).mentions("no")
    assert milvus.collections(target) == []


def test_two_onto_one_name_is_refused(zoo, target):
    result = zoo.into(target).restore("zoo", "--rename", "other.books:default.books",
                                      expect=EXIT_USAGE)
    result.mentions("default.books")
    assert milvus.collections(target) == []


def test_meta_only(zoo, target):
    zoo.into(target).restore("zoo", "--meta_only", "--wait")
    facts, rows = milvus.everything(target)
    milvus.assert_same(zoo.facts, facts)
    assert all(content == {} for content in rows.values())


def test_without_indexes(zoo, target):
    result = zoo.into(target).restore("zoo", "-c", "books,words", "--no-index")
    assert "not-loaded" in notes(result)
    for path in ("default.books", "default.words"):
        facts = milvus.describe(target, path)
        assert facts["indexes"] == {} and facts["load_state"] == "NotLoad"
        milvus.assert_same(zoo.rows[path], milvus.rows(target, path))


def test_without_load(zoo, target):
    zoo.into(target).restore("zoo", "-c", "books", "--no-load", "--rebuild_index")
    facts = milvus.describe(target, "default.books")
    assert facts["load_state"] == "NotLoad"
    milvus.assert_same(zoo.facts["default.books"]["indexes"], facts["indexes"])


def test_auto_index(zoo, target):
    zoo.into(target).restore("zoo", "-c", "books", "--use_auto_index", "--wait")
    _, params = milvus.describe(target, "default.books")["indexes"]["by_distance"]
    assert (params["index_type"], params["metric_type"]) == ("AUTOINDEX", "L2")
    milvus.assert_same(zoo.rows["default.books"], milvus.rows(target, "default.books"))


def test_what_exists_is_kept_unless_told_otherwise(zoo, target):
    program = zoo.into(target)
    data.simple(target, "books", count=7)
    before = milvus.rows(target, "default.books")
    program.restore("zoo", "-c", "words,books", expect=EXIT_FAILED).mentions("books", "exists")
    assert milvus.collections(target) == ["books"]
    assert milvus.rows(target, "default.books") == before

    program.restore("zoo", "-c", "books", "--drop_exist_collection", "--wait")
    milvus.assert_same(zoo.rows["default.books"], milvus.rows(target, "default.books"))
    milvus.assert_same(zoo.facts["default.books"], milvus.describe(target, "default.books"))


def test_into_a_collection_that_is_there(zoo, target):
    program = zoo.into(target)
    program.restore("zoo", "-c", "other.books", "--meta_only")
    extra = data.simple_rows([1000, 1001])
    one = milvus.collection(target, "other.books")
    one.insert(extra)
    one.flush()
    program.restore("zoo", "-c", "other.books", "--skip_create_collection")
    rows = milvus.rows(target, "other.books")
    assert sorted(rows) == [*range(30), 1000, 1001]
    milvus.assert_same(zoo.rows["other.books"], {key: rows[key] for key in range(30)})

    program.restore("zoo", "-c", "books", "--skip_create_collection",
                    expect=EXIT_FAILED).mentions("books", "does not exist")


def test_another_schema_is_refused(zoo, target):
    data.simple(target, "words", count=3)
    zoo.into(target).restore("zoo", "-c", "words", "--skip_create_collection",
                             expect=EXIT_FAILED).mentions("words")
    assert len(milvus.rows(target, "default.words")) == 3


def test_indexes_that_are_there_can_be_dropped(zoo, target):
    program = zoo.into(target)
    program.restore("zoo", "-c", "words", "--meta_only", "--no-index")
    one = milvus.collection(target, "words")
    one.create_index("vec", {"index_type": "FLAT", "metric_type": "L2", "params": {}},
                     index_name="of_its_own")
    program.restore("zoo", "-c", "words", "--skip_create_collection", "--drop_exist_index")
    milvus.assert_same(zoo.facts["default.words"]["indexes"],
                       milvus.describe(target, "default.words")["indexes"])


def test_contradictions_are_refused(zoo, target):
    program = zoo.into(target)
    for flags in (["--suffix", "_x", "--rename", "a:b"],
                  ["--drop_exist_collection", "--skip_create_collection"],
                  ["--no-index", "--use_auto_index"]):
        program.restore("zoo", *flags, expect=EXIT_USAGE)
    program.restore("zoo", "--rbac", expect=EXIT_USAGE).mentions("--rbac", "roles")
    assert milvus.collections(target) == []


def test_dry_run_touches_nothing(zoo, target):
    program = zoo.into(target)
    result = program.restore("zoo", "--dry-run")
    assert result.json["dry_run"] is True
    assert "would-create" in notes(result)
    assert milvus.databases(target) == ["default"] and milvus.collections(target) == []



def test_dry_run_of_create(zoo):
    estimate = zoo.program.run("--json", "create", "-n", "estimate", "--dry-run").expect(0).json
    assert estimate["dry_run"] is True and estimate["bytes"] > 0
    sizes = {one["name"]: one["bytes"] for one in estimate["units"]}
    assert sizes["items"] == {one["name"]: one["bytes"]
                              for one in zoo.created.json["units"]}["items"]
    assert not zoo.program.path("estimate").exists()


def test_create_of_a_part(zoo, target):
    zoo.program.create("part", "--filter", "other.*,books,hollow.")
    detail = zoo.program.get("part", "--detail").json
    assert sorted(one["name"] for one in detail["units"] if one["kind"] == "collection") == [
        "books", "books", "void"]
    zoo.into(target).restore("part", "--wait")
    facts, rows = milvus.everything(target)
    wanted = ["default.books", "hollow.", "other.books", "other.void"]
    milvus.assert_same({path: zoo.facts[path] for path in wanted}, facts)
    milvus.assert_same({path: zoo.rows[path] for path in wanted if path in zoo.rows}, rows)
    zoo.program.create("nothing", "--filter", "nobody", expect=EXIT_FAILED).mentions("nobody")
    assert "nothing" not in zoo.program.list()


def test_create_of_metadata_only(zoo, target):
    zoo.program.create("meta", "--meta_only")
    assert not zoo.program.path("meta", "binlogs").exists()
    zoo.into(target).restore("meta", "--meta_only", "--wait")
    milvus.assert_same(zoo.facts, milvus.everything(target)[0])


def test_partly_loaded(source, target, bakplane):
    """Loaded is what was loaded, partition by partition."""
    one = data.simple(source, "halves", count=10)
    one.create_partition("hot")
    one.insert(data.simple_rows(range(100, 110)), partition_name="hot")
    one.flush()
    one.load(["hot"])
    facts = milvus.describe(source, "default.halves")
    bakplane(source).create("halves")
    bakplane(target).restore("halves", "--wait")
    milvus.assert_same(facts, milvus.describe(target, "default.halves"))


def test_everything_deleted_cannot_be_proven(source, target, bakplane):
    """No row comes in, which is right, but looks the same as an import that read nothing."""
    data.simple(source, "gone", count=20).delete(f"id in {list(range(20))}")
    program = bakplane(source)
    created = program.create("gone").json
    assert (created["units"][0]["low"], created["units"][0]["high"]) == (0, 20)
    result = bakplane(target).restore("gone", expect=EXIT_DIFFERENT)
    assert targets(result)["default.gone"]["state"] == "unprovable"
    assert milvus.rows(target, "default.gone") == {}


def test_options_of_create_are_honoured(source, bakplane):
    data.simple(source, "simple", count=200)
    program = bakplane(source)
    program.create("read", "--prove=read", "--concurrency-units", 2, "--concurrency-copies", 3)
    assert program.verify("read", "--deep").json["compared"] > 0
    program.create("sized", "--prove=size")
    deep = program.verify("sized", "--deep").json
    assert deep["compared"] + deep["sealed"] == deep["items"]
    again = program.verify("sized", "--deep").json
    assert again["compared"] == again["items"]
    size = program.get("read").json["bytes"]
    slow = program.create("slow", "--throttle", "64KiB").json
    assert slow["bytes"] == size
    assert slow["duration_ms"] >= (size - 64 * 1024) / (64 * 1024) * 1000 * 0.5


def test_generated_name_and_report(source, bakplane, tmp_path):
    data.simple(source, "simple", count=5)
    program = bakplane(source)
    report = tmp_path / "report.json"
    name = program.run("--json", "--report", report, "create").expect(0).json["name"]
    assert name.startswith("backup_") and name in program.list()
    assert '"outcome": "done"' in report.read_text(encoding="utf-8")


def test_list_of_those_that_hold_a_collection(source, bakplane):
    data.simple(source, "one", count=5)
    data.simple(source, "two", count=5)
    program = bakplane(source)
    program.create("both")
    program.create("first", "-c", "one")
    assert sorted(program.list("-c", "one")) == ["both", "first"]
    assert sorted(program.list("-c", "two")) == ["both"]
    lines = program.run("list").expect(0).out
    assert "both" in lines and "first" in lines


def test_prune(source, bakplane):
    data.simple(source, "one", count=5)
    program = bakplane(source)
    for name in ("b1", "b2", "b3"):
        program.create(name)
    planned = program.run("--json", "prune", "--keep-last", 1, "--dry-run").expect(0).json
    assert sorted(one["name"] for one in planned["backups"]) == ["b1", "b2"]
    assert sorted(program.list()) == ["b1", "b2", "b3"]
    program.run("prune", "--keep-last", 3, "--keep-within", "30d").expect(0)
    assert sorted(program.list()) == ["b1", "b2", "b3"]
    program.run("prune").expect(EXIT_USAGE)
    program.run("prune", "--keep-last", 1).expect(0)
    assert sorted(program.list()) == ["b3"]
    assert sorted(path.name for path in program.backups.iterdir()
                  if not path.name.startswith(".")) == ["b3"]
