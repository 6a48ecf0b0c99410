# SPDX-License-Identifier: Apache-2.0
"""Both ways with the real milvus-backup 0.5.7, on one MinIO: each reads what the other wrote, and
one configuration file does for both."""

import itertools
import shutil

import pytest

from integration.lib import data, golden, milvus
from integration.lib.cli import EXIT_USAGE, Bakplane, targets
from integration.lib.storages import Bucket
from integration.lib.tables import Table
from services import MilvusServer, Peer

# Deletes, partitions, partition keys, dynamic fields, indexes, and a collection without rows.
WANTED = ["default.articles", "default.books", "default.words", "shop.empty", "shop.items"]
BUCKET, ROOT = "peer-backups", "root/of/backups"
PEER, OURS = "milvus-backup 0.5.7", "bakplane"
FOREIGN = {"g_0430": "milvus-backup 0.4.30, golden", "g_057": "milvus-backup 0.5.7, golden"}

table = Table("Backups on MinIO: who reads what, row by row", "made by",
              [OURS, PEER, *FOREIGN.values()],
              [f"{verb} by {who}" for who in (OURS, PEER) for verb in ("listed", "restored")])

# As its own sample file has it, with all that has to be said for these servers.
CONFIG = """\
# Configures the system log output.
log:
  level: info
  console: false
  file:
    rootPath: "logs/backup.log"
http:
  simpleResponse: true
milvus:
  address: 127.0.0.1
  port: {milvus.port}
  user: "root"
  password: "Milvus"
  # 0: no encryption, 1: one-way, 2: two-way
  tlsMode: 0
minio:
  # minio, s3, aws, gcp, ali(aliyun), azure, tc(tencent)
  storageType: "minio"
  address: 127.0.0.1
  port: {store.port}
  accessKeyID: {store.access_key}
  secretAccessKey: {store.secret_key}
  useSSL: false
  useIAM: false
  iamEndpoint: ""
  bucketName: "{milvus.bucket}"
  rootPath: "{milvus.root_path}"
  backupBucketName: "{milvus.bucket}"
{backup_root}
backup:
  maxSegmentGroupSize: 2G
  parallelism:
    backupCollection: 4
    copydata: 128
    restoreCollection: 2
  keepTempFiles: false
  gcPause:
    enable: true
    seconds: 7200
    address: http://{milvus.http_address}
"""


class Both:
    """A Milvus on MinIO, what it holds, and both programs with one place for their backups."""

    def __init__(self, folder, server):
        milvus.wipe(server)
        golden.fill(server)
        data.books(server)
        data.words(server)
        self.server, self.folder, self._serial = server, folder, itertools.count()
        self.facts, self.rows = milvus.everything(server)
        assert sorted(self.rows) == WANTED
        server.storage.make_bucket(BUCKET)
        self.place = Bucket(server.storage, BUCKET, ROOT)
        self.peer = Peer(folder / "peer", server.storage, server, BUCKET, ROOT)
        self.ours = Bakplane(folder / "ours", server, backups=self.place)

    def suffix(self):
        return f"_{next(self._serial)}"

    def assert_restored(self, suffix, rows=None):
        """Everything is there again under other names; takes it away."""
        for path in rows or self.rows:
            again = path + suffix
            milvus.assert_same((rows or self.rows)[path], milvus.rows(self.server, again))
            if rows is None:
                # The aliases stay where they are; milvus-backup loads nothing.
                expected, found = dict(self.facts[path]), milvus.describe(self.server, again)
                for name in ("aliases", "load_state", "partitions"):
                    expected.pop(name), found.pop(name)
                milvus.assert_same(expected, found)
            milvus.drop(self.server, again)


@pytest.fixture(scope="module")
def milvus_on_minio(minio):
    """As everywhere, but what is deleted stays in its logs: a compaction, which comes every minute,
    between a backup by one and the same by the other makes them differ."""
    settings = {"dataCoord.compaction.enableAutoCompaction": False}
    with MilvusServer("2.3.5", storage=minio, settings=settings) as server:
        yield server


@pytest.fixture(scope="module")
def both(tmp_path_factory, milvus_on_minio):
    return Both(tmp_path_factory.mktemp("both"), milvus_on_minio)


@pytest.fixture(scope="module")
def backups(both):
    """One by each, named after who made it."""
    both.ours.create("ours")
    both.peer.create("theirs")


def shape(backup):
    """Of a backup as the peer prints it: what does not depend on ids or order."""
    return {f"{one.get('db_name') or 'default'}.{one['collection_name']}": {
        "fields": [(field["name"], field.get("data_type", 0)) for field in one["schema"]["fields"]],
        "rows": sum(int(segment.get("num_of_rows", 0)) for partition in one["partition_backups"]
                    for segment in partition.get("segment_backups") or []),
        "partitions": sorted(partition["partition_name"] for partition in one["partition_backups"]),
        "indexes": sorted((index.get("index_name", ""), index.get("index_type", ""))
                          for index in one.get("index_infos") or []),
        "shards": one.get("shards_num"), "level": one.get("consistency_level", 0),
    } for one in backup["collection_backups"]}


def test_it_lists_and_gets_ours_like_its_own(both, backups):
    assert sorted(both.peer.list()) == ["ours", "theirs"]
    ours, theirs = both.peer.get("ours"), both.peer.get("theirs")
    assert shape(ours) == shape(theirs)
    assert ours["milvus_version"] == theirs["milvus_version"]
    assert ours["name"] == "ours" and int(ours["size"]) == int(theirs["size"]) > 0
    for maker in (OURS, PEER):
        table.put(maker, f"listed by {PEER}", "ok")


def test_we_list_and_get_its_own(both, backups):
    listed = both.ours.list()
    assert (listed["ours"]["status"], listed["theirs"]["status"]) == ("success", "foreign")
    detail = both.ours.get("theirs", "--detail").json
    assert sorted(f"{one['parent']}.{one['name']}" for one in detail["units"]
                  if one["kind"] == "collection") == WANTED
    assert both.ours.verify("theirs").json["missing"] == 0
    for maker in (OURS, PEER):
        table.put(maker, f"listed by {OURS}", "ok")


@pytest.mark.parametrize("name, maker", [("ours", OURS), ("theirs", PEER)])
def test_it_restores(both, backups, name, maker):
    suffix = both.suffix()
    both.peer.restore(name, "-s", suffix, "--restore_index")
    both.assert_restored(suffix)
    table.put(maker, f"restored by {PEER}", "ok")


@pytest.mark.parametrize("name, maker", [("ours", OURS), ("theirs", PEER)])
def test_we_restore(both, backups, name, maker):
    suffix = both.suffix()
    before = both.place.tree(name)
    restored = targets(both.ours.restore(name, "--wait", "--suffix", suffix))
    assert {one["state"] for one in restored.values()} == {"complete"}
    both.assert_restored(suffix)
    assert both.place.tree(name) == before, "a backup is only read"
    table.put(maker, f"restored by {OURS}", "ok")


@pytest.mark.parametrize("name", golden.BACKUPS)
def test_golden_backups_on_minio(both, tmp_path, name):
    folder, suffix = golden.unpack(name, tmp_path), both.suffix()
    place = Bucket(both.server.storage, both.server.storage.make_bucket(
        name.replace("_", "-")), "below")
    place.put_folder(folder, name)
    before = place.tree()
    ours = Bakplane(tmp_path / "ours", both.server, backups=place)
    assert ours.list()[name]["status"] == "foreign"
    table.put(FOREIGN[name], f"listed by {OURS}", "ok")
    restored = targets(ours.restore(name, "--wait", "--suffix", suffix))
    assert {one["state"] for one in restored.values()} == {"complete"}
    both.assert_restored(suffix, golden.expected_rows())
    assert place.tree() == before
    table.put(FOREIGN[name], f"restored by {OURS}", "ok")
    peer = Peer(tmp_path / "peer", both.server.storage, both.server, place.bucket, place.prefix)
    assert peer.list() == [name]
    table.put(FOREIGN[name], f"listed by {PEER}", "ok")
    ours.delete(name)
    assert place.keys() == []


@pytest.mark.parametrize("backup_root", ["backup", None])
def test_its_configuration_runs_here(both, tmp_path, backup_root):
    """The same file, the same commands. Without backupRootPath backups lie among the data."""
    line = f'  backupRootPath: "{backup_root}"' if backup_root else ""
    peer = Peer(tmp_path, both.server.storage, both.server)
    peer.config.write_text(CONFIG.format(milvus=both.server, store=both.server.storage,
                                         backup_root=line), encoding="utf-8")
    root = Bucket(both.server.storage, both.server.bucket)
    prefix = backup_root or both.server.root_path
    logs = root.tree(f"{both.server.root_path}/insert_log/")

    ours = Bakplane(tmp_path / "ours", settings={"state_dir": None})
    shutil.copy(peer.config, ours.config)
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}

    def run(*words):
        return ours.run(*words, env=env).expect(0)

    run("create", "-n", "one", "-c", "default.books,shop.items")
    peer.create("two", "-c", "books")
    assert root.keys(f"{prefix}/one/meta/") and root.keys(f"{prefix}/two/meta/")
    listed = {one["name"]: one["status"] for one in run("--json", "list").json["backups"]}
    assert (listed.pop("one"), listed.pop("two")) == ("success", "foreign")
    # What Milvus has beside them is nothing that delete takes for a backup.
    assert set(listed.values()) <= {"incomplete"}
    for name in listed:
        ours.run("delete", "-n", name, env=env).expect(EXIT_USAGE)
    assert sorted(peer.list()) == ["one", "two"]
    assert run("--json", "get", "-n", "one").json["name"] == "one"
    suffix = both.suffix()
    run("restore", "-n", "one", "-s", suffix, "--rebuild_index")
    run("restore", "-n", "two", "-s", f"{suffix}_two", "--rebuild_index")
    for path in ("default.books", "shop.items"):
        milvus.assert_same(both.rows[path], milvus.rows(both.server, path + suffix))
        milvus.drop(both.server, path + suffix)
    milvus.assert_same(both.rows["default.books"],
                       milvus.rows(both.server, f"default.books{suffix}_two"))
    milvus.drop(both.server, f"default.books{suffix}_two")
    for name in ("one", "two"):
        run("delete", "-n", name)
        assert root.keys(f"{prefix}/{name}") == []
    assert peer.list() == []
    assert logs.items() <= root.tree(f"{both.server.root_path}/insert_log/").items()


def test_half_a_backup_is_none_for_it(both, tmp_path):
    """Its documents are written after the data, and go before the data does."""
    place = Bucket(both.server.storage, both.server.storage.make_bucket("halves"), "halves")
    peer = Peer(tmp_path / "peer", both.server.storage, both.server, place.bucket, place.prefix)
    ours = Bakplane(tmp_path / "ours", both.server, backups=place)
    killed = ours.run("create", "-n", "half", "-c", "words",
                      env={"BP_FAULT": "create.sealed::abort"})
    assert killed.code == -9, killed
    ours.create("whole", "-c", "words")
    assert peer.list() == ["whole"]
    killed = ours.run("delete", "-n", "whole", env={"BP_FAULT": "storage.remove_many::abort"})
    assert killed.code == -9, killed
    assert place.keys("whole/binlogs/") and peer.list() == []
