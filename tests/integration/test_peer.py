# SPDX-License-Identifier: Apache-2.0
"""What milvus-backup 0.5.7 makes of our backups: it lists them and reads them like its own.

On local storage that program reads nothing, not even its own backups, so it is shown the folder
as a bucket.
"""

import pytest

from integration.lib import data, golden
from integration.lib.s3 import BucketServer
from services import Peer


@pytest.fixture
def peer(tmp_path):
    with BucketServer(tmp_path) as bucket:
        yield Peer(tmp_path, bucket, backup_root="backups")


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


def test_reads_our_backup_like_its_own(peer, source, bakplane):
    program = bakplane(source)
    golden.unpack("g_057", program.backups)
    golden.fill(source)
    program.create("ours")
    assert sorted(peer.list()) == ["g_057", "ours"]
    theirs, ours = peer.get("g_057"), peer.get("ours")
    assert shape(ours) == shape(theirs)
    assert ours["milvus_version"] == theirs["milvus_version"]
    assert ours["name"] == "ours" and int(ours["size"]) > 0


def test_half_a_backup_is_none_for_it(peer, source, bakplane):
    """Its documents are written after the data, and go before the data does."""
    data.simple(source, "one", count=10)
    program = bakplane(source)
    killed = program.run("create", "-n", "half", env={"BP_FAULT": "create.sealed::abort"})
    assert killed.code == -9, killed
    program.create("whole")
    assert peer.list() == ["whole"]
    killed = program.run("delete", "-n", "whole", env={"BP_FAULT": "storage.remove_many::abort"})
    assert killed.code == -9, killed
    assert program.path("whole", "binlogs").exists() and peer.list() == []
