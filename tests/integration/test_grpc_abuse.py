# SPDX-License-Identifier: Apache-2.0
"""gRPC among people who do not wish it well: bytes that are no message, calls that are left."""

import itertools
import os
import random
import re
import socket
import time
from contextlib import ExitStack

import grpc
import pytest
from google.protobuf import struct_pb2
from google.protobuf.message import DecodeError

from integration.lib import http2, watched
from integration.lib.abuse_grpc import HEALTH, JOBS, SERVICE, Absurd, detours, disguises, methods
from integration.lib.http2 import PREFACE, SETTINGS
from integration.lib.grpc_clients import Channel, Python
from services.bakplane_server import BakplaneServer, built

N_MALFORMED, N_ABSURD, N_LEFT, SEED = 6_000, 4_000, 300, 20261126
IN_FLIGHT = 64
N_CONNECTIONS_LEFT, WATCHES_EACH = 5, 3  # 16 may watch without a token
FEW_DESCRIPTORS, N_CONNECTIONS, PATIENCE = 128, 300, 60
SERVING = b"\x08\x01"
LOOK = "a-token-that-may-only-look"
# What that one may not call.
OPERATE = {*(SERVICE + name for name in ("CreateBackup", "DeleteBackup", "RestoreBackup", "Check")),
           JOBS + "Start", JOBS + "Cancel"}
Code = grpc.StatusCode
REFUSED = {Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.PERMISSION_DENIED}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Python(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    look = tmp_path_factory.mktemp("tokens") / "look"
    look.write_text(LOOK, encoding="ascii")
    look.chmod(0o600)
    with BakplaneServer(tmp_path_factory.mktemp("server"), env=watched.environment(),
                        settings={"server": {"read_token_file": str(look)}}) as running:
        yield running
        watched.end(running)


@pytest.fixture
def channel(server):
    with Channel(server.told("grpc"), server.token) as opened:
        yield opened


def samples(made):
    """A message that is one, for each method and what it asks for."""
    pb, jobs = made.backup, made.jobs
    wrapped = struct_pb2.Struct()
    wrapped.update({"verb": "create", "name": "b", "list": [1, None, {"a": True}]})
    return [
        (SERVICE + "CreateBackup", pb.CreateBackupRequest(
            backup_name="b", collection_names=["a", "b"], gc_pause_seconds=-1,
            filter={"db": pb.CollFilter(colls=["*"])})),
        (SERVICE + "RestoreBackup", pb.RestoreBackupRequest(
            backup_name="b", collection_renames={"a": "b"},
            skipParams=pb.SkipParams(indexParams=["m"]))),
        (SERVICE + "DeleteBackup", pb.DeleteBackupRequest(requestId="r", backup_name="b")),
        (SERVICE + "GetBackup", pb.GetBackupRequest(backup_name="b", without_detail=True)),
        (JOBS + "Start", jobs.StartRequest(request=wrapped, key="k")),
        (JOBS + "List", jobs.ListRequest(state="running", limit=5)),
    ]


def malformed(made):
    """For ever: the path of a method, and bytes that protobuf itself refuses."""
    chance = random.Random(SEED)
    known = samples(made)
    while True:
        path, sample = chance.choice(known)
        message = bytearray(sample.SerializeToString())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(message) + 1)
            message[at:at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        try:
            type(sample).FromString(bytes(message))
        except DecodeError:
            yield path, bytes(message)


def assert_untouched(made, server, channel):
    assert server.is_running()
    listed = channel.call(made.jobs_grpc.JobsStub, "List", made.jobs.ListRequest())
    assert not listed.jobs
    assert [name for name in os.listdir(server.backups) if name[0] != "."] == []


def sent(channel, messages):
    """Each call once it is over, and not many at once: (path, call). messages: (path, bytes), or
    with metadata of its own."""
    calls, flying = {}, []
    for path, message, *metadata in messages:
        if path not in calls:
            calls[path] = channel.channel.unary_unary(path)
        flying.append((path, calls[path].future(
            message, timeout=60, metadata=metadata[0] if metadata else channel.metadata)))
        if len(flying) == IN_FLIGHT:
            yield flying.pop(0)
    yield from flying


def test_malformed_messages_start_nothing(made, server, channel):
    """Thousands of them, in valid frames, to methods of all kinds."""
    paths = set()
    for path, call in sent(channel, itertools.islice(malformed(made), N_MALFORMED)):
        assert call.code() == Code.INVALID_ARGUMENT
        paths.add(path)
    assert len(paths) == len(samples(made))
    assert_untouched(made, server, channel)


def assert_refused(made, path, call):
    """By gRPC's status, or as the other tool's service does it: all its answers have a `code`."""
    code = call.code()
    if code == Code.OK:
        assert path.startswith(SERVICE), path
        answer = made.backup.DeleteBackupResponse.FromString(call.result())
        assert answer.code in (made.backup.Fail, made.backup.Parameter_Error,
                               made.backup.Request_Object_Not_Found), (path, answer)
    elif code == Code.UNAVAILABLE:  # nobody waits for long
        assert "let in at this moment" in call.details(), (path, call.details())
    else:
        assert code in REFUSED, (path, code, call.details())
    return code


def test_absurd_messages_start_nothing(made, server, channel):
    """Thousands that protobuf takes: 10 000 with the malformed ones."""
    codes, paths = set(), set()
    absurd = Absurd(made, random.Random(SEED))
    for path, call in sent(channel, absurd.messages(N_ABSURD)):
        codes.add(assert_refused(made, path, call))
        paths.add(path)
    assert codes >= {*REFUSED, Code.OK} and len(paths) == 10, (codes, paths)
    assert_untouched(made, server, channel)


def starting(made):
    """For each method a message; those that can start something do."""
    wrapped = struct_pb2.Struct()
    wrapped.update({"verb": "create", "name": "evil"})
    create = made.backup.CreateBackupRequest(backup_name="evil").SerializeToString()
    start = made.jobs.StartRequest(request=wrapped).SerializeToString()
    return {path: {SERVICE + "CreateBackup": create, JOBS + "Start": start}.get(path, b"")
            for path in methods(made)}


def test_metadata_of_somebody_else(made, server, channel):
    """Nothing but the one header, as it has to be, is a token; and one that may look stays one."""
    messages = starting(made)
    assert len(messages) == 12 and set(messages) > OPERATE
    masks = list(disguises(server.token))
    calls = [(path, message, mask) for path, message in messages.items() for mask in [[], *masks]]
    for path, call in sent(channel, calls):
        assert call.code() == Code.UNAUTHENTICATED, (path, call.code())
        assert server.token not in call.details()
    look = ("authorization", f"Bearer {LOOK}")
    calls = [(path, messages[path], [look, *mask]) for path in OPERATE for mask in [[], *masks]
             if "authorization" not in dict(mask)]
    for path, call in sent(channel, calls):
        assert call.code() == Code.PERMISSION_DENIED, (path, call.code())
    assert_untouched(made, server, channel)


def test_paths_of_something_else(made, server, channel):
    """They are compared as they are: without a token nobody learns what there is, with one it is
    not there."""
    paths = [(other, message) for path, message in starting(made).items()
             for other in detours(path)]
    for metadata, code in (([], Code.UNAUTHENTICATED), (channel.metadata, Code.UNIMPLEMENTED)):
        for path, call in sent(channel, [(*one, metadata) for one in paths]):
            assert call.code() == code, (path, call.code())
    assert_untouched(made, server, channel)


def test_headers_that_no_library_sends(made, server, channel):
    """Byte by byte: other methods of HTTP, headers in capitals, twice, and too late."""
    token = server.token.encode()
    good = (b"authorization", b"Bearer " + token)
    start, post = (b":path", f"{JOBS}Start".encode()), (b":method", b"POST")
    create = starting(made)[f"{JOBS}Start"]

    def ask(method, paths, *headers, message=create, trailers=()):
        head = [method, (b":scheme", b"http"), *paths, (b":authority", b"localhost"),
                (b"content-type", b"application/grpc"), (b"te", b"trailers"), *headers]
        return http2.call(server.told("grpc"), head, message, trailers)

    health, jobs = (b":path", f"{HEALTH}Check".encode()), (b":path", f"{JOBS}List".encode())
    # So an answer looks, and that there is no job is one.
    assert ask(post, [health], message=b"") == [SERVING]
    assert ask(post, [jobs], good, message=b"") == [b""]
    for method in (b"GET", b"PUT", b"HEAD", b"post", b"OPTIONS", b"CONNECT", b"", b"POST\0"):
        assert ask((b":method", method), [start]) == []
    for name in (b"Authorization", b"AUTHORIZATION", b":authorization", b"authorization ",
                 b" authorization", b"authorization\0", b"authorization:"):
        assert ask(post, [start], (name, good[1])) == []
    for value in (b"Bearer\t" + token, b"Bearer \0" + token, b"Bearer x\0" + good[1],
                  b"Bearer x\r\nauthorization: " + good[1], good[1] + b"\nx"):
        assert ask(post, [start], (b"authorization", value)) == []
    assert ask(post, [start], trailers=[good]) == []
    assert ask(post, [start], good, good) == []
    for paths in ([start, health], [health, start]):
        assert ask(post, paths) == []
    assert_untouched(made, server, channel)


def test_too_large(made, server, channel):
    for size, code in ((4 << 20, Code.INVALID_ARGUMENT), (5 << 20, Code.RESOURCE_EXHAUSTED)):
        with pytest.raises(grpc.RpcError) as problem:
            channel.channel.unary_unary(JOBS + "List")(
                b"\0" * size, timeout=60, metadata=channel.metadata)
        assert problem.value.code() == code
    compressed = channel.channel.unary_unary(JOBS + "List")
    with pytest.raises(grpc.RpcError) as problem:
        compressed(b"\x0a\x7f" + b"a" * 127, timeout=60, metadata=channel.metadata,
                   compression=grpc.Compression.Gzip)
    assert problem.value.code() in {Code.UNIMPLEMENTED, Code.INTERNAL}
    assert_untouched(made, server, channel)


def test_calls_that_are_left(made, server, channel):
    """At any moment, one by one and with their whole connection."""
    chance = random.Random(SEED)
    pb = made.backup
    looks = [(SERVICE + "ListBackups", pb.ListBackupsRequest()),
             (SERVICE + "GetBackup", pb.GetBackupRequest(backup_name="b")),
             (JOBS + "List", made.jobs.ListRequest()),
             (JOBS + "Get", made.jobs.GetRequest(id="x"))]
    flying = []
    for _ in range(N_LEFT):
        path, request = chance.choice(looks)
        call = channel.channel.unary_unary(path).future(
            request.SerializeToString(), timeout=60, metadata=channel.metadata)
        flying.append(call)
        if len(flying) > IN_FLIGHT // 4:
            flying.pop(chance.randrange(len(flying))).cancel()
    for _ in range(N_CONNECTIONS_LEFT):
        with Channel(server.told("grpc"), server.token) as other:
            streams = [other.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=60)
                       for _ in range(WATCHES_EACH)]
            next(streams[0])
    for call in flying:
        call.exception()
    assert_untouched(made, server, channel)


def test_what_is_no_http2(made, server, channel):
    """Noise, and what begins well and goes on as noise."""
    chance = random.Random(SEED)
    for number in range(200):
        begin = (b"", PREFACE, PREFACE + SETTINGS, b"GET / HTTP/1.1\r\n\r\n")[number % 4]
        with socket.create_connection(server.told("grpc").split(":"), timeout=60) as client:
            client.sendall(begin + chance.randbytes(chance.randint(0, 300)))
    assert_untouched(made, server, channel)


def open_descriptors(server):
    return int(re.search(r"^process_open_fds (\d+)", server.get("/metrics").text, re.M)[1])


def test_connections_without_a_token(tmp_path):
    """More of them than the soft limit has descriptors: REST answers all the while."""
    few = ["sh", "-c", f'ulimit -Sn {FEW_DESCRIPTORS} && exec "$0" "$@"', built("bakplane-server")]
    with BakplaneServer(tmp_path, program=few, env=watched.environment()) as server:
        with ExitStack() as clients:
            for _ in range(N_CONNECTIONS):
                client = clients.enter_context(
                    socket.create_connection(server.told("grpc").split(":"), timeout=PATIENCE))
                client.sendall(PREFACE + SETTINGS)
            end = time.monotonic() + PATIENCE
            n_most = 0
            while n_most <= N_CONNECTIONS and time.monotonic() < end:
                n_most = max(n_most, open_descriptors(server))
            assert n_most > N_CONNECTIONS, n_most
        watched.end(server)
