# SPDX-License-Identifier: Apache-2.0
"""Creates whose store, or whose way to it, misbehaves: proven success, or a clear failure that
--resume can follow. One lost request never ends a backup, a fault that stays always does.
"""

import pytest

from integration.lib.faulty import FILES, LARGE, OBJECT, Trial
from services.faults import (Corrupt, CutAnswer, CutRequest, Delay, Fault, LoseAnswer, Reset,
                             Stall, in_a_second)

MEDIUM = ("PUT", rf"{OBJECT}db/one/medium$")

# {name: action(store)}
ACTIONS = {
    "reset": lambda store: Reset(),
    "answer lost": lambda store: LoseAnswer(),
    "closed before the answer": lambda store: LoseAnswer(reset=False),
    "body cut": lambda store: CutRequest(70_000),
    "body corrupt": lambda store: Corrupt(at=500, sent=True),
    "500": lambda store: store.error(*store.INTERNAL),
    "503": lambda store: store.error(*store.UNAVAILABLE),
    "slow down": lambda store: store.error(*store.SLOW_DOWN, headers=[("Retry-After", "1")]),
    "slow down until": lambda store: store.error(*store.SLOW_DOWN,
                                                 headers=[("Retry-After", in_a_second)]),
    "stall": lambda store: Stall(),
    "delay": lambda store: Delay(0.7),
}


def requests_of(store, what):
    return MEDIUM if what == "MEDIUM" else getattr(store, what)


def test_without_faults(trial):
    trial.program.create("b")
    trial.whole()
    trial.clean()


@pytest.mark.parametrize("what, action", [
    *(("MEDIUM", action) for action in ("reset", "answer lost", "body cut", "500", "stall",
                                        "slow down until", "delay")),
    *(("PART", action) for action in ("reset", "closed before the answer", "body cut", "stall",
                                      "slow down")),
    *(("COMPLETE", action) for action in ("reset", "answer lost", "503", "stall")),
    ("LIST", "503")])
def test_once(trial, what, action):
    """To an object, to a part of a large one, and where its parts are put together."""
    fault = Fault(ACTIONS[action](trial.store), *requests_of(trial.store, what))
    with trial.proxy.meets(fault):
        trial.program.create("b")
    assert fault.hits == 1
    trial.whole()
    trial.clean()


@pytest.mark.parametrize("what", ["MEDIUM", "PART"])
def test_byte_changed_on_its_way(trial, what):
    """The store compares; whether that is tried again is not the point."""
    fault = Fault(ACTIONS["body corrupt"](trial.store), *requests_of(trial.store, what))
    with trial.proxy.meets(fault):
        result = trial.program.run("--json", "create", "-n", "b")
    assert fault.hits == 1
    trial.settle(result, OBJECT)
    trial.clean()


@pytest.mark.parametrize("what, action, key, reason", [
    ("MEDIUM", "stall", "db/one/medium", "idle timeout"), ("MEDIUM", "503", "db/one/medium", ""),
    ("PART", "500", "db/two/", "InternalError"), ("PART", "body cut", "db/two/", "onnection"),
    ("COMPLETE", "reset", "db/two/", "onnection")])
def test_always(trial, what, action, key, reason):
    fault = Fault(ACTIONS[action](trial.store), *requests_of(trial.store, what), times=None)
    with trial.proxy.meets(fault):
        result = trial.program.run("--json", "create", "-n", "b", "--retry-attempts", 2)
    trial.broken(result, key, reason, "--resume")
    trial.resume()
    trial.clean()


@pytest.mark.parametrize("record", ["bakplane/lease.json", "bakplane/manifest.json",
                                    "bakplane/journal/", "bakplane/items-1.jsonl",
                                    "meta/files.json"])
def test_own_records(trial, record):
    """An answer that is lost is got over; what is never written is a failure."""
    lost = Fault(ACTIONS["answer lost"](trial.store), "PUT", f"/b/{record}")
    with trial.proxy.meets(lost):
        trial.program.create("b")
    assert lost.hits == 1
    trial.whole()
    trial.clean()
    with trial.proxy.meets(Fault(ACTIONS["500"](trial.store), "PUT", f"/b/{record}", times=None)):
        result = trial.program.run("--json", "create", "-n", "b", "--retry-attempts", 2)
    trial.broken(result, record)
    trial.resume()
    trial.clean()


@pytest.mark.parametrize("kind", ["reset", "answer lost", "503"])
def test_storm(trial, kind):
    """A quarter of all requests fails; the dice are the same every time."""
    with trial.proxy.meets(Fault(ACTIONS[kind](trial.store), times=None, chance=0.25)) as fault:
        result = trial.program.run("--json", "create", "-n", "b", "--retry-attempts", 8)
    assert fault.hits > 5
    trial.settle(result)
    trial.clean()


def test_answers_cut_short(trial):
    """Of all that answers with more than a head."""
    fault = Fault(CutAnswer(20), "GET|POST", times=None, chance=0.3)
    with trial.proxy.meets(fault):
        result = trial.program.run("--json", "create", "-n", "b", "--retry-attempts", 8)
    assert fault.hits > 0
    trial.settle(result)
    trial.clean()


def test_other_content_of_the_same_size_is_not_taken_for_ours(trial):
    """The object of an earlier run is there, with the size of what a lost request should write."""
    stop = Fault(ACTIONS["500"](trial.store), "PUT", "/b/bakplane/items-1", times=None)
    with trial.proxy.meets(stop):
        trial.program.run("create", "-n", "b", "--retry-attempts", 1).expect(1)
    changed = bytes(byte ^ 1 for byte in FILES["db/one/medium"])
    trial.write("db/one/medium", changed)
    with trial.proxy.meets(Fault(Reset(), *MEDIUM), Fault(Reset(), *MEDIUM)) as fault:
        trial.program.create("b", "--resume")
    assert fault.hits == 1
    trial.whole({**FILES, "db/one/medium": changed})
    trial.clean()


# -- what the store copies by itself


@pytest.fixture
def copying(tmp_path, store):
    """From the store into the store."""
    return Trial(tmp_path, store, data="store")


@pytest.mark.parametrize("action", ["reset", "answer lost", "500", "stall", "slow down"])
def test_copy_once(copying, action):
    with copying.proxy.meets(Fault(ACTIONS[action](copying.store), *MEDIUM)) as fault:
        copying.program.create("b")
    assert fault.hits == 1
    copying.whole()
    copying.clean()


@pytest.mark.parametrize("what, action", [
    *(("PART", action) for action in ("reset", "answer lost", "503", "stall")),
    *(("COMPLETE", action) for action in ("answer lost", "500"))])
def test_copy_in_parts_once(tmp_path, faulty_minio, what, action):
    """UploadPartCopy; Azurite has nothing of that kind."""
    copying = Trial(tmp_path, faulty_minio, data="store")
    fault = Fault(ACTIONS[action](faulty_minio), *requests_of(faulty_minio, what))
    with copying.proxy.meets(fault):
        copying.program.create("b")
    assert fault.hits == 1
    copying.whole()
    copying.clean()


@pytest.mark.parametrize("action, reason", [("reset", "onnection"), ("500", "InternalError")])
def test_copy_always(copying, action, reason):
    fault = Fault(ACTIONS[action](copying.store), "PUT", f"{OBJECT}{LARGE}", times=None)
    with copying.proxy.meets(fault):
        result = copying.program.run("--json", "create", "-n", "b", "--retry-attempts", 2)
    copying.broken(result, LARGE, reason, "--resume")
    copying.resume()
    copying.clean()
