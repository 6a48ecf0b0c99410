# SPDX-License-Identifier: Apache-2.0
"""gRPC as clients in Python and Go see it, both made from the .proto files."""

import subprocess
import time

import grpc
import pytest
from google.protobuf import descriptor_pb2, struct_pb2

from integration.lib import data, milvus
from integration.lib.cli import data_of
from integration.lib.grpc_clients import PATIENCE, Channel, Python, build_go_example, run
from services.bakplane_server import BakplaneServer
from services.certs import Certificates

# With this a create of 100 files takes half a minute, unless it is stopped.
SLOW = {"BP_FAULT": "storage.copy:backups:delay=300ms"}
ONE_AT_A_TIME = {"backup": {"concurrency": {"copies": 1}}}
ITEMS = 100
OVER = {"succeeded", "different", "failed", "cancelled", "interrupted"}
Code = grpc.StatusCode


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Python(tmp_path_factory.mktemp("clients"))


@pytest.fixture
def make(tmp_path):
    """make(settings=…): a server of a folder with something in it."""
    started = []

    def fresh(**arguments):
        server = BakplaneServer(tmp_path / f"server-{len(started)}", **arguments)
        unit = server.source / "default" / "words"
        unit.mkdir(parents=True)
        for number in range(ITEMS):
            (unit / f"{number:03}").write_text("words\n" * number, encoding="utf-8")
        started.append(server)
        server.start()
        return server

    yield fresh
    for server in started:
        server.close()


@pytest.fixture
def server(make):
    return make()


@pytest.fixture
def channel(server):
    with Channel(server.told("grpc"), server.token) as opened:
        yield opened


def refused(call):
    """The status of a call that must not succeed, and what it says."""
    with pytest.raises(grpc.RpcError) as problem:
        call()
    return problem.value.code(), problem.value.details()


class Jobs:
    """bakplane.v1.Jobs on a channel."""

    def __init__(self, made, channel):
        self.pb, self.channel = made.jobs, channel
        self.stub = made.jobs_grpc.JobsStub

    def start(self, key="", **request):
        wrapped = struct_pb2.Struct()
        wrapped.update(request)
        return self.channel.call(self.stub, "Start",
                                 self.pb.StartRequest(request=wrapped, key=key))

    def get(self, job_id):
        return self.channel.call(self.stub, "Get", self.pb.GetRequest(id=job_id))

    def list(self, **arguments):
        return self.channel.call(self.stub, "List", self.pb.ListRequest(**arguments))

    def watch(self, job_id, timeout=PATIENCE):
        return self.channel.call(self.stub, "Watch", self.pb.WatchRequest(id=job_id), timeout)

    def cancel(self, job_id):
        return self.channel.call(self.stub, "Cancel", self.pb.CancelRequest(id=job_id))


@pytest.fixture
def jobs(made, channel):
    return Jobs(made, channel)


def test_the_service_of_the_other_tool(made, source, tmp_path):
    """Everything that it declares, with a Milvus."""
    data.simple(source, "books", count=30)
    place = {"plugin": "local", "root": str(tmp_path / "backups")}
    settings = {"source": {"plugin": "milvus", "storage": "milvus", "address": source.address},
                "storages": {"milvus": data_of(source).settings(), "backups": place},
                "backup": {"storage": "backups"}}
    pb, stub = made.backup, made.backup_grpc.MilvusBackupServiceStub
    with (BakplaneServer(tmp_path / "server", settings=settings) as server,
          Channel(server.told("grpc"), server.token) as channel):

        def ask(method, request, code=pb.Success):
            answer = channel.call(stub, method, request, metadata=[("request_id", "mine")])
            assert answer.code == code, answer
            return answer

        assert "2.3.5" in ask("Check", pb.CheckRequest()).msg
        done = ask("CreateBackup", pb.CreateBackupRequest(
            backup_name="b", collection_names=["books"]))
        assert (done.requestId, done.data.state_code) == ("mine", pb.BACKUP_SUCCESS)
        [listed] = ask("ListBackups", pb.ListBackupsRequest()).data
        got = ask("GetBackup", pb.GetBackupRequest(backup_name="b")).data
        assert (listed.name, got.name, got.size) == ("b", "b", done.data.size)
        [collection] = got.collection_backups
        assert collection.collection_name == "books"
        assert collection.schema.fields[0].data_type in pb.DataType.values()

        restored = ask("RestoreBackup", pb.RestoreBackupRequest(
            backup_name="b", collection_suffix="_again", **{"async": True}))
        for _ in range(10 * PATIENCE):
            state = ask("GetRestore", pb.GetRestoreStateRequest(id=restored.data.id)).data
            if state.state_code not in (pb.INITIAL, pb.EXECUTING):
                break
            time.sleep(0.1)
        assert (state.state_code, state.progress) == (pb.SUCCESS, 100), state
        [task] = state.collection_restore_tasks
        assert task.target_collection_name == "books_again"
        assert milvus.rows(source, "default.books_again") == milvus.rows(source, "default.books")

        ask("DeleteBackup", pb.DeleteBackupRequest(backup_name="b"))
        assert not ask("ListBackups", pb.ListBackupsRequest()).data
        ask("GetBackup", pb.GetBackupRequest(backup_name="b"), pb.Request_Object_Not_Found)
        ask("CreateBackup", pb.CreateBackupRequest(backup_name="../b"), pb.Parameter_Error)


def test_a_create_outlives_its_client(made, make):
    server = make(env=SLOW, settings=ONE_AT_A_TIME)
    request = made.backup.CreateBackupRequest(backup_name="b")
    with Channel(server.told("grpc"), server.token) as channel:
        jobs = Jobs(made, channel)
        call = made.backup_grpc.MilvusBackupServiceStub(channel.channel).CreateBackup.future(
            request, metadata=channel.metadata)
        while not jobs.list(state="running").jobs:
            assert not call.done()
        call.cancel()
        with pytest.raises(grpc.FutureCancelledError):
            call.result()
    with Channel(server.told("grpc"), server.token) as channel:
        [job] = Jobs(made, channel).list().jobs
        assert (job.name, job.state, job.origin) == ("b", "running", "grpc")
        Jobs(made, channel).cancel(job.id)
        *_, last = Jobs(made, channel).watch(job.id)
        assert last.state == "cancelled"


def test_watch_tells_what_changes(jobs):
    job = jobs.start(key="k", verb="create", name="b")
    assert (job.origin, job.request["verb"]) == ("grpc", "create")
    *_, last = seen = list(jobs.watch(job.id))
    assert {one.id for one in seen} == {job.id}
    assert [one.state for one in seen if one.state in OVER] == ["succeeded"]
    assert (last.result["outcome"], last.result["items"]) == ("done", ITEMS)
    assert jobs.get(job.id) == last and list(jobs.watch(job.id)) == [last]
    assert jobs.start(key="k", verb="create", name="b").id == job.id
    code, why = refused(lambda: jobs.start(key="k", verb="create", name="c"))
    assert (code, job.id in why) == (Code.ALREADY_EXISTS, True)


def test_a_slow_watcher_holds_up_nobody(made, make):
    """Many streams that nobody reads; each has the end when it is read after all."""
    server = make(env={"BP_FAULT": "storage.copy:backups:delay=10ms"}, settings=ONE_AT_A_TIME)
    with Channel(server.told("grpc"), server.token) as channel:
        jobs = Jobs(made, channel)
        job = jobs.start(verb="create", name="b")
        slow = [jobs.watch(job.id) for _ in range(20)]
        for stream in slow:
            next(stream)
        *_, last = jobs.watch(job.id)
        assert last.state == "succeeded"
        for stream in slow:
            *_, late = stream
            assert late == last


def test_requests_have_an_id(made, server, channel):
    stub = made.jobs_grpc.JobsStub(channel.channel).List
    for given, wanted in (("mine-1.2", "mine-1.2"), ("not one", None), ("x" * 64, None), (None, None)):
        metadata = [*channel.metadata, *([("x-request-id", given)] if given else [])]
        _, call = stub.with_call(made.jobs.ListRequest(), timeout=60, metadata=metadata)
        got = dict(call.initial_metadata())["x-request-id"]
        assert got == wanted if wanted else len(got) == 36


def test_cancel(made, make):
    server = make(env=SLOW, settings=ONE_AT_A_TIME)
    with Channel(server.told("grpc"), server.token) as channel:
        jobs = Jobs(made, channel)
        job = jobs.start(verb="create", name="b")
        stream = jobs.watch(job.id)
        told = next(stream).progress
        while told.bytes_per_s == 0 or told.remaining_ms == 0:
            told = next(stream).progress
        assert told.phase == "copy" and told.elapsed_ms > 0
        assert 0 < told.items_done < told.items_total <= ITEMS
        assert 0 < told.bytes_done < told.bytes_total
        assert jobs.cancel(job.id).state in {"cancelling", "cancelled"}
        *_, last = stream
        assert last.state == "cancelled"
        assert refused(lambda: jobs.cancel(job.id))[0] == Code.FAILED_PRECONDITION


def test_health_without_a_token(made, server):
    pb, stub = made.health, made.health_grpc.HealthStub
    with Channel(server.told("grpc")) as channel:
        for service in ("", "bakplane.v1.Jobs", "milvus.proto.backup.MilvusBackupService"):
            answer = channel.call(stub, "Check", pb.HealthCheckRequest(service=service))
            assert answer.status == pb.HealthCheckResponse.SERVING
        stream = channel.call(stub, "Watch", pb.HealthCheckRequest())
        assert next(stream).status == pb.HealthCheckResponse.SERVING
        server.stop()
        assert next(stream).status == pb.HealthCheckResponse.NOT_SERVING
        assert refused(lambda: next(stream))[0] == Code.UNAVAILABLE


def test_reflection(made, channel):
    pb, stub = made.reflection, made.reflection_grpc.ServerReflectionStub
    asked = [pb.ServerReflectionRequest(list_services=""),
             pb.ServerReflectionRequest(file_containing_symbol="bakplane.v1.Jobs"),
             pb.ServerReflectionRequest(file_by_filename="google/protobuf/struct.proto"),
             pb.ServerReflectionRequest(file_containing_symbol="no.Such")]
    services, jobs, struct, nothing = channel.call(stub, "ServerReflectionInfo", iter(asked))
    assert {one.name for one in services.list_services_response.service} == {
        "milvus.proto.backup.MilvusBackupService", "bakplane.v1.Jobs", "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
    names = [descriptor_pb2.FileDescriptorProto.FromString(
        answer.file_descriptor_response.file_descriptor_proto[0]).name
        for answer in (jobs, struct)]
    assert names == ["bakplane/v1/jobs.proto", "google/protobuf/struct.proto"]
    assert nothing.error_response.error_code == Code.NOT_FOUND.value[0]


def test_tokens(made, make, tmp_path):
    (tmp_path / "reader").write_text("read-0123456789abcdef", encoding="ascii")
    (tmp_path / "reader").chmod(0o600)
    server = make(settings={"server": {"read_token_file": str(tmp_path / "reader")}})
    for token in (None, "guessed-0123456789abcdef", server.token[:-1], server.token + "0"):
        with Channel(server.told("grpc"), token) as channel:
            jobs = Jobs(made, channel)
            assert refused(jobs.list)[0] == Code.UNAUTHENTICATED
            code, why = refused(lambda: jobs.start(verb="create", name="b"))
            assert code == Code.UNAUTHENTICATED and (token is None or token not in why)
            twice = [("authorization", f"Bearer {server.token}")] * 2
            assert refused(lambda: channel.call(jobs.stub, "List", jobs.pb.ListRequest(),
                                                metadata=twice))[0] == Code.UNAUTHENTICATED
    with Channel(server.told("grpc"), "read-0123456789abcdef") as channel:
        jobs = Jobs(made, channel)
        assert not jobs.list().jobs
        code, _ = refused(lambda: jobs.start(verb="create", name="b"))
        assert code == Code.PERMISSION_DENIED
        assert not jobs.list().jobs


def test_tls(made, make, tmp_path):
    certificates = Certificates(tmp_path / "certificates")
    tls = {"tls_cert": str(certificates.server), "tls_key": str(certificates.server_key)}
    plain = make(settings={"server": tls}, scheme="https")
    mutual = make(settings={"server": {**tls, "tls_client_ca": str(certificates.ca)}},
                  scheme="https")
    ca = certificates.ca.read_bytes()
    ours = grpc.ssl_channel_credentials(ca)
    with_own = grpc.ssl_channel_credentials(ca, certificates.client_key.read_bytes(),
                                            certificates.client.read_bytes())
    strangers = Certificates(tmp_path / "strangers")
    with_strange = grpc.ssl_channel_credentials(ca, strangers.client_key.read_bytes(),
                                                strangers.client.read_bytes())

    def ask(server, credentials, token):
        with Channel(server.told("grpc"), token, credentials) as channel:
            return Jobs(made, channel).list().jobs

    assert not ask(plain, ours, plain.token)
    assert not ask(mutual, with_own, mutual.token)
    assert refused(lambda: ask(mutual, with_own, None))[0] == Code.UNAUTHENTICATED
    for credentials in (None, ours, with_strange):
        assert refused(lambda: ask(mutual, credentials, mutual.token))[0] == Code.UNAVAILABLE
    for credentials in (None, grpc.ssl_channel_credentials(strangers.ca.read_bytes())):
        assert refused(lambda: ask(plain, credentials, plain.token))[0] == Code.UNAVAILABLE


def test_stop_during_a_watch_leaves_the_job(made, make):
    server = make(env=SLOW, settings=ONE_AT_A_TIME)
    with Channel(server.told("grpc"), server.token) as channel:
        jobs = Jobs(made, channel)
        job = jobs.start(verb="create", name="b")
        stream = jobs.watch(job.id)
        while next(stream).state != "running":
            pass
        server.stop()
        code, why = refused(lambda: list(stream))
        assert (code, why) == (Code.UNAVAILABLE, "the server ends")
    server.start()
    with Channel(server.told("grpc"), server.token) as channel:
        jobs = Jobs(made, channel)
        assert jobs.get(job.id).state == "running"
        jobs.cancel(job.id)
        *_, last = jobs.watch(job.id)
        assert last.state == "cancelled"


def test_the_example_in_go(server, make, tmp_path):
    program = build_go_example(tmp_path)
    said = run([program, server.told("grpc"), server.token_file, "b"])
    assert ": succeeded, " in said and "backup b: BACKUP_SUCCESS" in said
    certificates = Certificates(tmp_path / "certificates")
    mutual = make(scheme="https", settings={"server": {
        "tls_cert": str(certificates.server), "tls_key": str(certificates.server_key),
        "tls_client_ca": str(certificates.ca)}})
    said = run([program, "-tls-ca", certificates.ca, "-cert", certificates.client,
                "-key", certificates.client_key, mutual.told("grpc"), mutual.token_file, "b"])
    assert "backup b: BACKUP_SUCCESS" in said
    wrong = tmp_path / "wrong"
    wrong.write_text("guessed-0123456789abcdef", encoding="ascii")
    failed = subprocess.run([program, server.told("grpc"), wrong, "c"], check=False,
                            capture_output=True, text=True)
    assert failed.returncode == 1 and "Unauthenticated" in failed.stderr
