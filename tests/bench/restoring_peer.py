# SPDX-License-Identifier: Apache-2.0
"""A restore beside milvus-backup's restore of the same backup.

That program cannot work on a file system, so each has a Milvus on the storage that suits it: ours
on local storage with a local backup, theirs on MinIO with the backup in Milvus' own bucket, from
where it imports without copying. Both make the same collections: no index, nothing loaded. Its
--use_v2_restore, with fewer imports, asks for a REST interface that Milvus 2.3.5 does not have.
"""

import shutil
import sys

import pairs
import restoring

BUCKET, ROOT = "a-bucket", "backup"


def rows(server, suffix):
    """{(database, collection): rows} of what was restored with a suffix."""
    from pymilvus import Collection
    return {(database, name.removesuffix(suffix)): Collection(name, using=alias).num_entities
            for database, alias, name in restoring.restored(server, suffix)}


class Counted(restoring.Timed):
    """A restore with a suffix; what it brought is counted and dropped after the clock stopped."""

    def __init__(self, name, server, restore):
        super().__init__(name, lambda n: None, lambda n: restore(f"_{n}"), self.count)
        self.server, self.found = server, []

    def count(self, number):
        self.found.append(rows(self.server, f"_{number}"))
        restoring.drop(self.server, f"_{number}")


def same(ours, theirs):
    """Failed, unless all rounds of both brought the same rows."""
    for side in (ours, theirs):
        for found in side.found:
            if found != ours.found[0] or not any(found.values()):
                raise pairs.Failed(f"{side.name} brought {found}, {ours.name} {ours.found[0]}")


def compare(bench):
    from services import MilvusServer, MinioServer, Peer
    with MinioServer() as storage, MilvusServer() as local, \
            MilvusServer(storage=storage, bucket=BUCKET) as remote:
        work = restoring.Restoring(bench, local)
        storage.upload(work.backup.parent, BUCKET, ROOT)
        peer = Peer(bench.scratch / "peer", storage, remote, BUCKET, ROOT)
        ours = Counted("bakplane restore", local, work.restore)
        theirs = Counted("milvus-backup 0.5.7 on MinIO", remote,
                         lambda suffix: peer.restore(restoring.GOLDEN, f"--suffix={suffix}"))
        bench.say(f"restore-peer: {ours.name} beside {theirs.name}")
        ratio = pairs.compare(ours, theirs, min(bench.rounds, 3))
        same(ours, theirs)
    shutil.rmtree(work.backup.parent)
    yield {"case": f"restore of {restoring.GOLDEN}", "ours": ours.median, "theirs": theirs.median,
           "against": theirs.name, "ratio": ratio, "target": 0.7, "unit": "s"}


def restore(bench):
    sys.path.insert(0, str(restoring.TOP / "tests"))
    from services import cache
    if not restoring.golden_archive().is_file():
        bench.say(f"restore-peer: left out, {restoring.golden_archive()} is missing")
        return
    try:
        cache.peer()
        cache.go_program("minio")
    except cache.Missing as missing:
        bench.say(f"restore-peer: left out, {str(missing).removeprefix('optional: ')}")
        return
    bench.say("restore-peer: starting two Milvus 2.3.5 and a MinIO")
    yield from compare(bench)
