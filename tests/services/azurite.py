# SPDX-License-Identifier: Apache-2.0
"""A real Azurite: the blob service of Azure, with one account."""

import base64

from . import cache
from .certs import Certificates
from .server import Server

# Azurite refuses versions newer than it knows; a real account takes this one, too.
API_VERSION = "2021-12-02"


class AzuriteServer(Server):
    """`with AzuriteServer() as a: a.make_container("c"); use(a.endpoint, a.account, a.key)`.

    The endpoint is http://127.0.0.1:PORT/ACCOUNT. tls: as with S3Server.
    """

    NAME = "azurite"

    def __init__(self, data=None, tls=False, detached=False):
        super().__init__(data, detached)
        self.account = "bakplane"
        self.key = base64.b64encode(b"the key of an account for tests").decode("ascii")
        self.tls = tls
        self.certificates = Certificates(self.data / "certs") if tls else None
        self._client = None

    @property
    def port(self):
        return self._ports["blob"]

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://{self.address}/{self.account}"

    def client(self):
        """A BlobServiceClient, which takes nothing from the environment; any thread."""
        if self._client is None:
            from azure.core.pipeline.transport import RequestsTransport
            from azure.storage.blob import BlobServiceClient
            self._client = BlobServiceClient(
                self.endpoint, api_version=API_VERSION, retry_total=0,
                credential={"account_name": self.account, "account_key": self.key},
                transport=RequestsTransport(
                    use_env_settings=False, connection_timeout=5,
                    connection_verify=str(self.certificates.ca) if self.tls else False))
        return self._client

    def make_container(self, name):
        """A new, empty container; its name."""
        self.client().create_container(name)
        return name

    def list_keys(self, container, prefix=""):
        """The names of all blobs below a prefix, in order."""
        blobs = self.client().get_container_client(container).list_blobs(name_starts_with=prefix)
        return [blob.name for blob in blobs]

    def close(self):
        super().close()
        if self._client is not None:
            self._client.close()
            self._client = None

    def _command(self):
        blobs = self.data / "blobs"
        blobs.mkdir(exist_ok=True)
        command = [*cache.azurite(), "--location", blobs, "--blobHost", "127.0.0.1",
                   "--blobPort", self.port, "--disableTelemetry"]
        if self.tls:
            command += ["--cert", self.certificates.server, "--key", self.certificates.server_key]
        return command, {"AZURITE_ACCOUNTS": f"{self.account}:{self.key}"}

    def _is_ready(self):
        from azure.core.exceptions import AzureError
        try:
            self.client().get_account_information()
            return True
        except AzureError:
            return False
