# SPDX-License-Identifier: Apache-2.0
"""milvus-backup 0.5.7 as the other side of a comparison: its configuration, its commands.

It needs an object store: on a local file system that version reads nothing, not even what it wrote.
"""

import functools
import json
import subprocess
from pathlib import Path

from . import cache
from .process import clean_environment


class PeerError(RuntimeError):
    """A command of the peer failed; the text ends in what it printed."""


class Peer:
    """One configuration of it, in a folder where it writes its log, too.

    storage: what has the backups, below `backup_root` in `backup_bucket`: a MinioServer, or
    whatever has a port and keys. milvus: a MilvusServer on the same storage, without TLS; list,
    get and delete do without one. Parallelism is that of the sample file that comes with it.
    """

    def __init__(self, folder, storage, milvus=None, backup_bucket="a-bucket",
                 backup_root="backup"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "peer.yaml"
        settings = {
            "log": {"level": "info", "console": False,
                    "file": {"rootPath": str(self.folder.absolute() / "peer.log")}},
            "milvus": {"address": "127.0.0.1", "port": milvus.port if milvus else 1},
            "minio": {
                "storageType": "minio",
                "address": "127.0.0.1",
                "port": storage.port,
                "accessKeyID": storage.access_key,
                "secretAccessKey": storage.secret_key,
                "useSSL": False,
                "bucketName": milvus.bucket if milvus else backup_bucket,
                "rootPath": milvus.root_path if milvus else "files",
                "backupBucketName": backup_bucket,
                "backupRootPath": backup_root,
            },
            "backup": {"parallelism": {"backupCollection": 4, "copydata": 128,
                                       "restoreCollection": 2}},
        }
        if milvus and milvus.auth:
            settings["milvus"].update(user=milvus.USER, password=milvus.PASSWORD)
        # JSON is YAML.
        self.config.write_text(json.dumps(settings, indent=2), encoding="utf-8")

    @functools.cached_property
    def binary(self):
        """Fetched when it is first run: its configuration is of use to others, too."""
        return cache.peer()

    def command(self, *words):
        return [self.binary, "--config", self.config, *words]

    def run(self, *words, timeout=600):
        """What a command prints; PeerError if it fails."""
        command = self.command(*words)
        done = subprocess.run(command, cwd=self.folder, env=clean_environment(), text=True,
                              timeout=timeout, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise PeerError(f"{' '.join(map(str, command))}: exit status {done.returncode}:\n"
                            f"{done.stdout}")
        return done.stdout

    def create(self, name, *flags):
        return self.run("create", "-n", name, *flags)

    def list(self):
        """The names of its backups."""
        return self.run("list").partition(">> Backups:")[2].split()

    def get(self, name):
        """The tree of a backup as it prints it."""
        text = self.run("get", "-n", name, "-d")
        return json.loads(text[text.index("{"):text.rindex("}") + 1])

    def restore(self, name, *flags):
        return self.run("restore", "-n", name, *flags)

    def delete(self, name):
        return self.run("delete", "-n", name)
