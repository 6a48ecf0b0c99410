# SPDX-License-Identifier: Apache-2.0
"""The conformance kit on our plugins: on a disk that can be full, on MinIO, on Azurite, on Milvus.

Each test names what it expects to be skipped, so that a check which stops looking is noticed.
"""

import base64
import socket
import sys

import pytest

from integration.lib import data, files
from kit import kit
from services.azurite import AzuriteServer

MIB = 1 << 20
SERVER = {"server.statuses", "server.answers", "server.retry_after", "server.broken",
          "server.sigpipe", "server.cut_body", "server.cancel", "server.deadline"}


class TwoAccounts(AzuriteServer):
    """With another account beside, for copies between accounts."""

    def __init__(self):
        super().__init__()
        self.other = "elsewhere"
        self.other_key = base64.b64encode(b"the key of the other account").decode("ascii")

    def _command(self):
        command, env = super()._command()
        return command, {"AZURITE_ACCOUNTS":
                         f"{env['AZURITE_ACCOUNTS']};{self.other}:{self.other_key}"}

    @property
    def other_endpoint(self):
        return f"http://{self.address}/{self.other}"

    def make_other_container(self, name):
        from azure.storage.blob import BlobServiceClient
        client = BlobServiceClient(self.other_endpoint, api_version="2021-12-02",
                                   credential={"account_name": self.other,
                                               "account_key": self.other_key})
        with client:
            client.create_container(name)
        return name


@pytest.fixture(scope="module")
def two_accounts():
    with TwoAccounts() as server:
        yield server


@pytest.fixture(scope="module")
def silent():
    """The port of a server that lets everybody wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def check(kind, config, skipped, tmp_path):
    role = "source" if "source" in config else "storage"
    result = kit.run(kit.PLUGINS / f"bakplane-{role}-{kind}.so", config, folder=tmp_path)
    print(result)
    assert result.failed == {}
    assert result.code == kit.EXIT_PASSED
    assert result.planned == len(result.names)
    assert set(result.skipped) == {"load.trust", *skipped}, result.skipped


def test_local(tmp_path):
    with files.small_disk(tmp_path / "small", 24 * MIB):
        check("local", {
            "storage": {"plugin": "local", "root": str(tmp_path / "one")},
            "hooks": {"full": {"root": str(tmp_path / "small")},
                      "second": {"root": str(tmp_path / "two")}},
        }, {"load.init_fails", "config.bad_values", "config.secrets", "config.unreachable",
            "probe.denied", "write.key_is_prefix", "list.many", "copy.other_login",
            "copy.too_large", "parts.list", "errors.expired", "memory.refused",
            *SERVER}, tmp_path)


def s3_error(status, code, cls):
    return {"status": status, "class": cls,
            "body": f"<Error><Code>{code}</Code><Message>m</Message></Error>"}


def test_s3(minio, silent, tmp_path):
    check("s3", {
        "storage": {"plugin": "s3", "endpoint": minio.endpoint, "region": minio.REGION,
                    "bucket": minio.make_bucket("kit-one"), "access_key": minio.access_key,
                    "secret_key": minio.secret_key},
        "hooks": {
            "second": {"bucket": minio.make_bucket("kit-two")},
            "denied": {"bucket": "kit-none"},
            "expired": {"session_token": "a token of long ago"},
            "unreachable": {"endpoint": f"http://127.0.0.1:{silent}"},
            "bad_values": {"endpoint": "ftp://127.0.0.1", "prefix": "a//b"},
            "many": 2100,
            "server": {
                "settings": {"endpoint": "http://127.0.0.1:{port}"},
                "answers": [
                    s3_error(503, "SlowDown", "throttled"),
                    s3_error(403, "AccessDenied", "denied"),
                    s3_error(403, "SignatureDoesNotMatch", "auth"),
                    s3_error(400, "ExpiredToken", "auth"),
                    s3_error(404, "NoSuchBucket", "not-found"),
                    s3_error(416, "InvalidRange", "range"),
                    s3_error(500, "InternalError", "retryable"),
                ],
            },
        },
    }, {"load.init_fails", "write.bad_keys", "write.full", "list.sorted",
        "copy.exclusive", "copy.checksum", "copy.other_login", "copy.too_large",
        "leaks.files"}, tmp_path)


def azure_error(status, code, cls):
    return {"status": status, "class": cls, "headers": {"x-ms-error-code": code}}


# What Azurite says to a SAS that has expired is not what Azure says.
def test_azure(two_accounts, silent, tmp_path):
    server = two_accounts
    check("azure", {
        "storage": {"plugin": "azure", "endpoint": server.endpoint,
                    "container": server.make_container("kit-one"),
                    "account": server.account, "account_key": server.key},
        "hooks": {
            "second": {"container": server.make_container("kit-two")},
            "other_login": {"endpoint": server.other_endpoint, "account": server.other,
                            "account_key": server.other_key,
                            "container": server.make_other_container("kit-three")},
            "denied": {"container": "kit-none"},
            "unreachable": {"endpoint": f"http://127.0.0.1:{silent}/{server.account}"},
            "bad_values": {"endpoint": "ftp://127.0.0.1", "container": "A"},
            "variants": [{"account_key": None, "credentials": kind} for kind in (
                "managed-identity", "workload-identity", "service-principal")],
            "server": {
                "settings": {"endpoint": f"http://127.0.0.1:{{port}}/{server.account}"},
                "headers": {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2021-12-02"},
                "answers": [
                    azure_error(503, "ServerBusy", "throttled"),
                    azure_error(403, "AuthenticationFailed", "auth"),
                    azure_error(403, "AuthorizationPermissionMismatch", "denied"),
                    azure_error(404, "BlobNotFound", "not-found"),
                    azure_error(416, "InvalidRange", "range"),
                ],
            },
        },
    }, {"load.init_fails", "write.bad_keys", "write.full", "write.checksum", "list.start_after",
        "list.sorted", "list.many", "copy.checksum", "copy.too_large",
        "parts.list", "errors.expired", "leaks.files", "memory.refused"}, tmp_path)


def test_milvus(source, silent, tmp_path):
    data.simple(source, "words", count=300)
    local = str(kit.PLUGINS / "bakplane-storage-local.so")
    call = f"{sys.executable} -m integration.lib.kit_milvus"
    check("milvus", {
        "source": {"address": source.address, "storage": "data",
                   "management": f"http://{source.http_address}"},
        "storages": {"data": {"plugin": local, "root": str(source.root_path)},
                     "backup": {"plugin": local, "root": str(tmp_path / "backup")}},
        "hooks": {
            "unreachable": {"address": f"127.0.0.1:{silent}"},
            "compare": f"{call} compare {source.address}",
            "drop": f"{call} drop {source.address}",
            "newer": 'sed -i \'1s/{/{"format": "of tomorrow",/\' "$BAKPLANE_BACKUP/meta/full_meta.json"',
        },
    }, {"load.init_fails", "source.streams", "source.pin_expires", "restore.older"}, tmp_path)
