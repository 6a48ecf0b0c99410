# SPDX-License-Identifier: Apache-2.0
"""Real servers that speak S3: MinIO, and versitygw, which is strict and knows only signatures of
version 4.

The clients are botocore's, so the interpreter has to be that of the tests. (A module minio.py here
would be taken for the one that pymilvus imports, when a script beside it runs.)
"""

import shutil
from pathlib import Path

from . import cache
from .certs import Certificates
from .server import Server


class S3Server(Server):
    """What both have in common.

    tls: shows a certificate for localhost and 127.0.0.1, issued by `certificates.ca`.
    """

    REGION = "us-east-1"

    def __init__(self, data=None, tls=False, detached=False):
        super().__init__(data, detached)
        self.access_key, self.secret_key = "bakplane-user", "bakplane-password"
        self.tls = tls
        self.certificates = Certificates(self.data / "certs") if tls else None
        self._client = None

    @property
    def port(self):
        return self._ports["s3"]

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://{self.address}"

    @property
    def objects(self):
        """The folder in which it keeps what it is given, in a form of its own."""
        return self.data / "objects"

    def client(self):
        """An S3 client of botocore, which takes nothing from the environment; any thread."""
        if self._client is None:
            from botocore.config import Config
            from botocore.session import Session
            session = Session(session_vars={"profile": (None, [], None, None)})
            self._client = session.create_client(
                "s3", endpoint_url=self.endpoint, region_name=self.REGION,
                aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
                verify=str(self.certificates.ca) if self.tls else False,
                config=Config(proxies={}, connect_timeout=5, retries={"total_max_attempts": 1},
                              s3={"addressing_style": "path"}))
        return self._client

    def make_bucket(self, name):
        """A new, empty bucket; its name."""
        self.client().create_bucket(Bucket=name)
        return name

    def list_keys(self, bucket, prefix=""):
        """All keys below a prefix, in order."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket,
                                                                        Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def upload(self, folder, bucket, prefix):
        """Put the files below a folder into a bucket, as prefix/their path."""
        folder = Path(folder)
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.client().put_object(Bucket=bucket, Body=path.read_bytes(),
                                         Key=f"{prefix}/{path.relative_to(folder)}")

    def _is_ready(self):
        from botocore.exceptions import BotoCoreError, ClientError
        try:
            self.client().list_buckets()
            return True
        except (BotoCoreError, ClientError):
            return False


class MinioServer(S3Server):
    """`with MinioServer() as s: s.make_bucket("a"); use(s.endpoint, s.access_key, …)`."""

    NAME = "minio"

    def _command(self):
        program = cache.go_program("minio")
        self.objects.mkdir(exist_ok=True)
        # Without a folder it would take certificates from the user's home.
        trust = self.data / "minio-certs"
        trust.mkdir(exist_ok=True)
        if self.tls:
            shutil.copy(self.certificates.server, trust / "public.crt")
            shutil.copy(self.certificates.server_key, trust / "private.key")
        return [program, "server", self.objects, "--address", self.address,
                "--certs-dir", trust], {
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_REGION_NAME": self.REGION,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }


class VersityServer(S3Server):
    """`with VersityServer() as s: s.make_bucket("a"); use(s.endpoint, s.access_key, …)`."""

    NAME = "versitygw"

    def _command(self):
        program = cache.go_program("versitygw")
        command = [program, "--port", self.address, "--region", self.REGION]
        if self.tls:
            command += ["--cert", self.certificates.server, "--key", self.certificates.server_key]
        # Metadata beside the objects: not every file system has extended attributes.
        folders = [self.objects, self.data / "metadata"]
        for folder in folders:
            folder.mkdir(exist_ok=True)
        return [*command, "posix", "--sidecar", folders[1], folders[0]], {
            "ROOT_ACCESS_KEY": self.access_key,
            "ROOT_SECRET_KEY": self.secret_key,
        }
