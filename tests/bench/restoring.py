# SPDX-License-Identifier: Apache-2.0
"""A restore beside the very import requests it makes, issued bare and polled every 50 ms.

Needs a real Milvus, which tests/services starts, and the golden backups.
"""

import json
import os
import shutil
import sys
import tarfile
import time
from pathlib import Path

import pairs

POLL_S = 0.05
GOLDEN = "g_057"
TOP = Path(__file__).resolve().parents[2]
COMPLETED, FAILED = 6, (1, 7)


def golden_archive():
    shared = Path(os.environ.get("BAKPLANE_SHARED", TOP.parent / "shared"))
    return shared / "fixtures/milvus-backup" / f"{GOLDEN}.tar.xz"


def imports_of(backup):
    """(database, collection, partition, files) of each partition that has data."""
    meta = json.loads((backup / "meta/full_meta.json").read_text(encoding="utf-8"))
    for collection in meta["collection_backups"]:
        for partition in collection["partition_backups"]:
            if not partition.get("segment_backups"):
                continue
            where = f"{collection['collection_id']}/{partition['partition_id']}/"
            delta = backup / "binlogs/delta_log" / where
            yield (collection.get("db_name") or "default", collection["collection_name"],
                   partition["partition_name"],
                   [f"{backup}/binlogs/insert_log/{where}",
                    f"{delta}/" if delta.is_dir() else ""])


class Timed:
    """A side of a comparison that is a function instead of a command."""

    def __init__(self, name, prepare, act, clean):
        self.name, self.prepare, self.act, self.clean = name, prepare, act, clean
        self.seconds, self.rounds = [], 0

    def once(self):
        number, self.rounds = self.rounds, self.rounds + 1
        self.prepare(number)
        start = time.monotonic()
        self.act(number)
        seconds = time.monotonic() - start
        self.clean(number)
        return seconds

    def finish(self):
        """Everything is cleaned at once."""

    median = pairs.Side.median


def restored(server, suffix):
    """(database, connection, collection) of each collection that a restore with a suffix made."""
    from pymilvus import connections, utility
    for database in ("default", "shop"):
        alias = f"bench-{server.port}-{database}"
        if not connections.has_connection(alias):
            connections.connect(alias, db_name=database, **server.client_arguments())
        for name in utility.list_collections(using=alias):
            if name.endswith(suffix):
                yield database, alias, name


def drop(server, suffix):
    from pymilvus import utility
    for _, alias, name in restored(server, suffix):
        utility.drop_collection(name, using=alias)


class Restoring:
    def __init__(self, bench, server):
        self.program, self.plugins = bench.program, bench.plugins
        self.server = server
        backups = bench.scratch / "restore-backups"
        backups.mkdir()
        with tarfile.open(golden_archive()) as archive:
            archive.extractall(backups)
        self.backup = backups / GOLDEN
        self.config = bench.scratch / "restore.json"
        self.config.write_text(json.dumps({
            "source": {"plugin": "milvus", "address": server.address, "storage": "data"},
            "storages": {"data": {"plugin": "local", "root": str(server.root_path)},
                         "backups": {"plugin": "local", "root": str(backups)}},
            "backup": {"storage": "backups"},
            "plugins": {"dirs": self.plugins},
            "state_dir": str(bench.scratch / "state"),
        }), encoding="utf-8")

    def restore(self, suffix, *options):
        pairs.run([str(self.program), f"--config={self.config}", "--quiet", "restore",
                   f"--name={GOLDEN}", f"--suffix={suffix}", "--no-index", "--no-load", *options])

    def bare(self, suffix):
        import grpc
        from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc
        with grpc.insecure_channel(self.server.address) as channel:
            stub = milvus_pb2_grpc.MilvusServiceStub(channel)
            options = [common_pb2.KeyValuePair(key="backup", value="true"),
                       common_pb2.KeyValuePair(key="skip_disk_quota_check", value="true")]
            tasks = []
            for database, name, partition, files in imports_of(self.backup):
                request = milvus_pb2.ImportRequest(collection_name=name + suffix,
                                                   partition_name=partition, files=files,
                                                   options=options)
                answer = stub.Import(request, metadata=(("dbname", database),))
                if answer.status.error_code != 0:
                    raise pairs.Failed(f"bare import: {answer.status.reason}")
                tasks += answer.tasks
            while tasks:
                time.sleep(POLL_S)
                tasks = [task for task in tasks if not self.ended(stub, milvus_pb2, task)]

    @staticmethod
    def ended(stub, milvus_pb2, task):
        state = stub.GetImportState(milvus_pb2.GetImportStateRequest(task=task))
        if state.state in FAILED:
            raise pairs.Failed(f"bare import: task {task}: {state}")
        return state.state == COMPLETED


def restore(bench):
    if not golden_archive().is_file():
        bench.say(f"restore: left out, {golden_archive()} is missing")
        return
    sys.path.insert(0, str(TOP / "tests"))
    from services import MilvusServer
    bench.say("restore: starting a Milvus 2.3.5")
    with MilvusServer("2.3.5") as server:
        work = Restoring(bench, server)
        ours = Timed("bakplane restore", lambda n: None, lambda n: work.restore(f"_o{n}"),
                     lambda n: drop(server, f"_o{n}"))
        theirs = Timed("bare imports", lambda n: work.restore(f"_t{n}", "--meta-only"),
                       lambda n: work.bare(f"_t{n}"), lambda n: drop(server, f"_t{n}"))
        bench.say(f"restore: {ours.name} beside {theirs.name}")
        ratio = pairs.compare(ours, theirs, min(bench.rounds, 3))
    shutil.rmtree(work.backup.parent)
    yield {"case": f"restore of {GOLDEN}", "ours": ours.median, "theirs": theirs.median,
           "against": theirs.name, "ratio": ratio, "target": 1.1, "unit": "s"}
