# SPDX-License-Identifier: Apache-2.0
"""A real Milvus on local storage or on MinIO, from the programs in its Python package.

The package's own launcher unpacks its programs for every data folder, moves silently to another
port when one is taken, kills a server that needs more than a second to stop and can only run one
at a time. So its template of settings is filled in here and the program started directly; each
server gets ports of its own, also for the etcd inside.
"""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import cache
from .certs import SERVER_NAME, Certificates
from .process import ServerError, clean_environment
from .server import Server

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)(?:\(\w+\))?\s*(?::\s*([^}]*?))?\s*\}\}")

ETCD_SETTINGS = """\
name: default
listen-client-urls: http://127.0.0.1:{client}
advertise-client-urls: http://127.0.0.1:{client}
listen-peer-urls: http://127.0.0.1:{peer}
initial-advertise-peer-urls: http://127.0.0.1:{peer}
initial-cluster: default=http://127.0.0.1:{peer}
"""


class MilvusServer(Server):
    """`with MilvusServer() as m: connect(m.address)`.

    tls: 1 = the server shows a certificate, 2 = it wants one too; they are in `certificates`, for
    the name localhost. settings: more keys of milvus.yaml, as {"dataCoord.segment.maxSize": 64}.
    storage: a MinioServer without TLS; data goes below `root_path` in its `bucket`, which Milvus
    makes, instead of the file system.
    """

    NAME = "milvus"
    # With collections loaded it never finishes by itself, and what it acknowledged is safe.
    STOP_GRACE = 3
    USER, PASSWORD = "root", "Milvus"

    def __init__(self, version="2.3.5", data=None, auth=False, tls=0, settings=None,
                 detached=False, storage=None, bucket="a-bucket", root_path="files"):
        if version not in cache.MILVUS_PACKAGES:
            raise ValueError(f"no Milvus {version}; there are {', '.join(cache.MILVUS_PACKAGES)}")
        if storage is not None and storage.tls:
            raise ValueError("milvus would not trust the certificate of its storage")
        super().__init__(data, detached)
        self.version = version
        self.auth, self.tls = auth, tls
        self.storage, self.bucket = storage, bucket
        self._folder = self.data / "data"
        # Where it keeps insert_log, delta_log and so on: a folder, or a prefix of the bucket.
        self.root_path = self._folder if storage is None else root_path
        self._settings = {**self._remote(), **(settings or {})}
        self.certificates = Certificates(self.data / "certs") if tls else None

    # -- what callers need to know

    @property
    def title(self):
        return f"milvus {self.version}"

    @property
    def port(self):
        return self._ports["proxy_port"]

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def client_arguments(self):
        """For pymilvus' connections.connect(**…)."""
        arguments = {"address": self.address}
        if self.auth:
            arguments.update(user=self.USER, password=self.PASSWORD)
        if self.tls:
            # pymilvus takes the root of trust from here with one-sided TLS, from ca_pem_path else.
            trust = "server_pem_path" if self.tls == 1 else "ca_pem_path"
            arguments.update({"secure": True, "server_name": SERVER_NAME,
                              trust: str(self.certificates.ca)})
        if self.tls == 2:
            arguments.update(client_pem_path=str(self.certificates.client),
                             client_key_path=str(self.certificates.client_key))
        return arguments

    @property
    def http_address(self):
        """Metrics, health and management requests."""
        return f"127.0.0.1:{self._ports['metrics']}"

    # -- life

    def start(self, timeout=180):
        """Start and wait until GetVersion answers; ServerError with the log's tail otherwise."""
        super().start(timeout)

    def _command(self):
        programs = cache.milvus_programs(self.version)
        for folder in ("configs", "data", "run"):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        self._write_settings()
        return [programs / "milvus", "run", "standalone"], {
            "LD_LIBRARY_PATH": programs,
            "DEPLOY_MODE": "STANDALONE",
            "METRICS_PORT": self._ports["metrics"],
            "MILVUS_RUN_DIR": self.data / "run",
        }

    def _wait_ready(self, end):
        super()._wait_ready(end)
        command = [cache.python(self.version), Path(__file__).with_name("get_version.py"),
                   str(max(5, end - time.monotonic())), json.dumps(self.client_arguments())]
        done = subprocess.run(command, env=clean_environment(), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise ServerError(f"{self.title}: GetVersion: {done.stdout}\n{self._process.tail()}")
        self.server_version = done.stdout.strip()

    def _is_ready(self):
        # No proxy from the environment: this is the loopback address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.http_address}/healthz", timeout=5) as answer:
                return b"OK" in answer.read()
        except (urllib.error.URLError, OSError):
            return False

    # -- settings

    def _remote(self):
        if self.storage is None:
            return {}
        return {
            "common.storageType": "remote",
            "minio.address": "127.0.0.1",
            "minio.port": self.storage.port,
            "minio.accessKeyID": self.storage.access_key,
            "minio.secretAccessKey": self.storage.secret_key,
            "minio.bucketName": self.bucket,
            "minio.rootPath": self.root_path,
        }

    def _write_settings(self):
        package = cache.milvus_package(self.version)
        configs = self.data / "configs"
        etcd = configs / "etcd.yaml"
        etcd.write_text(ETCD_SETTINGS.format(client=self._ports["etcd_port"],
                                             peer=self._ports["etcd_peer"]), encoding="utf-8")
        template = (package / "config.yaml.template").read_text(encoding="utf-8")
        text = PLACEHOLDER.sub(self._fill, template)
        # The template has no line for this key.
        text = text.replace("\netcd:\n", f"\netcd:\n  config:\n    path: {etcd}\n", 1)
        text = override(text, self._settings)
        (configs / "milvus.yaml").write_text(text, encoding="utf-8")
        if (package / "glog.conf").is_file():
            shutil.copy(package / "glog.conf", configs)

    def _fill(self, match):
        name, default = match.groups()
        if name.endswith("_port"):
            return str(self._ports[name])
        storage = self._folder
        values = {
            "etcd_data_dir": storage / "etcd.data",
            "etcd_log_path": self.data / "logs" / "etcd.log",
            "local_storage_dir": storage,
            "rocksmq_data_dir": storage / "rocksmq",
            "rocketmq_data_dir": storage / "rocketmq",
            "system_log_path": self.data / "logs",
            "authorization_enabled": str(self.auth).lower(),
            "tls_mode": self.tls,
        }
        if self.tls:
            values.update(server_pem_path=self.certificates.server,
                          server_key_path=self.certificates.server_key,
                          ca_pem_path=self.certificates.ca)
        if name in values:
            return str(values[name])
        if default is None:
            raise ServerError(f"{self.title}: no value for {name} in its settings")
        return default


def override(text, settings):
    """Replace the values of dotted keys in the lines of a simple YAML file.

    Unlike the package's launcher, a key that is not there is an error.
    """
    left = dict(settings)
    path, lines = [], []
    for line in text.splitlines():
        match = re.match(r"^( *)(\w+):", line)
        if match:
            path = path[:len(match.group(1)) // 2] + [match.group(2)]
            key = ".".join(path)
            if key in left:
                value = left.pop(key)
                value = str(value).lower() if isinstance(value, bool) else value
                line = f"{match.group(0)} {value}"
        lines.append(line)
    if left:
        raise ServerError(f"no such key in milvus.yaml: {', '.join(left)}")
    return "\n".join(lines) + "\n"
