# SPDX-License-Identifier: Apache-2.0
"""Places where objects lie, for the program's configuration and to look at with other clients."""

import hashlib
import os
from pathlib import Path


class Place:
    """Part of a storage: `settings` for the program's configuration, and what lies there.

    Keys are those of the program, that is below the place's own prefix.
    """

    KIND = ""

    def settings(self):
        raise NotImplementedError

    def put(self, key, content):
        raise NotImplementedError

    def get(self, key):
        raise NotImplementedError

    def remove(self, key):
        raise NotImplementedError

    def keys(self, prefix=""):
        """Of all objects, in order."""
        raise NotImplementedError

    def uploads(self):
        """What says that something was begun and neither finished nor taken back."""
        raise NotImplementedError

    def tree(self, prefix=""):
        """{key: checksum}"""
        return {key: hashlib.sha256(self.get(key)).hexdigest() for key in self.keys(prefix)}

    def clear(self, prefix=""):
        for key in self.keys(prefix):
            self.remove(key)

    def put_folder(self, folder, prefix):
        """The files below a folder, as prefix/their path."""
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder)}", path.read_bytes())


class Folder(Place):
    """On this machine, where the servers of the tests run as we do."""

    KIND = "local"
    TEMPORARY = ".bakplane-tmp"

    def __init__(self, root):
        self.root = Path(root)

    def settings(self):
        return {"plugin": "local", "root": str(self.root), "server_user": str(os.getuid())}

    def put(self, key, content):
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def get(self, key):
        return (self.root / key).read_bytes()

    def remove(self, key):
        (self.root / key).unlink()

    def keys(self, prefix=""):
        names = (str(path.relative_to(self.root)) for path in self.root.rglob("*")
                 if path.is_file())
        return sorted(name for name in names
                      if name.startswith(prefix) and not name.startswith(self.TEMPORARY + "/"))

    def uploads(self):
        below = self.root / self.TEMPORARY
        return sorted(str(path.relative_to(self.root)) for path in below.rglob("*")
                      if path.is_file())


class Bucket(Place):
    """A prefix in a bucket of a MinioServer or VersityServer."""

    def __init__(self, server, bucket, prefix=""):
        self.server, self.bucket, self.prefix = server, bucket, prefix
        self.KIND = server.NAME
        self._before = f"{prefix}/" if prefix else ""

    def settings(self):
        return {"plugin": "s3", "provider": "minio" if self.KIND == "minio" else "s3",
                "endpoint": self.server.endpoint, "region": self.server.REGION,
                "bucket": self.bucket, "prefix": self.prefix or None,
                "access_key": self.server.access_key, "secret_key": self.server.secret_key}

    def put(self, key, content):
        self.server.client().put_object(Bucket=self.bucket, Key=self._before + key, Body=content)

    def get(self, key):
        answer = self.server.client().get_object(Bucket=self.bucket, Key=self._before + key)
        return answer["Body"].read()

    def remove(self, key):
        self.server.client().delete_object(Bucket=self.bucket, Key=self._before + key)

    def keys(self, prefix=""):
        found = self.server.list_keys(self.bucket, self._before + prefix)
        return sorted(key[len(self._before):] for key in found)

    def uploads(self):
        """MinIO lists those of one key only when asked, so its files are looked at."""
        if self.KIND == "minio":
            below = self.server.objects / ".minio.sys" / "multipart"
            return sorted(str(path) for path in below.rglob("*") if path.is_file())
        answer = self.server.client().list_multipart_uploads(Bucket=self.bucket)
        return [one["Key"] for one in answer.get("Uploads", [])]


class Container(Place):
    """A prefix in a container of an AzuriteServer."""

    KIND = "azurite"

    def __init__(self, server, container, prefix=""):
        self.server, self.container, self.prefix = server, container, prefix
        self._before = f"{prefix}/" if prefix else ""
        self._client = server.client().get_container_client(container)

    def settings(self):
        return {"plugin": "azure", "endpoint": self.server.endpoint,
                "account": self.server.account, "account_key": self.server.key,
                "container": self.container, "prefix": self.prefix or None}

    def put(self, key, content):
        self._client.upload_blob(self._before + key, content, overwrite=True)

    def get(self, key):
        return self._client.download_blob(self._before + key).readall()

    def remove(self, key):
        self._client.delete_blob(self._before + key)

    def keys(self, prefix=""):
        found = self.server.list_keys(self.container, self._before + prefix)
        return sorted(key[len(self._before):] for key in found)

    def uploads(self):
        blobs = self._client.list_blobs(include=["uncommittedblobs"])
        whole = set(self.server.list_keys(self.container))
        return sorted(blob.name for blob in blobs if blob.name not in whole)
