# SPDX-License-Identifier: Apache-2.0
"""Servers that a file of tests shares, and a program with a configuration for each test."""

import itertools

import pytest

from integration.lib import milvus, tables
from integration.lib.cli import Bakplane, program
from integration.lib.faulty import AzureStore, S3Store, Trial
from integration.lib.storages import Bucket, Container, Folder
from services import AzuriteServer, MilvusServer, MinioServer, VersityServer
from services.proxy import FaultProxy


def pytest_sessionstart():
    if not program().exists():
        pytest.exit(f"{program()} is not built; set BAKPLANE_BIN, or run ./dev build debug", 1)


def pytest_terminal_summary(terminalreporter):
    tables.finish(terminalreporter.write_line)


@pytest.fixture(scope="session")
def milvus_server():
    """A Milvus 2.3.5; who needs it empty takes `source`."""
    with MilvusServer("2.3.5") as server:
        yield server


@pytest.fixture(scope="session")
def second_server():
    with MilvusServer("2.3.5") as server:
        yield server


@pytest.fixture(scope="session")
def minio():
    with MinioServer() as server:
        yield server


@pytest.fixture(scope="session")
def versitygw():
    with VersityServer() as server:
        yield server


@pytest.fixture(scope="session")
def azurite():
    with AzuriteServer() as server:
        yield server


@pytest.fixture(scope="session")
def milvus_on_minio(minio):
    """A Milvus 2.3.5 that keeps its data in a bucket, below "files"."""
    with MilvusServer("2.3.5", storage=minio) as server:
        yield server


@pytest.fixture(scope="session")
def new_place(request, tmp_path_factory):
    """new_place("minio"): an empty folder, bucket or container of its own; servers start with the
    first of their kind. new_place(…, prefix="a/b"): what is below that in it."""
    serial = itertools.count()

    def make(kind, prefix=""):
        name = f"place-{next(serial)}"
        if kind == "local":
            return Folder(tmp_path_factory.mktemp(name) / prefix)
        server = request.getfixturevalue(kind)
        if kind == "azurite":
            return Container(server, server.make_container(name), prefix)
        return Bucket(server, server.make_bucket(name), prefix)

    return make


@pytest.fixture
def source(milvus_server):
    """A Milvus with nothing in it."""
    milvus.wipe(milvus_server)
    return milvus_server


@pytest.fixture
def target(second_server):
    """Another Milvus with nothing in it."""
    milvus.wipe(second_server)
    return second_server


@pytest.fixture
def bakplane(tmp_path):
    """make(server, settings=…): one folder of backups for all that a test makes, unless it says
    another place."""
    made = []

    def make(server=None, **arguments):
        made.append(Bakplane(tmp_path / f"bakplane-{len(made)}", server,
                             **{"backups": tmp_path / "backups", **arguments}))
        return made[-1]

    return make


@pytest.fixture(scope="session")
def faulty_minio():
    """A MinIO, and a proxy before it that does harm where a test asks for it."""
    with MinioServer() as server, FaultProxy(server.port) as proxy:
        yield S3Store(server, proxy)


@pytest.fixture(scope="session")
def faulty_azurite():
    with AzuriteServer() as server, FaultProxy(server.port) as proxy:
        yield AzureStore(server, proxy)


@pytest.fixture(params=["minio", "azurite"])
def store(request):
    """Both, one after the other."""
    return request.getfixturevalue(f"faulty_{request.param}")


@pytest.fixture
def trial(tmp_path, store):
    """A backup from a folder, byte by byte through the program."""
    return Trial(tmp_path, store)
