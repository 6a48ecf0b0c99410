# SPDX-License-Identifier: Apache-2.0
"""Backups on an object store behind a proxy that does harm.

The source is a folder, or a folder in the store itself (then the store copies). Whatever a test
provokes, it says afterwards what has to be true: `whole()` or `broken()`, then `clean()`.
"""

import hashlib
import itertools
import random
import re
from urllib.parse import unquote

from integration.lib import milvus
from integration.lib.cli import EXIT_FAILED, Bakplane, merge, program
from services.faults import azure_error, s3_error

PLACE = "bucket"
MIB = 1 << 20
_SERIAL = itertools.count()
_DICE = random.Random(20261125)

# The parts have 5 MiB: two objects go in parts, one of them ends with a short one.
FILES = {
    "db/one/empty": b"",
    "db/one/a byte": b"x",
    **{f"db/one/small-{number}": _DICE.randbytes(1000 + 777 * number) for number in range(6)},
    "db/one/medium": _DICE.randbytes(600_000),
    "db/two/large": _DICE.randbytes(11 * MIB + 12_345),
    "db/two/ä b+c": _DICE.randbytes(3 * MIB),
    "db/two/other-large": _DICE.randbytes(10 * MIB),
}
LARGE = "db/two/large"
OBJECT = "/items/"  # in the path of every object that comes from the source


def digest(content):
    return hashlib.sha256(content).hexdigest()


DIGESTS = {path: digest(content) for path, content in FILES.items()}


class S3Store:
    """A MinIO, seen through the proxy by the program under test and directly by the test."""

    kind = "s3"
    # What requests of each kind look like, for Fault.
    WRITE = ("PUT", rf"{OBJECT}db/one/[^?]*$")
    BEGIN = ("POST", r"\?uploads")
    PART = ("PUT", r"partNumber=")
    COMPLETE = ("POST", r"\?uploadId=")
    LIST = ("GET", r"list-type=2")
    REMOVE = ("POST", r"[?&]delete")
    error = staticmethod(s3_error)
    EXPIRED = (400, "ExpiredToken")
    SLOW_DOWN = (503, "SlowDown")
    UNAVAILABLE = (503, "ServiceUnavailable")
    INTERNAL = (500, "InternalError")

    def __init__(self, server, proxy):
        self.server, self.proxy = server, proxy
        server.make_bucket(PLACE)

    @property
    def secrets(self):
        return {self.server.secret_key, *self.proxy.signs}

    def storage(self, prefix, port=None, **more):
        """Settings of a storage; straight to the server, or to another port."""
        return {"plugin": "s3", "provider": "minio", "bucket": PLACE, "prefix": prefix,
                "endpoint": f"http://127.0.0.1:{port or self.server.port}",
                "region": self.server.REGION, "access_key": self.server.access_key,
                "secret_key": self.server.secret_key, "idle_timeout": "1s",
                "copy_timeout": "2s", "max_copy": "5MiB", **more}

    def put(self, key, content):
        self.server.client().put_object(Bucket=PLACE, Key=key, Body=content)

    def read(self, key):
        return self.server.client().get_object(Bucket=PLACE, Key=key)["Body"].read()

    def keys(self, prefix):
        return self.server.list_keys(PLACE, prefix)

    def _begun(self):
        """The keys of all uploads in parts that were ever begun."""
        return {unquote(target.partition("?")[0]).removeprefix(f"/{PLACE}/")
                for method, target in self.proxy.requests
                if method == "POST" and "?uploads" in target}

    def unfinished(self, prefix):
        """Uploads that nobody ended. MinIO lists those of one key, and no others."""
        found = []
        for key in self._begun():
            if key.startswith(prefix):
                answer = self.server.client().list_multipart_uploads(Bucket=PLACE, Prefix=key)
                found += [(key, one["UploadId"]) for one in answer.get("Uploads", [])]
        return found


class AzureStore:
    """An Azurite, in the same way."""

    kind = "azure"
    WRITE = ("PUT", rf"{OBJECT}db/one/[^?]*$")
    PART = ("PUT", r"comp=block(&|$)")
    COMPLETE = ("PUT", rf"{OBJECT}db/two/.*comp=blocklist")
    LIST = ("GET", r"comp=list(&|$)")
    REMOVE = ("POST", r"comp=batch(&|$)")
    error = staticmethod(azure_error)
    EXPIRED = (403, "AuthenticationFailed")
    SLOW_DOWN = (503, "ServerBusy")
    UNAVAILABLE = (503, "ServerBusy")
    INTERNAL = (500, "InternalError")

    def __init__(self, server, proxy):
        self.server, self.proxy = server, proxy
        server.make_container(PLACE)
        self._container = server.client().get_container_client(PLACE)

    @property
    def secrets(self):
        return {self.server.key, *self.proxy.signs}

    def storage(self, prefix, port=None, **more):
        return {"plugin": "azure", "account": self.server.account, "container": PLACE,
                "endpoint": f"http://127.0.0.1:{port or self.server.port}/{self.server.account}",
                "prefix": prefix, "account_key": self.server.key, "idle_timeout": "1s",
                "copy_timeout": "2s", **more}

    def put(self, key, content):
        self._container.upload_blob(key, content, overwrite=True)

    def read(self, key):
        return self._container.download_blob(key).readall()

    def keys(self, prefix):
        return self.server.list_keys(PLACE, prefix)

    def unfinished(self, prefix):
        """Blobs with blocks that nobody committed."""
        found = []
        for blob in self._container.list_blobs(prefix, include=["uncommittedblobs"]):
            blocks = self._container.get_blob_client(blob.name).get_block_list("uncommitted")[1]
            found += [(blob.name, block.id) for block in blocks]
        return found


class Faulty(Bakplane):
    """The program with all its logs on; nothing that it prints or keeps may hold a secret."""

    def __init__(self, folder, store, settings):
        super().__init__(folder, settings=settings)
        self._store = store

    def write(self):
        self.config.touch(mode=0o600)
        super().write()

    def finish(self, process, timeout=120):
        result = super().finish(process, timeout)
        kept = [path.read_text(encoding="utf-8", errors="replace")
                for path in self.state.rglob("*") if path.is_file()]
        self.assert_no_secret("\n".join([result.out, result.err, *kept]), result.words)
        return result

    def assert_no_secret(self, text, where):
        found = [secret for secret in self._store.secrets if secret in text]
        assert not found, f"{where}: {found} in\n{text}"


class Trial:
    """One backup "b" of FILES through the proxy, and all that a test has to know of it.

    data: "local", or "store" for the store's own copies.
    """

    def __init__(self, folder, store, data="local"):
        self.store, self.proxy = store, store.proxy
        self.prefix = f"trial{next(_SERIAL)}/"
        self.backup, self.data = f"{self.prefix}backups/b/", f"{self.prefix}data/"
        self._folder, self._data_kind = folder, data
        for path, content in FILES.items():
            self.write(path, content)
        self.program = self.make("proxied", self.proxy.port)
        self.direct = self.make("direct", None)

    def write(self, path, content):
        """One file of the source."""
        if self._data_kind == "store":
            self.store.put(self.data + path, content)
            return
        target = self._folder / "data" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def make(self, name, port, storages=None, **more):
        """A program with a configuration of its own for the same backups; straight to the server
        without a port.
        """
        build = program().resolve().parent.parent
        data = {"plugin": "local", "root": str(self._folder / "data")}
        if self._data_kind == "store":
            data = self.store.storage(self.data.rstrip("/"), port)
        settings = {
            "source": {"plugin": "files", "storage": "data", "databases": True},
            "storages": merge({"data": data,
                               "backups": {"root": None, "server_user": None,
                                           **self.store.storage(f"{self.prefix}backups", port)}},
                              storages or {}),
            "backup": {"retry": {"attempts": 4, "max_delay": "100ms"}, "part_size": "5MiB",
                       "concurrency": {"copies": 4}},
            "log": {"level": "trace", "format": "json"},
            "plugins": {"dirs": [f"{build}/lib/bakplane/plugins", f"{build}/tests/plugins"]},
            **more,
        }
        return Faulty(self._folder / name, self.store, settings)

    # -- what has to be true

    def items(self):
        """{path: checksum} of what the backup holds, read without the program."""
        head = f"{self.backup}items/"
        return {key[len(head):]: digest(self.store.read(key)) for key in self.store.keys(head)}

    def whole(self, files=None):
        """It says that it is a success, and every byte is there."""
        assert self.direct.list()["b"]["status"] == "success"
        self.direct.verify("b", "--deep")
        milvus.assert_same({path: digest(files[path]) for path in files} if files else DIGESTS,
                           self.items())
        strays = [key[len(self.backup):] for key in self.store.keys(self.backup)
                  if not key.startswith(f"{self.backup}items/")]
        # Verifying writes the checksums down of what the store copied by itself, in files of its
        # own. A lease that could not be given back at the end is in nobody's way.
        assert re.fullmatch(r"bakplane/items-[-0-9a-f]+\.jsonl (bakplane/lease.json )?"
                            "bakplane/manifest.json meta/files.json",
                            " ".join(sorted(strays))), strays
        assert self.store.unfinished(self.prefix) == []
        for key in self.store.keys(self.prefix):
            if "/items/" not in key and not key.startswith(self.data):
                self.direct.assert_no_secret(self.store.read(key).decode(), key)

    def broken(self, result, *mentions):
        """It failed, says so and why, and nothing takes it for a backup."""
        result.expect(EXIT_FAILED)
        assert result.json["outcome"] == "failed"
        message = result.json["error"]["message"] + result.json["error"].get("hint", "")
        missing = [word for word in mentions if word not in message]
        assert not missing, f"{missing} not in: {message}"
        entry = self.direct.list().get("b")
        assert entry is None or entry["status"] != "success"

    def resume(self):
        """The same again without faults, which goes on where there is something to go on with."""
        flags = ["--resume"] if "b" in self.direct.list() else []
        self.program.create("b", *flags)
        self.whole()

    def settle(self, result, *mentions):
        """Proven success, or a clear failure that --resume can follow."""
        if result.code == 0:
            self.whole()
        else:
            self.broken(result, *mentions)
            self.resume()

    def clean(self):
        """Deleted, nothing of it is left anywhere."""
        self.direct.delete("b", "--force")
        self.gone()

    def gone(self):
        left = self.store.keys(f"{self.prefix}backups/")
        assert left == [], left
        assert self.store.unfinished(self.prefix) == []

