# SPDX-License-Identifier: Apache-2.0
"""A restore beside the very import requests it makes, issued bare and polled every 50 ms, and
beside milvus-backup's restore.

All make the same collections of the same Milvus: no index, nothing loaded. milvus-backup reads
nothing on a file system, so there it is not in the race. Its --use_v2_restore, with fewer imports,
asks for a REST interface that Milvus 2.3.5 does not have.
"""

import json
import shutil
import tarfile
import time

import pairs
import remote
from places import Folder
from results import Rivals, contest
from services import MilvusServer, cache

POLL_S = 0.05
TICK_S = 2  # how often Milvus looks whether an import has ended, and begins the next
PHASE = 0.4  # of a tick from round to round: five of them lie evenly in it
GOLDEN = "g_057"
COMPLETED, FAILED = 6, (1, 7)
BARE_TARGET, GOLDEN_TARGET, LARGE_TARGET = 1.1, 0.7, 0.8
COLLECTIONS = 2
MODEL = "model"


def golden_archive():
    return cache.shared() / "fixtures/milvus-backup" / f"{GOLDEN}.tar.xz"


def unpack_golden(folder):
    """A new folder with the backup in it."""
    folder.mkdir()
    with tarfile.open(golden_archive()) as archive:
        archive.extractall(folder)
    return folder


def imports_of(place, backup):
    """(database, collection, partition, files) of each partition that has data."""
    meta = json.loads(place.read(f"{backup}/meta/full_meta.json"))
    for collection in meta["collection_backups"]:
        for partition in collection["partition_backups"]:
            if not partition.get("segment_backups"):
                continue
            where = f"{collection['collection_id']}/{partition['partition_id']}"
            delta = f"{backup}/binlogs/delta_log/{where}"
            yield (collection.get("db_name") or "default", collection["collection_name"],
                   partition["partition_name"],
                   [f"{place.path(f'{backup}/binlogs/insert_log/{where}')}/",
                    f"{place.path(delta)}/" if place.count(delta) else ""])


def request(stub, database, name, partition, files):
    """Issue one import; its tasks."""
    from pymilvus.grpc_gen import common_pb2, milvus_pb2
    options = [common_pb2.KeyValuePair(key="backup", value="true"),
               common_pb2.KeyValuePair(key="skip_disk_quota_check", value="true")]
    answer = stub.Import(milvus_pb2.ImportRequest(collection_name=name, partition_name=partition,
                                                  files=files, options=options),
                         metadata=(("dbname", database),))
    if answer.status.error_code != 0:
        raise pairs.Failed(f"bare import: {answer.status.reason}")
    return list(answer.tasks)


def has_ended(stub, task):
    from pymilvus.grpc_gen import milvus_pb2
    state = stub.GetImportState(milvus_pb2.GetImportStateRequest(task=task))
    if state.state in FAILED:
        raise pairs.Failed(f"bare import: task {task}: {state}")
    return state.state == COMPLETED


def import_bare(server, imports, suffix):
    import grpc
    from pymilvus.grpc_gen import milvus_pb2_grpc
    with grpc.insecure_channel(server.address) as channel:
        stub = milvus_pb2_grpc.MilvusServiceStub(channel)
        tasks = [task for database, name, partition, files in imports
                 for task in request(stub, database, name + suffix, partition, files)]
        while tasks:
            time.sleep(POLL_S)
            tasks = [task for task in tasks if not has_ended(stub, task)]


def connection(server, database):
    from pymilvus import connections
    alias = f"bench-{server.port}-{database}"
    if not connections.has_connection(alias):
        connections.connect(alias, db_name=database, **server.client_arguments())
    return alias


def restored(server, suffix):
    """(database, collection) of all that a restore with a suffix made."""
    from pymilvus import Collection, db, utility
    for database in db.list_database(using=connection(server, "default")):
        alias = connection(server, database)
        for name in utility.list_collections(using=alias):
            if name.endswith(suffix):
                yield database, Collection(name, using=alias)


class Restore(pairs.Timed):
    """A side that starts as long after a tick of Milvus as the others of its round; the rounds
    are spread over the tick, because an import that misses one takes as long as to the next."""

    def await_start(self, number):
        late = TICK_S * PHASE * number % TICK_S
        time.sleep((late - time.monotonic()) % TICK_S)


class Restoring:
    """The sides of one backup's restore; what each round brought is counted and dropped after the
    clock stopped."""

    def __init__(self, server, command, place, backup):
        """command(words): ours. backup: its key in a place, the last part of which is its name."""
        self.server, self.command = server, command
        self.name = backup.rpartition("/")[2]
        self.imports = list(imports_of(place, backup))
        self.expected = None

    def restore(self, suffix, *options):
        return pairs.run(self.command("restore", f"--name={self.name}", f"--suffix={suffix}",
                                      "--no-index", "--no-load", *options))

    def count(self, who, suffix):
        """Failed, unless all rounds of all sides bring the same rows."""
        rows = {}
        for database, collection in restored(self.server, suffix):
            rows[database, collection.name.removesuffix(suffix)] = collection.num_entities
            collection.drop()
        if self.expected is None:
            self.expected = rows
        if rows != self.expected or not any(rows.values()):
            raise pairs.Failed(f"{who} brought {rows}, others {self.expected}")

    def side(self, name, letter, prepare, call):
        return Restore(name, lambda n: prepare(f"_{letter}{n}"),
                       lambda n: call(f"_{letter}{n}"),
                       lambda n: self.count(name, f"_{letter}{n}"))

    def ours(self):
        return self.side("bakplane restore", "o", lambda suffix: None, self.restore)

    def bare(self):
        return self.side("bare imports", "b", lambda suffix: self.restore(suffix, "--meta-only"),
                         lambda suffix: import_bare(self.server, self.imports, suffix))

    def theirs(self, peer):
        return self.side("milvus-backup 0.5.7 restore", "t", lambda suffix: None,
                         lambda suffix: pairs.run(peer.command("restore", "-n", self.name,
                                                               f"--suffix={suffix}")))


def restore(bench):
    """Of the golden backup, on a file system."""
    if not golden_archive().is_file():
        bench.say(f"restore: left out, {golden_archive()} is missing")
        return
    folder = unpack_golden(bench.scratch / "golden")
    place = Folder(folder)
    bench.say("restore: starting a Milvus on a file system")
    with MilvusServer(data=bench.scratch / "milvus") as server:
        def command(*words):
            return [*bench.config({"plugin": "milvus", "address": server.address},
                                  Folder(server.root_path).settings(""), place.settings("")),
                    *words]

        work = Restoring(server, command, place, GOLDEN)
        yield from contest(bench, f"restore of {GOLDEN} on a file system", work.ours(),
                           [Rivals([work.bare()], BARE_TARGET)])
    shutil.rmtree(bench.scratch / "milvus")
    shutil.rmtree(folder)


def race(bench, name, work, backup, target):
    """On MinIO. The peer restores a backup of the same name."""
    sides = Restoring(work.server, work.ours, work.bucket, backup)
    rivals = [Rivals([sides.bare()], BARE_TARGET)]
    if remote.has_peer(bench, name):
        rivals.insert(0, Rivals([sides.theirs(work.peer())], target))
    yield from contest(bench, name, sides.ours(), rivals, 32)


def restore_golden(bench):
    name = f"restore of {GOLDEN} on MinIO"
    if not golden_archive().is_file():
        bench.say(f"{name}: left out, {golden_archive()} is missing")
        return
    if not remote.needs_minio(bench, name):
        return
    folder = unpack_golden(bench.scratch / "golden")
    bench.say(f"{name}: starting a Milvus on MinIO")
    with remote.milvus(bench) as work:
        for prefix in (remote.BACKUPS, remote.PEER_BACKUPS):
            work.server.storage.upload(folder, remote.BUCKET, prefix)
        yield from race(bench, name, work, f"{remote.BACKUPS}/{GOLDEN}", GOLDEN_TARGET)
    shutil.rmtree(folder)


def restore_large(bench):
    name = f"restore, {COLLECTIONS} x {bench.rows} vectors of {remote.DIM}"
    if not remote.needs_minio(bench, name):
        return
    bench.say(f"{name}: filling a Milvus on MinIO")
    with remote.milvus(bench) as work:
        remote.fill(work.server, COLLECTIONS, bench.rows)
        pairs.run(work.ours("create", f"--name={MODEL}"))
        if remote.has_peer(bench, name):
            pairs.run(work.peer().command("create", "-n", MODEL))
        yield from race(bench, name, work, f"{remote.BACKUPS}/{MODEL}", LARGE_TARGET)


CASES = {"restore": restore, "restore-peer": restore_golden, "restore-large": restore_large}
