# SPDX-License-Identifier: Apache-2.0
"""Faults while a backup is listed, verified, restored from and deleted; and while a restore brings
data into a store.
"""

import pytest

from integration.lib.cli import EXIT_DIFFERENT, EXIT_FAILED
from integration.lib.faulty import DIGESTS, FILES, LARGE, OBJECT, Trial, digest
from services.faults import Corrupt, CutAnswer, Fault, LoseAnswer, Reset, Slow, Stall, in_a_second

READ = ("GET", rf"{OBJECT}{LARGE}($|\?)")

ACTIONS = {
    "reset": lambda store: Reset(),
    "answer lost": lambda store: LoseAnswer(),
    "cut": lambda store: CutAnswer(100_000),
    "cut at once": lambda store: CutAnswer(0),
    "slow": lambda store: Slow(10 << 20),
    "stall": lambda store: Stall(),
    "stall in the middle": lambda store: Stall(at=3 << 20),
    "500": lambda store: store.error(*store.INTERNAL),
    "slow down": lambda store: store.error(*store.SLOW_DOWN, headers=[("Retry-After", "1")]),
    "slow down until": lambda store: store.error(*store.SLOW_DOWN,
                                                 headers=[("Retry-After", in_a_second)]),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """made(store): a backup that tests only read from; one for each store."""
    trials = {}

    def get(store):
        if store.kind not in trials:
            trials[store.kind] = Trial(tmp_path_factory.mktemp(store.kind), store)
            trials[store.kind].direct.create("b")
        return trials[store.kind]

    return get


@pytest.fixture
def backup(store, made):
    return made(store)


@pytest.mark.parametrize("action", ACTIONS)
def test_verify_once(backup, action):
    """A read goes on where it was cut, with the same version of the object."""
    with backup.proxy.meets(Fault(ACTIONS[action](backup.store), *READ)) as fault:
        backup.program.verify("b", "--deep")
    assert fault.hits == 1


@pytest.mark.parametrize("action, reason", [("cut at once", ""), ("stall", "idle timeout"),
                                            ("500", "InternalError")])
def test_verify_always(backup, action, reason):
    with backup.proxy.meets(Fault(ACTIONS[action](backup.store), *READ, times=None)):
        result = backup.program.verify("b", "--deep", "--set", "backup.retry.attempts=2",
                                       expect=EXIT_FAILED)
    result.mentions(LARGE, reason)


def test_verify_sees_a_changed_byte(backup):
    """What is read is wrong: said, or read again; never taken for right."""
    before = backup.proxy.count(*READ)
    with backup.proxy.meets(Fault(Corrupt(at=5_000_000), *READ)) as fault:
        result = backup.program.run("--json", "verify", "-n", "b", "--deep")
    assert fault.hits == 1
    if result.code == 0:
        assert backup.proxy.count(*READ) - before > 1
    else:
        result.expect(EXIT_DIFFERENT).mentions(LARGE)


@pytest.mark.parametrize("action", ["reset", "cut", "500", "slow down until", "stall"])
def test_list_once(backup, action):
    at = {"cut": CutAnswer(50)}
    fault = Fault(at.get(action) or ACTIONS[action](backup.store), *backup.store.LIST)
    with backup.proxy.meets(fault):
        assert backup.program.list()["b"]["status"] == "success"
    assert fault.hits == 1


@pytest.mark.parametrize("action", ["cut", "500"])
def test_list_always(backup, action):
    """Never a list with less than there is."""
    at = {"cut": CutAnswer(50)}
    fault = Fault(at.get(action) or ACTIONS[action](backup.store), *backup.store.LIST, times=None)
    with backup.proxy.meets(fault):
        result = backup.program.run("--json", "list", "--set", "backup.retry.attempts=2")
    result.expect(EXIT_FAILED).mentions("error")


# -- restore


@pytest.fixture
def target(backup, tmp_path):
    """A program that restores into a folder, and what is there then."""
    folder = tmp_path / "target"
    folder.mkdir()
    program = backup.make(tmp_path.name, backup.proxy.port,
                          storages={"data": {"plugin": "local", "root": str(folder)}})

    def found():
        head = folder / "restored"
        return {str(path.relative_to(head)): digest(path.read_bytes())
                for path in head.rglob("*") if path.is_file()}

    program.found = found
    program.staging = lambda: [path.name for path in folder.glob("restored-*")
                               if any(path.rglob("*"))]
    return program


@pytest.mark.parametrize("action", ["reset", "cut", "stall in the middle", "slow down"])
def test_restore_once(backup, target, action):
    with backup.proxy.meets(Fault(ACTIONS[action](backup.store), *READ)) as fault:
        target.restore("b")
    assert fault.hits == 1
    assert target.found() == DIGESTS and target.staging() == []


@pytest.mark.parametrize("action", ["corrupt", "cut at once"])
def test_restore_fails_and_is_run_again(backup, target, action):
    at = {"corrupt": Corrupt(at=5_000_000)}
    fault = Fault(at.get(action) or ACTIONS[action](backup.store), *READ, times=None)
    with backup.proxy.meets(fault):
        result = target.run("--json", "restore", "-n", "b", "--set", "backup.retry.attempts=2")
    result.expect(EXIT_FAILED).mentions(LARGE)
    assert target.found().get(LARGE) in (None, DIGESTS[LARGE])
    target.restore("b")
    assert target.found() == DIGESTS and target.staging() == []


def test_restore_asks_for_no_item_twice(backup, target):
    """Verifying asks for each; what is staged then is compared with the record as it is read. Only
    for what goes in parts its version is asked for.
    """
    in_parts = [path for path, content in FILES.items() if len(content) > 5 << 20]
    before = backup.proxy.count("HEAD", OBJECT)
    target.restore("b")
    assert backup.proxy.count("HEAD", OBJECT) - before == len(FILES) + len(in_parts)
    assert target.found() == DIGESTS


def into(folder, store):
    """A restore from a folder into the store, through the proxy."""
    trial = Trial(folder, store)
    nothing = dict.fromkeys(store.storage(""))
    backups = {**nothing, "plugin": "local", "root": str(folder / "backups")}
    trial.make("from", None, storages={"backups": backups}).create("b")
    data = {"root": None, **store.storage(f"{trial.prefix}data", store.proxy.port)}
    trial.program = trial.make("into", None, storages={"backups": backups, "data": data})
    return trial


def settled(trial):
    """All is there, and no staging beside it."""
    head = f"{trial.data}restored/"
    found = {key[len(head):]: digest(trial.store.read(key)) for key in trial.store.keys(head)}
    assert found == DIGESTS
    assert len(trial.store.keys(trial.data)) == len(FILES)
    assert trial.store.unfinished(trial.prefix) == []


@pytest.mark.parametrize("what, action", [("PART", "reset"), ("PART", "stall"),
                                          ("COMPLETE", "answer lost"), ("LIST", "500")])
def test_staging_once(tmp_path, store, what, action):
    trial = into(tmp_path, store)
    method, path = getattr(store, what)
    fault = Fault(ACTIONS[action](store), method, path.replace(OBJECT, "/"))
    with trial.proxy.meets(fault):
        trial.program.restore("b")
    assert fault.hits == 1
    settled(trial)


def test_staging_always(tmp_path, store):
    trial = into(tmp_path, store)
    with trial.proxy.meets(Fault(ACTIONS["500"](store), *store.PART, times=None)):
        trial.program.run("restore", "-n", "b", "--set", "backup.retry.attempts=2").expect(
            EXIT_FAILED).mentions("InternalError")
    trial.program.restore("b")
    settled(trial)


# -- delete


@pytest.mark.parametrize("action", ["reset", "answer lost", "500", "slow down", "stall"])
def test_delete_once(trial, action):
    trial.direct.create("b")
    with trial.proxy.meets(Fault(ACTIONS[action](trial.store), *trial.store.REMOVE)) as fault:
        trial.program.delete("b")
    assert fault.hits == 1
    trial.gone()


@pytest.mark.parametrize("action", ["reset", "500"])
def test_delete_always(trial, action):
    """Half deleted is nothing that could be taken for a backup; the next run does the rest."""
    trial.direct.create("b")
    method, path = trial.store.REMOVE
    with trial.proxy.meets(Fault(ACTIONS[action](trial.store), method, path, times=None)):
        trial.program.delete("b", "--set", "backup.retry.attempts=2", expect=EXIT_FAILED)
    entry = trial.direct.list().get("b")
    if entry is not None and entry["status"] == "success":
        trial.whole()
    trial.program.delete("b", "--force")
    trial.gone()
