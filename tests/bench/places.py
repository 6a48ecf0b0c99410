# SPDX-License-Identifier: Apache-2.0
"""Places that objects are copied between, as bakplane, rclone and Milvus call them.

A prefix is a folder in a place. What was copied is removed behind the servers' backs: to ask for
it takes longer than the copy did.
"""

import datetime
import shutil
from pathlib import Path


class Folder:
    """On a disk of this machine."""

    def __init__(self, root):
        self.root = Path(root)

    def settings(self, prefix):
        return {"plugin": "local", "root": self.path(prefix)}

    def remote(self):
        """Name and settings in rclone's configuration; for a folder there are none."""
        return None

    def rclone(self, prefix):
        return self.path(prefix)

    def path(self, prefix):
        """As a Milvus that reads here calls it."""
        return str(self.root / prefix)

    def read(self, key):
        return (self.root / key).read_bytes()

    def count(self, prefix):
        return sum(1 for path in (self.root / prefix).rglob("*") if path.is_file())

    def remove(self, prefix):
        shutil.rmtree(self.root / prefix)


class Bucket:
    """Of a MinioServer."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def settings(self, prefix):
        return {"plugin": "s3", "provider": "minio", "endpoint": self.server.endpoint,
                "region": self.server.REGION, "bucket": self.name, "prefix": prefix,
                "access_key": self.server.access_key, "secret_key": self.server.secret_key}

    def remote(self):
        return "minio", {"type": "s3", "provider": "Minio", "endpoint": self.server.endpoint,
                         "region": self.server.REGION, "access_key_id": self.server.access_key,
                         "secret_access_key": self.server.secret_key}

    def rclone(self, prefix):
        return f"minio:{self.name}/{prefix}"

    def path(self, prefix):
        return prefix

    def read(self, key):
        return self.server.client().get_object(Bucket=self.name, Key=key)["Body"].read()

    def count(self, prefix):
        return len(self.server.list_keys(self.name, f"{prefix}/"))

    def remove(self, prefix):
        shutil.rmtree(self.server.objects / self.name / prefix)


class Container:
    """Of an AzuriteServer, which is made empty when something is to be removed: it would keep the
    bytes of removed blobs for ten minutes."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def settings(self, prefix):
        return {"plugin": "azure", "endpoint": self.server.endpoint, "container": self.name,
                "prefix": prefix, "account": self.server.account, "account_key": self.server.key}

    def remote(self):
        """rclone 1.60 takes an address such as Azurite's only from a shared access signature."""
        from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas
        signature = generate_account_sas(
            self.server.account, self.server.key,
            ResourceTypes(service=True, container=True, object=True),
            AccountSasPermissions(read=True, write=True, list=True, create=True, delete=True),
            datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1))
        return "azurite", {"type": "azureblob", "sas_url": f"{self.server.endpoint}?{signature}"}

    def rclone(self, prefix):
        return f"azurite:{self.name}/{prefix}"

    def count(self, prefix):
        return len(self.server.list_keys(self.name, f"{prefix}/"))

    def remove(self, _):
        self.server.stop()
        shutil.rmtree(self.server.data / "blobs")
        for index in self.server.data.glob("blobs*"):
            index.unlink()
        self.server.start()
        self.server.make_container(self.name)
