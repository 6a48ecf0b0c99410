# SPDX-License-Identifier: Apache-2.0
"""A backup of a Milvus on MinIO in Milvus' own bucket: beside milvus-backup, and beside rclone,
which copies the same objects without asking Milvus for anything."""

import pairs
import rclone
import remote
from results import Rivals, contest

COLLECTIONS = 4
PEER_TARGET, PEER_MEMORY, RCLONE_TARGET, MEMORY_MB = 0.6, 0.5, 1.05, 32


class Creating:
    """The sides. Nothing was ever deleted or merged, so the objects are all that Milvus has."""

    def __init__(self, bench, work):
        self.bench, self.work = bench, work
        self.origin = f"{work.server.root_path}/insert_log"
        self.objects = work.bucket.count(self.origin)

    def clean(self, prefix, objects):
        """Remove what a round made after a look whether it is all there."""
        found = self.work.bucket.count(f"{prefix}/{objects}" if objects else prefix)
        if found != self.objects:
            raise pairs.Failed(f"{prefix}: {found} of {self.objects} objects")
        self.work.bucket.remove(prefix)

    def ours(self):
        return pairs.Side("bakplane create",
                          lambda n: [self.work.ours("create", f"--name=b{n}")],
                          lambda n: self.clean(f"{remote.BACKUPS}/b{n}", "binlogs"))

    def peer(self):
        peer = self.work.peer()
        return pairs.Side("milvus-backup 0.5.7 create",
                          lambda n: [peer.command("create", "-n", f"b{n}")],
                          lambda n: self.clean(f"{remote.PEER_BACKUPS}/b{n}", "binlogs"))

    def rclone(self):
        bucket = self.work.bucket
        return rclone.Rclone(self.bench.scratch, [bucket]).sides(
            bucket.rclone(self.origin), bucket, "rclone", lambda prefix: self.clean(prefix, ""))


def create(bench):
    if not remote.needs_minio(bench, "create"):
        return
    with_peer, without_rclone = remote.has_peer(bench, "create"), rclone.missing()
    if without_rclone:
        bench.say(f"create: without rclone, {without_rclone}")
    if not with_peer and without_rclone:
        return
    name = f"create, {COLLECTIONS} x {bench.rows} vectors of {remote.DIM}"
    bench.say(f"{name}: filling a Milvus on MinIO")
    with remote.milvus(bench) as work:
        remote.fill(work.server, COLLECTIONS, bench.rows)
        sides = Creating(bench, work)
        rivals = [Rivals([sides.peer()], PEER_TARGET, PEER_MEMORY)] if with_peer else []
        if not without_rclone:
            rivals.append(Rivals(sides.rclone(), RCLONE_TARGET))
        yield from contest(bench, name, sides.ours(), rivals, MEMORY_MB)


CASES = {"create": create}
