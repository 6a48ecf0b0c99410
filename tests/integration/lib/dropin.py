# SPDX-License-Identifier: Apache-2.0
"""Command lines of milvus-backup, one after the other, by it or by bakplane under its name.

What came of each is written down in a form in which the two can be compared: exit code, what a
script would read of standard output, what is on the storage and in Milvus afterwards. Those of the
real 0.5.7 are in tests/fixtures/milvus-backup/outcomes_057.json, recorded by test_slow_dropin.py.
"""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

from pymilvus import Collection

from services import Peer
from services.process import clean_environment

from . import data, golden, milvus
from .cli import program
from .storages import Bucket

OUTCOMES = golden.FOLDER / "outcomes_057.json"
BUCKET, ROOT = "dropin", "root"
NAME = "milvus-backup"
GONE = "gone"  # a collection of which all rows are deleted

# Words, {environment}, and what is looked at: the backup of that name, collections that are new.
CASES = [
    # wrong lines
    ([],), (["foo"],), (["create", "--bad"],), (["get"],), (["delete"],), (["restore"],),
    (["restore", "-n", "g_057", "-s", "_x", "-r", "a:b"],),
    (["restore", "-n", "g_057", "--drop_exist_collection", "--skip_create_collection"],),
    (["create", "-n", "two words"],), (["create", "-n", "1a"],), (["create", "-n", "a-b"],),
    (["create", "--name"],), (["list", "word"],), (["--config", "/nowhere/no.yaml", "list"],),
    # what is there
    (["list"],), (["list", "-c", "articles"],), (["list", "--collection=shop.items"],),
    (["list", "--collection", "items"],),
    (["list", "-c", "nothing"],), (["get", "-n", "g_057"],), (["get", "-n=g_057", "--detail"],),
    (["get", "-n", "nothing"],), (["delete", "-n", "nothing"],), (["restore", "-n", "nothing"],),
    (["create", "-n", "g_057"],),
    # where the settings come from
    (["list"], {"MILVUSCONF": "conf"}), (["list"], {"MINIO_BACKUP_ROOT_PATH": "nowhere"}),
    (["list", "--set", "MINIO_BACKUP_ROOT_PATH=nowhere,MILVUS_USER=x"],),
    (["list", "--set=MINIO_BACKUP_ROOT_PATH=root"], {"MINIO_BACKUP_ROOT_PATH": "nowhere"}),
    (["list"], {"MINIO_BACKUP_ROOT_PATH": ""}), (["--config", "below.yaml", "list"],),
    (["--config", "broken.yaml", "list"],), (["check"],),
    # making backups
    (["create", "-n", "one", "-c", "simple,victim"],), (["create", "-n", "one"],),
    (["create", "-n", "dbs", "-d", "shop", "-c", "simple"],),
    (["create", "-nobject", "-a", '{"shop":[]}', "-d", "default"],),
    (["create", "--name=forced", "-f", "--colls", "shop.items"],),
    (["create", "-n", "meta", "--meta_only=true", "-c", "simple"],),
    (["create", "-n", "lost", "-c", "nothing"],), (["create", "-c", "victim"],),
    # bringing them back
    (["restore", "-n", "one", "-c", "simple", "-s", "_s"],),
    (["restore", "-n", "one", "-c", "simple", "-s", "_i", "--restore_index"],),
    (["restore", "-n", "one", "-a", '{"default":["victim"]}', "-r", "victim:renamed"],),
    (["restore", "-n", "dbs", "-r", "shop.items:shop.moved", "--use_v2_restore=false"],),
    (["restore", "-n", "one", "-c", "victim", "-r", "victim:shop.victim"],),
    (["restore", "-n", "dbs", "-d", "shop", "-s", "_d", "--use_auto_index"],),
    (["restore", "-n", "meta", "-s", "_m", "--meta_only"],),
    (["restore", "-n", "one", "-c", "victim"],),
    (["restore", "-n", "one", "-c", "victim", "--drop_exist_collection"],),
    (["restore", "-n", "one", "-c", "simple", "--skip_create_collection", "--drop_exist_index"],),
    # and away
    (["delete", "-n", "one"],), (["delete", "-n", "g_057"],), (["list"],),
    # what goes wrong without an exit code there
    (["check", "--set", "MINIO_ROOT_PATH=nowhere"],),
    (["check", "--set", "MINIO_BUCKET_NAME=nowhere"],),
    (["check", "--set", "MILVUS_PORT=1"],),
    (["list", "--set", "MINIO_PORT=1"],),
    (["create", "-n", "gone", "-c", GONE],), (["restore", "-n", "gone", "-s", "_g"],),
    (["check", "backup_yaml"],),
]


def key(number, case):
    """A case as the line that somebody would type; some lines come twice."""
    words, env = case[0], case[1] if len(case) > 1 else {}
    return " ".join([f"{number:02}", *(f"{name}={value}" for name, value in env.items()), NAME,
                     *words])


class Stage:
    """A Milvus with three collections, a golden backup, and one of the two programs."""

    def __init__(self, folder, server, ours):
        self.server, self.folder = server, Path(folder)
        milvus.wipe(server)
        data.make_database(server, "shop")
        data.simple(server)
        data.simple(server, "victim", count=20, index=False)
        data.simple(server, "items", count=30, database="shop")
        data.simple(server, GONE, count=20, index=False).delete(f"id in {list(range(20))}")
        server.storage.make_bucket(BUCKET)
        self.place = Bucket(server.storage, BUCKET, ROOT)
        self.place.clear()
        self.place.put_folder(golden.unpack("g_057", self.folder), "g_057")
        self.peer = Peer(self.folder / "cwd", server.storage, server, BUCKET, ROOT)
        self.cwd = self.peer.folder
        self.binary = self._alias() if ours else self.peer.binary
        self._files()
        self.base = {path: self._facts(path) for path in self._collections()}

    def _alias(self):
        link = self.folder / NAME
        link.symlink_to(program().resolve())
        return link

    def _files(self):
        text = self.peer.config.read_text(encoding="utf-8")
        other = text.replace(f'"{ROOT}"', '"elsewhere"')
        for name, content in (("backup.yaml", text), ("configs/below.yaml", text),
                              ("conf/backup.yaml", other), ("broken.yaml", "milvus: [")):
            path = self.cwd / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def _collections(self):
        """Without the one whose rows are counted as Milvus finds the time for it."""
        return {f"{database}.{name}" for database in milvus.databases(self.server)
                for name in milvus.collections(self.server, database) if name != GONE}

    def _facts(self, path):
        database, _, name = path.partition(".")
        one = Collection(name, using=milvus.using(self.server, database))
        return {"rows": one.num_entities,
                "indexes": sorted(index.index_name for index in one.indexes),
                "load": milvus.load_state(self.server, database, name)}

    def _made(self):
        """Collections that are new or have changed. Takes the new ones away."""
        made = {}
        for path in sorted(self._collections()):
            facts = self._facts(path)
            if facts == self.base.get(path):
                continue
            made[path] = facts
            if path in self.base:
                self.base[path] = facts
            else:
                milvus.drop(self.server, path)
        return made

    def _backups(self):
        """What each backup holds, as its own document has it."""
        found = {}
        for path in self.place.keys():
            name, _, rest = path.partition("/")
            if rest == "meta/full_meta.json":
                tree = json.loads(self.place.get(path))
                found[name] = {
                    f"{one.get('db_name') or 'default'}.{one['collection_name']}": sum(
                        int(segment.get("num_of_rows", 0))
                        for part in one.get("partition_backups") or []
                        for segment in part.get("segment_backups") or [])
                    for one in tree.get("collection_backups") or []}
        return found

    def play(self, case):
        """The outcome of a case."""
        env = {name: str(self.cwd / value) if name == "MILVUSCONF" else value
               for name, value in (case[1] if len(case) > 1 else {}).items()}
        before = self._backups()
        done = subprocess.run([self.binary, *case[0]], cwd=self.cwd, check=False, text=True,
                              env=environment(self, env), stdin=subprocess.DEVNULL, timeout=300,
                              capture_output=True)
        after = self._backups()
        outcome = {"code": done.returncode, "out": [], "err": done.stderr}
        if done.returncode == 0:
            outcome["out"] = readable(done.stdout)
        changed = {re.sub(r"^backup_[\d_]+$", "backup_TIME", name): after.get(name) for name in {*before, *after}
                   if before.get(name) != after.get(name)}
        if changed:
            outcome["backups"] = changed
        made = self._made() if "restore" in case[0] else {}
        if made:
            outcome["made"] = made
        return outcome


def environment(stage, changes=None):
    """That of a run, without anything of the machine's."""
    return clean_environment({**(changes or {}), "XDG_STATE_HOME": str(stage.folder)})


def readable(text):
    """Lines that are results: no banner, no name of a configuration, no seconds. Of a whole
    configuration the line above it: it has ports, and here no secrets."""
    text = re.sub(r"(?ms)^(-{80})$.*", r"\1", text)
    lines = [re.sub(r"^duration:\d+\.\d\d s$", "duration:N.NN s", line)
             for line in text.splitlines()]
    lines = [line for line in lines
             if line and not re.match(r"\S+ \(Built on |config: ", line)]
    lines = [re.sub(r"^backup_[\d_]+$", "backup_TIME", line) for line in lines]
    if len(lines) < 20:
        return lines
    text = "\n".join(lines)
    return [f"{len(lines)} lines", hashlib.sha256(text.encode()).hexdigest()]


def play_all(stage):
    return {key(number, case): stage.play(case) for number, case in enumerate(CASES)}


def recorded():
    return json.loads(OUTCOMES.read_text(encoding="utf-8"))


def record(outcomes):
    """Only where BAKPLANE_RECORD says so: a new version of the tool, another list of cases."""
    if os.environ.get("BAKPLANE_RECORD"):
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in
                           outcomes.items())
        OUTCOMES.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
