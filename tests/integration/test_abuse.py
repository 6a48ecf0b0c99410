# SPDX-License-Identifier: Apache-2.0
"""A server among people who do not wish it well, and among very many who do."""

import http.client
import os
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from integration.lib import watched
from integration.lib.abuse import METHODS, STARTS, Abuse
from integration.lib.abuse_v1 import REASONS
from integration.lib.grpc_clients import Channel
from integration.lib.openapi import Description
from integration.lib.tables import Table
from services.bakplane_server import BakplaneServer

REQUESTS, SEED = 10_000, 6
PATIENCE = 60
MAX_HEAD, MAX_BODY = 16 * 1024, 64 * 1024
LOOK, KEY = "a-token-that-may-only-look", "a-key-of-the-cloud-that-nobody-sees"
JOBS = "/api/v2/jobs"
# What needs no token, and says nothing of this machine.
PUBLIC = ("/", "/api/v1/hello", "/api/v2/health", "/api/v2/ready", "/api/v2/docs",
          "/api/v2/openapi.json")
# Requests that start something, and what is answered where they did.
STARTS_V1 = re.compile(rb"(POST|DELETE) /api/v1/")
SUCCESS_V1 = re.compile(rb'"code": *0\b')
# Whatever has a role, filled in with what is not there.
PROTECTED = {(method, path.format(name="b", id="20261126-014500-2e71f3")): role
             for (method, path), role in Description().protected().items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One with everything that has to stay where it is: tokens, and a key of a storage."""
    folder = tmp_path_factory.mktemp("abuse")
    look = folder / "read-token"
    look.write_text(LOOK, encoding="utf-8")
    look.chmod(0o600)
    cloud = {"plugin": "s3", "endpoint": "http://127.0.0.1:9", "bucket": "b", "access_key": "known",
             "secret_key": KEY}
    settings = {"storages": {"cloud": cloud},
                "server": {"read_token_file": str(look), "max_head": MAX_HEAD, "max_body": MAX_BODY,
                           "receive_timeout": "8s"}}
    with BakplaneServer(folder / "server", settings=settings,
                        env=watched.environment()) as running:
        for number in range(200):
            file = running.source / "default" / "books" / str(number)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"page" * 100)
        yield running
        watched.end(running)


def exchange(server, sent):
    """All that comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        got = b""
        try:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            while piece := client.recv(65536):
                got += piece
        except TimeoutError:
            raise
        except OSError:
            pass  # closed before all was sent
        return got


def secrets_of(server):
    return [server.token.encode(), LOOK.encode(), KEY.encode()]


def statuses(answer):
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)]


def connections_of(server):
    """Each has a thread."""
    found = 0
    for thread in os.listdir(f"/proc/{server.pid}/task"):
        try:
            with open(f"/proc/{server.pid}/task/{thread}/comm", encoding="utf-8") as name:
                found += name.read().startswith("MHD-connection")
        except OSError:
            pass  # it has just ended
    return found


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.05)


def dribble(server, ended):
    """A client that sends a byte now and then, and never ends."""
    request = b"POST /api/v2/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 10_000
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        try:
            for at in range(len(request)):
                client.send(request[at:at + 1])
                time.sleep(0.1)
        except OSError:
            ended.append(True)


def test_malformed_requests(server):
    pid, kept, secrets = server.pid, server.get(JOBS).expect(200).json, secrets_of(server)
    ended = []
    slow = [threading.Thread(target=dribble, args=(server, ended)) for _ in range(4)]
    for thread in slow:
        thread.start()
    wait_until(lambda: connections_of(server) >= len(slow), "the slow ones are there")
    answered, seen, reasons = 0, {}, set()
    for has_token, sent in Abuse(SEED, server.token, MAX_HEAD, MAX_BODY).requests(REQUESTS):
        answer = exchange(server, sent)
        found = statuses(answer)
        answered += bool(found)
        for status in found:
            seen[status] = seen.get(status, 0) + 1
        leaked = [secret for secret in secrets if secret in answer]
        assert not leaked, f"{leaked} after {sent[:300]}: {answer}"
        assert not {202, 500} & set(found), f"{sent[:300]}: {answer[:900]}"
        assert not (STARTS_V1.match(sent) and SUCCESS_V1.search(answer)), f"{sent}: {answer}"
        reasons.update(reason for reason in REASONS if reason in answer)
        assert has_token or not re.search(rb'"(jobs|backups|storages|plugins)": ?\[', answer), sent[:300]
    assert server.is_running() and server.pid == pid
    assert answered > REQUESTS // 2 and len(seen) >= 8, seen
    assert reasons == set(REASONS), set(REASONS) - reasons
    for thread in slow:
        thread.join(2 * PATIENCE)
    assert len(ended) == len(slow)
    wait_until(lambda: connections_of(server) == 0, "all connections end")
    assert server.get(JOBS).expect(200).json == kept == {"jobs": []}
    assert [name for name in os.listdir(server.backups) if name[0] != "."] == []
    print(f"answers: {dict(sorted(seen.items()))}, none: {REQUESTS - answered}")


def raw(method, path, *headers, host="127.0.0.1", body=b""):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def bypasses(token):
    """Headers by which somebody might be taken for another one."""
    good = f"Authorization: Bearer {token}"
    yield from ([line] for line in (
        "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;host=localhost",
        "X-Forwarded-Host: localhost", "X-Forwarded-User: root", "X-Remote-User: root",
        "X-Original-URL: /api/v2/health", "X-Rewrite-URL: /api/v2/health", "X-Forwarded-Prefix: /docs",
        "X-HTTP-Method-Override: GET", "X-HTTP-Method: GET", "X-Method-Override: HEAD",
        "X-Original-Method: GET", f"Cookie: token={token}; Authorization={token}",
        f"X-Authorization: Bearer {token}", f"Proxy-Authorization: Bearer {token}",
        f"X-Api-Key: {token}", f"Authorization: {token}", f"Authorization: Token {token}",
        f"Authorization: Bearer{token}", f"Authorization: Bearer {token}x", "Authorization: Bearer",
        f"Authorization: Bearer {token[:-1]}", f"Authorization : Bearer {token}"))
    yield ["Authorization: Bearer x", good]
    yield [good, "Authorization: Bearer x"]


def detours(path):
    """The same address, to somebody who tidies it up."""
    last = path.rpartition("/")[2]
    yield from (f"/{path}", re.sub(r"/v(\d)", r"//v\1", path), f"/.{path}", f"{path}/", f"{path}/.",
                f"/api/v2/health/..{path}", f"/api/v2/health/%2e%2e/{last}",
                f"/api/v2/docs/../{last}", f"{path}%00", f"{path};/api/v2/health", f"{path}%2f",
                path.upper(), f"{path}%20", path.replace("a", "%61", 1), f"http://127.0.0.1{path}",
                f"{path}#/api/v2/health", f"/api/v2/health?/../{last}",
                f"/api/v2/health%3f/../{last}", path.replace("/", "\\"))


def refused(server, sent, allowed=(400, 401, 403, 404, 405, 421, 501)):
    """Every answer to these bytes is a refusal, or one of those that are everybody's."""
    answer = exchange(server, sent)
    path = sent.split(b" ")[1].partition(b"?")[0].decode()
    for status in statuses(answer):
        assert status in allowed or (status == 200 and path in PUBLIC), f"{sent}: {answer}"
    assert not [secret for secret in secrets_of(server) if secret in answer]
    assert not re.search(rb'"(jobs|backups|storages|plugins)": ?\[', answer), f"{sent}: {answer}"


def test_auth_cannot_be_bypassed(server):
    token = server.token
    kept = server.get(JOBS).expect(200).json
    assert len(PROTECTED) > 20 and ("GET", "/metrics") in PROTECTED
    look = f"Authorization: Bearer {LOOK}"
    for (method, path), role in PROTECTED.items():
        body = STARTS[0] if method == "POST" else b""
        for headers in bypasses(token):
            refused(server, raw(method, path, *headers, body=body))
        for detour in detours(path):
            refused(server, raw(method, detour, body=body))
        for other in (*METHODS, "get", "Post", "PROPFIND"):
            refused(server, raw(other, path, body=body))
        for query in (f"token={token}", f"access_token={token}", f"authorization=Bearer%20{token}"):
            refused(server, raw(method, f"{path}?{query}", body=body))
        if role == "operate":
            refused(server, raw(method, path, look, body=body), (403,))
    good = f"Authorization: Bearer {token}"
    for host in ("evil.example", "localhost.evil", "127.0.0.1@evil", "127.0.0.1:1:1", "[::1", "",
                 "evil:80", "127.0.0.1.nip.io"):
        refused(server, raw("POST", JOBS, good, host=host, body=STARTS[0]), (400, 421))
        refused(server, raw("POST", JOBS, good, "X-Forwarded-Host: 127.0.0.1", host=host,
                            body=STARTS[0]), (400, 421))
    for origin in ("http://evil.example", "null", "http://127.0.0.1.evil", "file://", "http://127.0.0.1:1"):
        refused(server, raw("POST", JOBS, good, f"Origin: {origin}", body=STARTS[0]), (403,))
    for headers in bypasses(token):
        if not headers[0].startswith("Authorization"):
            refused(server, raw("POST", JOBS, look, *headers, body=STARTS[0]), (400, 403))
    override = server.get(JOBS, token=LOOK, headers={"X-HTTP-Method-Override": "POST"}, body=STARTS[0])
    assert override.expect(200).json == kept
    assert server.get(JOBS).expect(200).json == kept


CLIENTS = {"REST v2": 80, "REST v1": 60, "gRPC": 60}
CALLS = 10


class RestClient:
    """One connection. asked: pairs (path, what has to be in the answer)."""

    def __init__(self, server, token, asked):
        self.asked, self.headers = asked, {"Authorization": f"Bearer {token}"}
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)

    def call(self, number):
        path, held = self.asked[number % len(self.asked)]
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and held in body, f"{path}: {answer.status} {body}"

    def close(self):
        self.connection.close()


class GrpcClient:
    """The same. asked: (path, message, what has to be in the answer), as bytes."""

    def __init__(self, server, token, asked):
        self.asked, self.channel = asked, Channel(server.told("grpc"), token)

    def call(self, number):
        path, message, held = self.asked[number % len(self.asked)]
        answer = self.channel.channel.unary_unary(path)(message, timeout=PATIENCE,
                                                        metadata=self.channel.metadata)
        assert held in answer, f"{path}: {answer}"

    def close(self):
        self.channel.channel.close()


def status_calls(job):
    """Those of each interface, while a create named "long" runs."""
    known, fine, done = job.encode(), b'"code":0', b"success"
    backup, ours = "/api/v1/get_backup", "/bakplane.v1.Jobs/"
    theirs = "/milvus.proto.backup.MilvusBackupService/"
    return {
        "REST v2": (RestClient, [
            (f"{JOBS}/{job}", known), (JOBS, known), (f"{JOBS}?state=running", known),
            ("/api/v2/health", b"alive"), ("/api/v2/backups", b'"backups":')]),
        "REST v1": (RestClient, [
            (f"{backup}?backup_name=long", fine), ("/api/v1/list", fine),
            (f"{backup}?backup_id={job}", fine)]),
        "gRPC": (GrpcClient, [
            (f"{ours}List", b"", known), ("/grpc.health.v1.Health/Check", b"", b"\x08\x01"),
            (f"{ours}Get", b"\x0a%c%b" % (len(known), known), known),
            (f"{theirs}GetBackup", b"\x12\x04long", done), (f"{theirs}ListBackups", b"", done)])}


def time_calls(client, first, gate):
    """How long each of a client's calls took."""
    took = []
    gate.wait(PATIENCE)
    for number in range(first, first + CALLS):
        begin = time.monotonic()
        client.call(number)
        took.append(time.monotonic() - begin)
    client.close()
    return took


def test_many_who_look_while_a_job_runs(server):
    watched.end(server)
    server.env["BP_FAULT"] = "storage.copy:backups:delay=1s"
    server.settings["backup"]["concurrency"] = {"copies": 1}  # that is minutes, if nobody cancels
    server.settings["server"]["receive_timeout"] = "60s"
    server.start()
    job = server.submit({"verb": "create", "name": "long"})["id"]
    server.wait(job, lambda one: one["state"] == "running")
    token, total = server.token, sum(CLIENTS.values())
    gate = threading.Barrier(total)
    with ThreadPoolExecutor(total) as pool:
        looking = {name: [pool.submit(time_calls, kind(server, token, asked), first, gate)
                          for first in range(CLIENTS[name])]
                   for name, (kind, asked) in status_calls(job).items()}
        took = {name: sorted(one for client in clients for one in client.result())
                for name, clients in looking.items()}
    assert server.job(job)["state"] == "running"
    server.post(f"{JOBS}/{job}/cancel").expect(202)
    assert server.wait(job)["state"] == "cancelled"
    table = Table(f"Status calls: {total} clients at once, {total * CALLS} calls during a job",
                  "milliseconds", CLIENTS, ["median", "p99", "longest"])
    for name, times in took.items():
        for column, at in (("median", len(times) // 2), ("p99", len(times) * 99 // 100),
                           ("longest", -1)):
            table.put(name, column, f"{times[at] * 1000:.0f}")
