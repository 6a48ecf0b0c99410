# SPDX-License-Identifier: Apache-2.0
"""Runs that end in the middle of an exchange with a store: killed, interrupted while nothing moves,
out of credentials. Nothing that costs money stays behind, and no secret gets out.
"""

import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration.lib.cli import EXIT_FAILED
from integration.lib.faulty import LARGE, OBJECT, PLACE, Trial
from services.faults import Fault, LoseAnswer, Stall

KILLED = -signal.SIGKILL
MEDIUM = ("PUT", rf"{OBJECT}db/one/medium$")
READ = ("GET", rf"{OBJECT}{LARGE}($|\?)")
# A bound against hanging, not a measure: a cancelled run should end within a second.
SOON = 30


def stop_at(program, proxy, fault, number, words):
    """A run that is sent a signal when a request has met the fault; how it ended."""
    with proxy.meets(fault):
        run = program.start("--json", *words)
        fault.wait()
        run.send_signal(number)
        sent = time.monotonic()
        result = program.finish(run, timeout=60)
    assert time.monotonic() - sent < SOON
    proxy.await_rest()  # what a dead program has sent can come to the store after its death
    return result


# -- killed


# Where an upload in parts stops: its second part, its completion, and that with nobody knowing.
UPLOAD_STOPS = {
    "part": lambda store: Fault(Stall(), *store.PART, skip=2, times=None),
    "complete": lambda store: Fault(Stall(), *store.COMPLETE, times=None),
    "complete, served": lambda store: Fault(Stall(served=True), *store.COMPLETE, times=None),
}


@pytest.mark.parametrize("way", ["resume", "delete", "replace"])
@pytest.mark.parametrize("where", UPLOAD_STOPS)
def test_killed_in_an_upload(trial, where, way):
    result = stop_at(trial.program, trial.proxy, UPLOAD_STOPS[where](trial.store), signal.SIGKILL,
                     ["create", "-n", "b"])
    assert result.code == KILLED
    if way == "resume":
        trial.resume()
    elif way == "replace":
        trial.program.create("b", "--replace")
        trial.whole()
    trial.clean()


@pytest.mark.parametrize("way", ["resume", "delete"])
def test_killed_before_the_upload_had_a_name(tmp_path, faulty_minio, way):
    """The store began an upload whose id nobody got to know. (Azure has no such request.)"""
    trial = Trial(tmp_path, faulty_minio)
    stop = Fault(Stall(served=True), *faulty_minio.BEGIN, times=None)
    assert stop_at(trial.program, trial.proxy, stop, signal.SIGKILL,
                   ["create", "-n", "b"]).code == KILLED
    if way == "resume":
        trial.resume()
    trial.clean()


def test_upload_begun_without_an_answer(tmp_path, faulty_minio):
    """The same without a kill: it is begun again, and the first one must not stay."""
    trial = Trial(tmp_path, faulty_minio)
    with trial.proxy.meets(Fault(LoseAnswer(), *faulty_minio.BEGIN)):
        trial.program.create("b")
    trial.whole()
    trial.clean()


def test_killed_while_the_store_copies_in_parts(tmp_path, faulty_minio):
    trial = Trial(tmp_path, faulty_minio, data="store")
    result = stop_at(trial.program, trial.proxy, UPLOAD_STOPS["part"](faulty_minio), signal.SIGKILL,
                     ["create", "-n", "b"])
    assert result.code == KILLED
    trial.resume()
    trial.clean()


# -- interrupted


@pytest.fixture
def patient(tmp_path, store):
    """One that waits for ever, were it not for a signal."""
    trial = Trial(tmp_path, store)
    slow = {**store.storage(f"{trial.prefix}backups", store.proxy.port), "idle_timeout": "10m"}
    trial.program = trial.make("patient", None, storages={"backups": slow})
    return trial


@pytest.mark.parametrize("what", ["LIST", "MEDIUM", "PART", "COMPLETE"])
def test_interrupted_create(patient, what):
    requests = MEDIUM if what == "MEDIUM" else getattr(patient.store, what)
    fault = Fault(Stall(), *requests)
    result = stop_at(patient.program, patient.proxy, fault, signal.SIGINT, ["create", "-n", "b"])
    result.expect(130)
    assert result.json["outcome"] == "failed"
    patient.resume()
    patient.clean()


@pytest.mark.parametrize("words", [["verify", "-n", "b", "--deep"], ["delete", "-n", "b"]])
def test_interrupted_otherwise(patient, words):
    patient.direct.create("b")
    requests = READ if words[0] == "verify" else patient.store.REMOVE
    # Once: what cleans up afterwards gets through.
    fault = Fault(Stall(), *requests)
    stop_at(patient.program, patient.proxy, fault, signal.SIGINT, words).expect(130)
    patient.clean()


@pytest.mark.parametrize("signals", [1, 2])
def test_interrupted_and_nothing_can_be_cleaned_up(patient, signals):
    """The lease cannot be removed either: a person waits for seconds, and need not do that."""
    patient.direct.create("b")
    data = Fault(Stall(), *patient.store.REMOVE)
    lease = Fault(Stall(), "DELETE", r"/lease\.json", times=None)
    with patient.proxy.meets(data, lease):
        run = patient.program.start("--json", "delete", "-n", "b")
        data.wait()
        run.send_signal(signal.SIGINT)
        sent = time.monotonic()
        lease.wait()
        if signals == 2:
            run.send_signal(signal.SIGINT)
        result = patient.program.finish(run, timeout=60)
    took = time.monotonic() - sent
    if signals == 2:
        assert result.code == -signal.SIGINT
    else:
        result.expect(130)
        assert "a lease stays behind" in result.err
        assert took > 4, "it was not tried for as long as it may be"
    assert took < SOON
    patient.clean()


def test_interrupted_check(patient):
    """The scratch object cannot be removed, before the signal and after it."""
    scratch = Fault(Stall(), "DELETE", r"/\.bakplane-probe-", times=None)
    with patient.proxy.meets(scratch):
        run = patient.program.start("check")
        scratch.wait()
        run.send_signal(signal.SIGINT)
        sent = time.monotonic()
        patient.program.finish(run, timeout=60).expect(130)
    assert time.monotonic() - sent < SOON, "a host has five seconds for what undoes"


# -- credentials


def expiry(store, **how):
    """In the middle of copying; from then on for everything."""
    return Fault(store.error(*store.EXPIRED), skip=20, **how)


def test_keys_expire(trial):
    """Keys from the settings are what they are: the job ends, and says how it goes on."""
    with trial.proxy.meets(expiry(trial.store, times=None)) as fault:
        result = trial.program.run("--json", "create", "-n", "b")
    assert result.json["error"]["class"] == "auth", str(result)
    trial.broken(result, OBJECT, trial.store.EXPIRED[1], "--resume")
    assert fault.hits < 40, "it keeps asking"
    trial.resume()
    trial.clean()


class KeyService:
    """What hands out keys to a container of ECS: those of the server, valid for an hour."""

    def __init__(self, server):
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                """Quiet."""

            def do_GET(self):  # pylint: disable=invalid-name
                outer.asked += 1
                body = json.dumps({
                    "AccessKeyId": server.access_key, "SecretAccessKey": server.secret_key,
                    "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(
                        time.time() + 3600))}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/keys"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def renewable(tmp_path, faulty_minio):
    """One whose keys come from a service. (Azurite takes tokens over TLS only.)"""
    trial = Trial(tmp_path, faulty_minio)
    storage = {**faulty_minio.storage(f"{trial.prefix}backups", trial.proxy.port),
               "credentials": "ecs", "access_key": None, "secret_key": None}
    trial.program = trial.make("renewable", None, storages={"backups": storage})
    with KeyService(faulty_minio.server) as service:
        trial.service = service
        trial.env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": service.url}
        yield trial


def test_keys_of_a_service_expire_once(renewable):
    with renewable.proxy.meets(expiry(renewable.store)) as fault:
        renewable.program.create("b", env=renewable.env)
    assert fault.hits == 1 and renewable.service.asked >= 2
    renewable.whole()
    renewable.clean()


def test_keys_of_a_service_stay_expired(renewable):
    """New ones are asked for, and then it ends."""
    with renewable.proxy.meets(expiry(renewable.store, times=None)) as fault:
        result = renewable.program.run("--json", "create", "-n", "b", env=renewable.env)
    assert result.json["error"]["class"] == "auth", str(result)
    renewable.broken(result, "--resume")
    assert fault.hits < 40 and renewable.service.asked < 12
    renewable.program.create("b", "--resume", env=renewable.env)
    renewable.whole()
    renewable.clean()


# -- secrets


SECRET_FORMS = {
    "s3": [{"secret_key": "not-the-secret-of-anybody"},
           {"session_token": "not-a-token-of-any-session"}],
    "azure": [{"account_key": "bm90IHRoZSBrZXkgb2YgYW55IGFjY291bnQ="},
              {"account_key": None, "allow_http": True,
               "sas": "sv=2021-12-02&ss=b&srt=sco&sp=racwdl&se=2020-01-01T00:00:00Z"
                      "&sig=bm90IGEgc2lnbmF0dXJlIG9mIGFueWJvZHk%3D"}],
}


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("form", ["text", "json"])
def test_refused_secrets_are_not_shown(trial, form, number):
    """Neither by the refusal nor by any log, wherever the storage is used."""
    changes = SECRET_FORMS[trial.store.kind][number]
    storage = {**trial.store.storage(f"{trial.prefix}backups", trial.proxy.port), **changes}
    program = trial.make("refused", None, storages={"backups": storage}, log={
        "level": "trace", "format": form})
    secrets = [value for value in changes.values() if isinstance(value, str)]
    for words in (["create", "-n", "b"], ["check"], ["list"], ["config", "show"]):
        result = program.run("-vv", *words)
        assert result.code != 0 or words[0] == "config", result
        shown = result.out + result.err
        for secret in [*secrets, *(one.partition("&sig=")[2] for one in secrets if "&sig=" in one)]:
            assert secret not in shown, result


def test_process_list_and_environment(trial):
    """A run shows no secret to other users while it works."""
    with trial.proxy.meets(Fault(Stall(), *MEDIUM, times=1)) as fault:
        run = trial.program.start("--json", "create", "-n", "b")
        fault.wait()
        with open(f"/proc/{run.pid}/cmdline", "rb") as words:
            trial.program.assert_no_secret(words.read().decode(), "cmdline")
        trial.program.finish(run).expect(0)
    trial.whole()
