# SPDX-License-Identifier: Apache-2.0
"""What tests rely on without looking: the object stores keep, list, check keys, and show their
certificate; a Milvus on one of them leaves nothing on the file system.
"""

import os
import socket
import ssl
import subprocess
import sys

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from botocore.exceptions import ClientError
from pymilvus import (Collection, CollectionSchema, DataType, FieldSchema, connections,
                      utility)

from services import (AzuriteServer, MilvusServer, MinioServer, Peer, PeerError, ServerError,
                      VersityServer, cache)

S3_SERVERS = [MinioServer, VersityServer]
SERVERS = [*S3_SERVERS, AzuriteServer]

SKIPPED = """\
from services import cache

def test_tool():
    raise cache.Missing("no such tool")

def test_peer():
    cache.peer()
"""


@pytest.fixture(params=S3_SERVERS)
def s3(request):
    with request.param() as server:
        yield server


@pytest.fixture
def azurite():
    with AzuriteServer() as server:
        yield server


def put(server, key, content=b"x"):
    if isinstance(server, AzuriteServer):
        server.client().get_blob_client("bucket", key).upload_blob(content)
    else:
        server.client().put_object(Bucket="bucket", Key=key, Body=content)


def make(server):
    return (server.make_container if isinstance(server, AzuriteServer)
            else server.make_bucket)("bucket")


@pytest.mark.parametrize("kind", SERVERS)
def test_lists_what_it_was_given_also_after_a_restart(kind):
    with kind() as server:
        make(server)
        for key in ("b/2", "b/10", "a", "ä b+c"):
            put(server, key)
        assert server.list_keys("bucket") == ["a", "b/10", "b/2", "ä b+c"]
        assert server.list_keys("bucket", "b/") == ["b/10", "b/2"]
        endpoint = server.endpoint
        server.stop()
        assert not server.is_running()
        server.start()
        assert server.endpoint == endpoint and server.list_keys("bucket", "a") == ["a"]


@pytest.mark.parametrize("kind", SERVERS)
def test_leaves_nothing_but_the_data_folder_it_was_told(kind, tmp_path):
    with kind() as server:
        scratch = server.data
        assert scratch.is_dir()
    assert not scratch.exists()
    with kind(data=tmp_path / "data") as server:
        make(server)
    assert (tmp_path / "data").is_dir() and not server.is_running()


@pytest.mark.parametrize("kind", SERVERS)
def test_takes_nothing_from_the_environment(kind, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE"):
        monkeypatch.setenv(name, "/does/not/exist")
    with kind() as server:
        make(server)
        assert server.list_keys("bucket") == []


@pytest.mark.parametrize("kind", SERVERS)
def test_shows_a_certificate_of_its_own_authority(kind):
    with kind(tls=True) as server:
        assert server.endpoint.startswith("https://")
        make(server)
        put(server, "a")
        assert server.list_keys("bucket") == ["a"]
        trusting = ssl.create_default_context(cafile=server.certificates.ca)
        for name in ("localhost", "127.0.0.1"):
            with socket.create_connection(("127.0.0.1", server.port)) as plain, \
                    trusting.wrap_socket(plain, server_hostname=name) as wrapped:
                assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with pytest.raises(ssl.SSLCertVerificationError):
                ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("kind", SERVERS)
def test_a_port_that_is_taken_is_told_with_the_log(kind):
    server = kind()
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        with pytest.raises(ServerError, match=rf"(?s){kind.NAME} ended:\n.*in use"):
            server.start(timeout=20)
    assert not server.is_running()
    server.close()


def test_s3_refuses_a_wrong_key(s3):
    s3.secret_key = "something-else"
    s3._client = None
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3.client().list_buckets()


def test_s3_uploads_a_folder(s3, tmp_path):
    s3.make_bucket("bucket")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "1").write_bytes(b"one")
    (tmp_path / "2").write_bytes(b"")
    s3.upload(tmp_path, "bucket", "pre/fix")
    assert s3.list_keys("bucket") == ["pre/fix/2", "pre/fix/deep/er/1"]
    answer = s3.client().get_object(Bucket="bucket", Key="pre/fix/deep/er/1")
    assert answer["Body"].read() == b"one"


def test_azurite_refuses_a_wrong_key(azurite):
    azurite.key = "c29tZXRoaW5nIGVsc2U="
    azurite._client = None
    with pytest.raises(HttpResponseError, match="AuthorizationFailure"):
        azurite.client().get_account_information()


def test_azurite_is_gone_when_stopped(azurite):
    azurite.stop()
    with pytest.raises(ServiceRequestError):
        azurite.client().get_account_information()


@pytest.fixture(scope="module")
def milvus_on_minio():
    """With a hundred rows in `some`, and a connection to it."""
    with MinioServer() as storage, \
            MilvusServer(storage=storage, bucket="milvus", root_path="deep/er") as server:
        connections.connect(**server.client_arguments())
        schema = CollectionSchema([FieldSchema("key", DataType.INT64, is_primary=True),
                                   FieldSchema("vector", DataType.FLOAT_VECTOR, dim=4)])
        collection = Collection("some", schema)
        collection.insert([list(range(100)), [[float(i)] * 4 for i in range(100)]])
        collection.flush()
        yield server
        connections.disconnect("default")


def test_milvus_keeps_its_data_in_minio(milvus_on_minio):
    server, storage = milvus_on_minio, milvus_on_minio.storage
    keys = storage.list_keys("milvus", f"{server.root_path}/insert_log/")
    assert len(keys) == 4, keys  # two fields, row id and timestamp
    assert storage.list_keys("milvus", "deep/er/stats_log/")
    assert not (server.data / "data" / "insert_log").exists()


def test_peer_creates_lists_restores_and_deletes(milvus_on_minio, tmp_path):
    storage = milvus_on_minio.storage
    peer = Peer(tmp_path, storage, milvus_on_minio, "backups", "theirs")
    peer.create("one")
    assert peer.list() == ["one"]
    backup = peer.get("one")
    assert [each["collection_name"] for each in backup["collection_backups"]] == ["some"]
    assert storage.list_keys("backups", "theirs/one/meta/")
    peer.restore("one", "-s", "_again")
    assert Collection("some_again").num_entities == 100
    utility.drop_collection("some_again")
    peer.delete("one")
    assert peer.list() == [] and storage.list_keys("backups") == []
    with pytest.raises(PeerError, match="exit status 1:\n(?s:.*)not found"):
        peer.get("one")


def test_milvus_refuses_a_storage_that_it_would_not_trust():
    storage = MinioServer(tls=True)
    with pytest.raises(ValueError, match="certificate"):
        MilvusServer(storage=storage)
    storage.close()


@pytest.mark.parametrize("ci, outcome", [("false", "2 skipped"), ("true", "2 failed")])
def test_what_is_missing_skips_a_test_except_on_ci(ci, outcome, tmp_path):
    (tmp_path / "test_it.py").write_text(SKIPPED, encoding="utf-8")
    environment = {**os.environ, "CI": ci, "BAKPLANE_PEER": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "services.no_skip", "-ra",
                           "-p", "no:cacheprovider", tmp_path], env=environment,
                          cwd=tmp_path, text=True, check=False, stdout=subprocess.PIPE)
    assert outcome in done.stdout and "no such tool" in done.stdout, done.stdout
    assert f"{cache.PEER}.xz is missing" in done.stdout, done.stdout
