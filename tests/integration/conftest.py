# SPDX-License-Identifier: Apache-2.0
"""Servers that a file of tests shares, and a program with a configuration for each test."""

import pytest

from integration.lib import milvus
from integration.lib.cli import Bakplane, program
from integration.lib.faulty import AzureStore, S3Store, Trial
from services import AzuriteServer, MilvusServer, MinioServer
from services.proxy import FaultProxy


def pytest_sessionstart():
    if not program().exists():
        pytest.exit(f"{program()} is not built; set BAKPLANE_BIN, or run ./dev build debug", 1)


@pytest.fixture(scope="session")
def milvus_server():
    """A Milvus 2.3.5; who needs it empty takes `source`."""
    with MilvusServer("2.3.5") as server:
        yield server


@pytest.fixture(scope="session")
def second_server():
    with MilvusServer("2.3.5") as server:
        yield server


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
    """make(server, settings=…): one folder of backups for all that a test makes."""
    made = []

    def make(server=None, **arguments):
        made.append(Bakplane(tmp_path / f"bakplane-{len(made)}", server,
                             backups=tmp_path / "backups", **arguments))
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
