# SPDX-License-Identifier: Apache-2.0
"""Backups on Azure's blob service, as Azurite is one: from and to files, by every kind of login
that needs no directory service, copied by the service and through us."""

import base64
import datetime
import os
import signal
import time
from pathlib import Path

import pytest

from integration.lib.cli import EXIT_FAILED, Bakplane, merge, program
from services.azurite import API_VERSION, AzuriteServer

MIB = 1 << 20
PLUGINS = [str(program().parent.parent / folder) for folder in
           ("lib/bakplane/plugins", "tests/plugins")]
FILES = {
    "main/shop/empty": b"", "main/shop/one byte": b"x", "main/shop/part+%41 \u00fc\u4e2d": b"hello" * 1000,
    "main/shop/deep/er/file": bytes(range(256)) * 400, "main/users/block-1": b"b" * (256 * 1024 - 1),
    "main/users/block": b"b" * (256 * 1024), "main/users/block+1": b"b" * (256 * 1024 + 1),
}


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


@pytest.fixture(scope="module")
def azurite():
    with TwoAccounts() as server:
        yield server


@pytest.fixture
def container(azurite):
    name = "t" + base64.b32encode(os.urandom(10)).decode().lower()
    return azurite.make_container(name)


def storage(azurite, container, **more):
    return {"plugin": "azure", "container": container, "account": azurite.account,
            "account_key": azurite.key, "endpoint": azurite.endpoint, **more}


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "data"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture
def make(tmp_path, data):
    """make(backups, source=…): a program whose source are files on a storage."""
    def start(backups, source=None, **settings):
        base = {"source": {"plugin": "files", "storage": "data", "databases": True},
                "storages": {"data": source or {"plugin": "local", "root": str(data)},
                             "backups": backups},
                "plugins": {"dirs": PLUGINS}}
        made = Bakplane(tmp_path / f"program-{time.monotonic_ns()}")
        made.settings = merge({"state_dir": str(made.state), "backup": {"storage": "backups"}},
                              merge(base, settings))
        made.write()
        return made
    return start


def restored(root):
    below = Path(root) / "restored"
    return {str(path.relative_to(below)): path.read_bytes()
            for path in below.rglob("*") if path.is_file()}


def uncommitted(azurite, container):
    """Names of which there are but blocks."""
    client = azurite.client().get_container_client(container)
    return [blob.name for blob in client.list_blobs(include=["uncommittedblobs"])
            if not any(blob.name == done.name for done in client.list_blobs())]


def sas_of(azurite, container, permissions="racwdl"):
    from azure.storage.blob import generate_container_sas
    return generate_container_sas(
        azurite.account, container, azurite.key, permission=permissions,
        expiry=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))


def round_trip(run, azurite, container, data):
    """create, verify, restore and delete; what came back is what there was."""
    run.create("b")
    assert run.list()["b"]["status"] == "success"
    run.verify("b", "--deep")
    run.restore("b")
    assert restored(data) == FILES
    run.delete("b")
    assert azurite.list_keys(container) == []
    assert uncommitted(azurite, container) == []


def test_files_to_azure_and_back(azurite, container, make, data):
    round_trip(make(storage(azurite, container)), azurite, container, data)


def test_blocks_and_prefix(azurite, container, make, data):
    """Small limits, so that small files go through everything that large ones do."""
    run = make(storage(azurite, container, prefix="a/b", put_size="0", block_size="64KiB",
                       memory="1MiB"))
    azurite.client().get_blob_client(container, "a/bystander").upload_blob(b"1")
    run.create("b")
    run.verify("b", "--deep")
    assert all(key.startswith("a/b") for key in azurite.list_keys(container))
    run.restore("b")
    assert restored(data) == FILES
    run.delete("b")
    assert azurite.list_keys(container) == ["a/bystander"]


def test_parts(azurite, container, make, data):
    big = os.urandom(12 * MIB + 1)
    (data / "main/shop/big").write_bytes(big)
    run = make(storage(azurite, container, block_size="1MiB"), backup={"part_size": "5MiB"})
    run.create("b")
    run.verify("b", "--deep")
    run.restore("b")
    assert restored(data)["main/shop/big"] == big


@pytest.mark.parametrize("login", ["sas", "connection-string", "connection-string-sas"])
def test_logins(azurite, container, make, data, login):
    settings = {"plugin": "azure", "container": container}
    if login == "sas":
        settings |= {"sas": sas_of(azurite, container), "endpoint": azurite.endpoint,
                     "allow_http": True}
    elif login == "connection-string":
        settings |= {"connection_string": f"DefaultEndpointsProtocol=http;AccountName="
                                          f"{azurite.account};AccountKey={azurite.key};"
                                          f"BlobEndpoint={azurite.endpoint};"}
    else:
        settings |= {"connection_string": f"BlobEndpoint={azurite.endpoint};SharedAccessSignature="
                                          f"{sas_of(azurite, container)}", "allow_http": True}
    round_trip(make(settings), azurite, container, data)


def test_container_is_made(azurite, make, data):
    run = make(storage(azurite, "made-by-us", create_container=True))
    assert run.list() == {}
    round_trip(run, azurite, "made-by-us", data)


def deletes_of(azurite, container):
    """How many objects of a container were removed alone, and how many batches came."""
    lines = azurite.log.read_text(encoding="utf-8").splitlines()
    alone = sum(f"/{container}/" in line and '"DELETE ' in line for line in lines)
    batches = sum(f"/{container}?" in line and '"POST ' in line and "comp=batch" in line
                  for line in lines)
    return alone, batches


@pytest.mark.parametrize("login", ["key", "sas"])
def test_removed_in_batches(azurite, container, make, data, login):
    names = [f"{i:03} %+&\u00fc" for i in range(600)]
    for name in names:
        (data / "main/shop" / name).write_bytes(b"x")
    settings = storage(azurite, container)
    if login == "sas":
        del settings["account_key"]
        settings |= {"sas": sas_of(azurite, container), "allow_http": True}
    run = make(settings)
    run.create("b")
    before, _ = deletes_of(azurite, container)
    azurite.client().get_blob_client(container, "bystander").upload_blob(b"1")
    run.delete("b")
    assert azurite.list_keys(container) == ["bystander"]
    alone, batches = deletes_of(azurite, container)
    assert batches >= 3  # of 256 at the most
    assert alone - before < 100  # documents, which are removed in an order


def fill(azurite, container, account=None, key=None):
    """The files as blobs."""
    from azure.storage.blob import BlobServiceClient
    endpoint = f"http://{azurite.address}/{account or azurite.account}"
    client = BlobServiceClient(endpoint, api_version=API_VERSION,
                               credential={"account_name": account or azurite.account,
                                           "account_key": key or azurite.key})
    with client:
        box = client.create_container(container)
        for name, content in FILES.items():
            box.upload_blob(name, content)


def reads_of(azurite, container):
    """How many objects of a container we read so far; the service itself comes with a SAS."""
    lines = azurite.log.read_text(encoding="utf-8").splitlines()
    return sum(f"/{container}/main/" in line and '"GET ' in line and "sig=" not in line
               for line in lines)


@pytest.mark.parametrize("other", [False, True])
def test_copied_by_the_service(azurite, container, make, other):
    """Within an account and between two; no byte passes here."""
    account, key = (azurite.other, azurite.other_key) if other else (azurite.account, azurite.key)
    fill(azurite, f"{container}src", account, key)
    source = storage(azurite, f"{container}src", account=account, account_key=key,
                     endpoint=f"http://{azurite.address}/{account}")
    run = make(storage(azurite, container), source)
    run.create("b")
    assert reads_of(azurite, f"{container}src") <= 1  # whether it may
    run.verify("b", "--deep")


def test_copied_in_parts_by_the_service(azurite, container, make):
    """Put Block From URL, above copy_size."""
    fill(azurite, f"{container}src")
    big = os.urandom(12 * MIB + 7)
    azurite.client().get_blob_client(f"{container}src", "main/shop/big").upload_blob(big)
    run = make(storage(azurite, container, copy_size="1MiB"),
               storage(azurite, f"{container}src"), backup={"part_size": "5MiB"})
    run.create("b")
    assert reads_of(azurite, f"{container}src") <= 1
    run.verify("b", "--deep")


def test_azure_to_files(azurite, container, make, tmp_path):
    fill(azurite, f"{container}src")
    run = make({"plugin": "local", "root": str(tmp_path / "backups")},
               storage(azurite, f"{container}src"))
    run.create("b")
    run.verify("b", "--deep")
    run.restore("b")
    client = azurite.client().get_container_client(f"{container}src")
    back = {blob.name.removeprefix("restored/"): client.download_blob(blob.name).readall()
            for blob in client.list_blobs(name_starts_with="restored/")}
    assert back == FILES


@pytest.mark.parametrize("change, texts", [
    ({"account_key": base64.b64encode(b"another").decode()}, ["account_key"]),
    ({"container": "nowhere-here"}, ["ContainerNotFound", "create_container"]),
    ({"account": "nobody"}, ["account"]),
])
def test_wrong_settings(azurite, container, make, change, texts):
    result = make(storage(azurite, container) | change).create("b", expect=EXIT_FAILED)
    result.mentions(*texts)
    assert azurite.key not in result.err + result.out


def test_interrupted_leaves_no_blocks(azurite, container, make, data):
    (data / "main/shop/big").write_bytes(os.urandom(30 * MIB))
    run = make(storage(azurite, container, block_size="256KiB"), backup={"part_size": "5MiB"})
    process = run.start("--json", "create", "-n", "b", "--throttle", "2MiB")
    while not uncommitted(azurite, container):
        assert process.poll() is None, run.finish(process)
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert run.finish(process).code == 130
    assert uncommitted(azurite, container) == []
    run.create("b", "--resume")
    run.verify("b", "--deep")


def test_killed_leaves_no_blocks_after_delete(azurite, container, make, data):
    (data / "main/shop/big").write_bytes(os.urandom(30 * MIB))
    run = make(storage(azurite, container, block_size="256KiB"), backup={"part_size": "5MiB"})
    process = run.start("--json", "create", "-n", "b", "--throttle", "2MiB")
    while not uncommitted(azurite, container):
        assert process.poll() is None, run.finish(process)
        time.sleep(0.1)
    process.kill()
    run.finish(process)
    assert uncommitted(azurite, container) != []
    run.delete("b")
    assert azurite.list_keys(container) == []
    assert uncommitted(azurite, container) == []
