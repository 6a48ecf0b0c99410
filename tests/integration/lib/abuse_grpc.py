# SPDX-License-Identifier: Apache-2.0
"""Calls of gRPC that no honest client makes: messages that are whole and absurd, metadata and paths
by which somebody might get past the token."""

import base64
import itertools

from google.protobuf import json_format, struct_pb2

from integration.lib.abuse_v1 import AbuseV1

SERVICE, JOBS = "/milvus.proto.backup.MilvusBackupService/", "/bakplane.v1.Jobs/"
HEALTH = "/grpc.health.v1.Health/"
MANY = 70_000  # values: more than one message may have


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


class Absurd:
    """chance: a random.Random of the caller's. Each message has to be refused."""

    def __init__(self, made, chance):
        self.pb, self.jobs, self.health = made.backup, made.jobs, made.health
        self.random, self.v1 = chance, AbuseV1(chance)
        self._starts = itertools.cycle(self._wrong_starts())
        self.kinds = [self.create, self.restore, self.start, self.get, self.delete,
                      self.get_restore, self.list, self.job, self.service, self.start]

    def messages(self, count):
        """`count` pairs (path, bytes)."""
        path, message = self.start_of({"verb": "create", "name": "fine", "filter": [0] * MANY})
        yield path, message.SerializeToString()
        for number in range(count - 1):
            path, message = self.kinds[number % len(self.kinds)]()
            yield path, message.SerializeToString()

    # -- of the other tool's service: what REST is asked, too

    def create(self):
        return SERVICE + "CreateBackup", json_format.ParseDict(
            self.v1.create(), self.pb.CreateBackupRequest())

    def restore(self):
        return SERVICE + "RestoreBackup", json_format.ParseDict(
            self.v1.restore(), self.pb.RestoreBackupRequest())

    def get(self):
        return SERVICE + "GetBackup", json_format.ParseDict(
            self.v1.get(), self.pb.GetBackupRequest())

    def delete(self):
        return SERVICE + "DeleteBackup", json_format.ParseDict(
            self.v1.delete(), self.pb.DeleteBackupRequest())

    def get_restore(self):
        return SERVICE + "GetRestore", json_format.ParseDict(
            self.v1.get_restore(), self.pb.GetRestoreStateRequest())

    # -- of ours

    def _wrong_starts(self):
        good, back = {"verb": "create", "name": "fine"}, {"verb": "restore", "name": "none"}
        copy, prune = {"verb": "copy", "name": "none"}, {"verb": "prune"}
        return [
            lambda: None, lambda: {}, lambda: {"name": "fine"}, lambda: {"verb": self.v1.word()},
            lambda: {"verb": 1}, lambda: {"verb": None}, lambda: {"verb": ["create"]},
            lambda: {"verb": "CREATE", "name": "fine"}, lambda: {**good, "verb": "create "},
            lambda: {**good, "name": self.v1.no_backup_name()}, lambda: {**good, "name": 1},
            lambda: {**good, "name": None}, lambda: {**good, "name": {"a": "b"}},
            lambda: {**good, self.v1.word(10): True}, lambda: {**good, "resume": "yes"},
            lambda: {**good, "dry_run": 1}, lambda: {**good, "rename": "a:b"},
            lambda: {**good, "label": "a b"}, lambda: {**good, "label": "x" * 65},
            lambda: {**good, "storage": "no/" + self.v1.word()}, lambda: {**good, "filter": ""},
            lambda: {**good, "filter": "a*,b"}, lambda: {**good, "collections": "a.b.c"},
            lambda: {**good, "databases": "a.b"}, lambda: {**good, "database_collections": "no"},
            lambda: {**good, "database_collections": '{"a":1}'},
            lambda: {**good, "settings": ["strategy=auto"]}, lambda: {**good, "settings": []},
            lambda: {**good, "filter": nested(self.random.randint(2, 40))},
            lambda: {**good, "filter": float("nan")}, lambda: {**good, "label": float("inf")},
            lambda: {"verb": "restore"},
            lambda: {**back, "suffix": "_x", "rename": "a:b"}, lambda: {**back, "rename": "a"},
            lambda: {**back, "storage": "http://169.254.169.254"}, lambda: copy,
            lambda: {**copy, "to": "http://169.254.169.254"}, lambda: {**copy, "to": 1},
            lambda: {"verb": "delete"}, lambda: {"verb": "delete", "name": "b", "storage": "../b"},
            lambda: {"verb": "verify", "name": 1}, lambda: {**prune, "keep_last": -1},
            lambda: {**prune, "keep_last": 1.5}, lambda: {**prune, "keep_within_ms": "all"},
            lambda: {**prune, "name": "b"}]

    def start(self):
        """A request that is none, or, now and then, a good one with a key that is none."""
        if self.random.randint(0, 9) > 0:
            return self.start_of(next(self._starts)())
        key = self.random.choice(["x" * 201, "\u00e9", "a\tb", "\x7f", "k" * 9000])
        return self.start_of({"verb": "create", "name": "fine"}, key)

    def start_of(self, wanted, key=""):
        request = self.jobs.StartRequest(key=key)
        if wanted is not None:
            request.request.CopyFrom(struct_pb2.Struct())
            request.request.update(wanted)
        return JOBS + "Start", request

    def list(self):
        return JOBS + "List", self.random.choice([
            self.jobs.ListRequest(state=self.v1.word()), self.jobs.ListRequest(limit=-1),
            self.jobs.ListRequest(limit=1001), self.jobs.ListRequest(limit=-2**31),
            self.jobs.ListRequest(state="running", limit=2**31 - 1, cursor=self.v1.word())])

    def job(self):
        job_id = self.random.choice(["", self.v1.word(), "../../../etc/passwd", "x" * 5000, ".",
                                     "20261126-014500-2e71f3", "\u2028\U0001f600"])
        return self.random.choice([(JOBS + "Get", self.jobs.GetRequest(id=job_id)),
                                   (JOBS + "Cancel", self.jobs.CancelRequest(id=job_id))])

    def service(self):
        return HEALTH + "Check", self.health.HealthCheckRequest(service=self.v1.word())


def methods(made):
    """Paths of all methods that have a role."""
    return [f"/{service.full_name}/{method.name}" for file in (made.backup, made.jobs)
            for service in file.DESCRIPTOR.services_by_name.values() for method in service.methods]


def disguises(token):
    """Metadata of somebody who might be taken for another one."""
    good = f"Bearer {token}"
    basic = base64.b64encode(f"bakplane:{token}".encode()).decode()
    yield from ([pair] for pair in (
        ("authorization", token), ("authorization", f"Token {token}"), ("authorization", ""),
        ("authorization", f"Basic {basic}"), ("authorization", f"Bearer{token}"),
        ("authorization", f"Bearer  {token}"), ("authorization", f"Bearer {token}x"),
        ("authorization", f"Bearer {token[:-1]}"), ("authorization", f"Bearer {token.swapcase()}"),
        ("authorization", f"Bearer x, {good}"), ("authorization", f"{good}, Bearer x"),
        ("authorization", "Bearer null"), ("authorization-bin", good.encode()),
        ("authorization-bin", token.encode()), ("x-authorization", good),
        ("proxy-authorization", good), ("x-forwarded-authorization", good), ("token", token),
        ("access_token", token), ("x-api-key", token), ("bearer", token),
        ("cookie", f"token={token}"), ("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;host=localhost"), ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "https"), ("x-forwarded-client-cert", "By=spiffe://localhost/root"),
        ("x-forwarded-user", "root"), ("x-remote-user", "root"), ("x-user-role", "operate"),
        ("x-original-path", HEALTH + "Check"), ("x-envoy-original-path", HEALTH + "Check"),
        ("x-http-method-override", "GET"), ("x-original-url", HEALTH + "Check")))
    yield [("authorization", "Bearer x"), ("authorization", good)]
    yield [("authorization", good), ("authorization", "Bearer x")]
    yield [("authorization", good), ("authorization", good)]
    yield [("authorization", "Bearer x"), ("authorization-bin", good.encode())]


def detours(path):
    """The same method, to somebody who tidies paths up."""
    service, _, method = path[1:].partition("/")
    yield from (path.upper(), path.lower(), path.swapcase(), f"/{path}", f"{path}/", f"{path}//",
                f"{path}?", f"{path}#", f"{path};", f"{path}.", f"{path}%00", f"{path}%20",
                f"/.{path}", f"/x/..{path}", f"{HEALTH}..{path}", f"{HEALTH}Check{path}",
                f"{HEALTH}Check/../..{path}", f"{HEALTH}Check?{path}", f"/{service}//{method}",
                f"/{service}/./{method}", f"/{service}%2f{method}", f"/{service}.{method}",
                f"/{service}/%{ord(method[0]):x}{method[1:]}", f"/{service}", f"/{service}/",
                f"/{method}", f"/{service}/{method[0].lower()}{method[1:]}",
                f"/{service.rpartition('.')[2]}/{method}", f"/api/v2{path}", f"/grpc{path}")
