# SPDX-License-Identifier: Apache-2.0
"""A Milvus on MinIO, with as many vectors as one wants, and backups in its own bucket."""

import contextlib
import shutil

from places import Bucket
from services import MilvusServer, MinioServer, Peer, cache

BUCKET, BACKUPS, PEER_BACKUPS = "a-bucket", "backup", "peer"
DIM, BATCH = 768, 5000
# What the flush of a backup or an import leaves behind would be merged while others are timed.
SETTINGS = {"dataCoord.compaction.enableAutoCompaction": False}


class Remote:
    """The server, its bucket, and the configurations of both programs.

    Ours are below BACKUPS, the peer's below PEER_BACKUPS, so that neither lists the other's.
    """

    def __init__(self, bench, server):
        self.server = server
        self.bucket = Bucket(server.storage, server.bucket)
        self._bench = bench

    def ours(self, *words):
        source = {"plugin": "milvus", "address": self.server.address}
        return [*self._bench.config(source, self.bucket.settings(self.server.root_path),
                                    self.bucket.settings(BACKUPS)), *words]

    def peer(self):
        return Peer(self._bench.scratch / "peer", self.server.storage, self.server,
                    self.server.bucket, PEER_BACKUPS)


@contextlib.contextmanager
def milvus(bench):
    folder = bench.scratch / "servers"
    try:
        with MinioServer(folder / "minio") as storage, \
                MilvusServer(data=folder / "milvus", storage=storage, bucket=BUCKET,
                             settings=SETTINGS) as server:
            yield Remote(bench, server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(server, collections, rows):
    """Collections big_0, big_1 …, one flush each: no two are equal and nothing compresses."""
    import numpy
    from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections
    connections.connect("fill", **server.client_arguments())
    for number in range(collections):
        fields = [FieldSchema("id", DataType.INT64, is_primary=True),
                  FieldSchema("vec", DataType.FLOAT_VECTOR, dim=DIM)]
        one = Collection(f"big_{number}", CollectionSchema(fields), using="fill", num_shards=1)
        noise = numpy.random.default_rng(number)
        for start in range(0, rows, BATCH):
            ids = range(start, min(start + BATCH, rows))
            one.insert([list(ids), list(noise.random((len(ids), DIM), dtype=numpy.float32))])
        one.flush()
    connections.disconnect("fill")


def needs_minio(bench, name):
    """Whether there is one; says so if not."""
    try:
        cache.go_program("minio")
    except cache.Missing as missing:
        bench.say(f"{name}: left out, {missing}")
        return False
    return True


def has_peer(bench, name):
    try:
        cache.peer()
    except cache.Missing as missing:
        bench.say(f"{name}: without milvus-backup, {missing}")
        return False
    return True
