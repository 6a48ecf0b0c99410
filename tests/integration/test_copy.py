# SPDX-License-Identifier: Apache-2.0
"""A backup copied to another storage: the same there, verified, resumable, and restorable."""

import json
import signal

import pytest

from integration.lib import data, files, golden, milvus
from integration.lib.cli import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, Bakplane, targets

OFFSITE = ("--set", "backup.storage=offsite")
KILLED = -signal.SIGKILL
STEPS = ["copy.running", "storage.copy:offsite:nth=3", "catalog.journal.after", "copy.copied",
         "copy.sealed", "copy.compared", "copy.manifest"]


class Pair(Bakplane):
    """A program with a second storage, for copies."""

    def __init__(self, folder, server):
        self.offsite = folder / "offsite"
        super().__init__(folder, server, settings={"storages": {"offsite": {
            "plugin": "local", "root": str(self.offsite)}}})

    def copy(self, name, *flags, expect=EXIT_DONE, **kwargs):
        return self.run("--json", "copy", "-n", name, "--to", "offsite", *flags,
                        **kwargs).expect(expect)

    def killed_at(self, name, step):
        point, *rest = step.split(":")
        where = rest.pop(0) if rest else ""
        fault = ":".join([point, where, "abort", *rest])
        result = self.run("copy", "-n", name, "--to", "offsite", env={"BP_FAULT": fault})
        assert result.code == KILLED, f"{step} is never reached:\n{result}"

    def there(self):
        """What `list` says of the copies, by their names."""
        return self.list(*OFFSITE)

    def same(self, name):
        return files.tree(self.offsite / name) == files.tree(self.path(name))


@pytest.fixture(scope="module")
def made(milvus_server, tmp_path_factory):
    """A backup of two collections and the golden ones, all of them on one storage."""
    milvus.wipe(milvus_server)
    data.simple(milvus_server, "one", count=200).delete("id in [1, 2]")
    data.simple(milvus_server, "two", count=20)
    program = Bakplane(tmp_path_factory.mktemp("made"), milvus_server)
    program.create("ours")
    for name in golden.BACKUPS:
        golden.unpack(name, program.backups)
    return program, milvus.everything(milvus_server)


@pytest.fixture
def pair(made, milvus_server, tmp_path):
    """Backups of its own, for damage."""
    program = Pair(tmp_path, milvus_server)
    files.copy(made[0].backups, program.backups)
    return program


def manifest(folder):
    text = (folder / "bakplane" / "manifest.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_ours(pair, made):
    before = files.tree(pair.backups)
    dry = pair.copy("ours", "--dry-run").json
    assert dry["dry_run"] and not pair.offsite.exists()
    result = pair.copy("ours").json
    assert result["state"] == "success" and result["foreign"] is False
    assert (result["from"], result["to"]) == ("backups", "offsite")
    assert (result["items"], result["bytes"]) == (dry["items"], dry["bytes"])
    assert files.tree(pair.backups) == before
    assert files.tree(pair.offsite / "ours" / "binlogs") == files.tree(pair.path("ours", "binlogs"))
    assert files.tree(pair.offsite / "ours" / "meta") == files.tree(pair.path("ours", "meta"))
    one, two = manifest(pair.path("ours")), manifest(pair.offsite / "ours")
    for each in (one, two):
        del each["item_files"]
    assert one == two

    entry = pair.there()["ours"]
    assert entry["status"] == "success" and entry["finished"] == pair.list()["ours"]["finished"]
    verified = pair.verify("ours", "--deep", *OFFSITE).json
    assert verified["compared"] == verified["items"] == result["items"]
    dry = targets(pair.restore("ours", "--suffix", "_again", "--dry-run", *OFFSITE))
    assert sorted(dry) == ["default.one_again", "default.two_again"]


def test_restored_from_the_copy(pair, made, source):
    pair.copy("ours")
    pair.delete("ours")
    assert "ours" not in pair.list()
    restored = targets(pair.restore("ours", *OFFSITE))
    assert {one["state"] for one in restored.values()} == {"complete"}
    milvus.assert_same(made[1][1], milvus.everything(source)[1])


def test_brought_back(pair):
    pair.copy("ours")
    pair.delete("ours")
    pair.run("copy", "-n", "ours", "--from", "offsite", "--to", "backups").expect(0)
    verified = pair.verify("ours", "--deep").json
    assert verified["compared"] == verified["items"] > 0


@pytest.mark.parametrize("name", golden.BACKUPS)
def test_of_another_tool(pair, source, name):
    before = files.tree(pair.backups)
    result = pair.copy(name).json
    assert result["foreign"] is True and result["items"] > 0
    assert pair.same(name) and files.tree(pair.backups) == before
    assert {path.name for path in pair.offsite.iterdir() if path.name[0] != "."} == {name}
    assert pair.there()[name]["status"] == "foreign"
    for flags in ([], ["--deep"]):
        verified = pair.verify(name, *flags, *OFFSITE).json
        assert verified["items"] > 0 and verified["missing"] == verified["unexpected"] == 0
    dry = targets(pair.restore(name, "--dry-run", *OFFSITE))
    assert sorted(dry) == sorted(golden.COLLECTIONS)


@pytest.mark.parametrize("step", STEPS)
def test_killed_and_resumed(pair, step):
    pair.killed_at("ours", step)
    assert pair.there()["ours"]["status"] in ("running (stale)", "incomplete")
    assert pair.run("verify", "-n", "ours", *OFFSITE).code == EXIT_FAILED
    pair.copy("ours", expect=EXIT_FAILED).mentions("--resume", "--replace")
    if step != "copy.manifest":
        pair.create("ours", "--resume", *OFFSITE, expect=EXIT_FAILED).mentions("unfinished copy")
    before = {path: path.stat().st_ino for path in (pair.offsite / "ours").rglob("binlogs/**/*")
              if path.is_file()}
    pair.copy("ours", "--resume")
    kept = {path for path, number in before.items() if path.stat().st_ino == number}
    assert kept == set(before) or step in STEPS[:2], "what was proven was copied again"
    verified = pair.verify("ours", "--deep", *OFFSITE).json
    assert verified["compared"] == verified["items"]
    assert not list((pair.offsite / "ours").rglob("journal/*"))


@pytest.mark.parametrize("step", [*STEPS, "copy.committed", "catalog.remove_manifest.before"])
def test_of_another_tool_killed_and_resumed(pair, step):
    name = golden.BACKUPS[0]
    pair.killed_at(name, step)
    assert pair.there()[name]["status"] == "running (stale)"
    pair.copy(name, "--resume")
    assert pair.same(name) and pair.there()[name]["status"] == "foreign"


def test_damaged_originals(pair):
    victim = files.largest(pair.path("ours", "binlogs"))
    files.flip(victim)
    key = str(victim.relative_to(pair.backups))
    pair.copy("ours", expect=EXIT_FAILED).mentions(key, "xxh3-128", "verify -n ours --deep")
    assert pair.there()["ours"]["status"] == "failed"
    files.flip(victim)
    pair.copy("ours", "--resume")
    content = victim.read_bytes()
    victim.write_bytes(content[:-1])
    pair.copy("ours", "--replace", expect=EXIT_FAILED).mentions(key, "bytes")
    victim.unlink()
    pair.copy("ours", "--resume", expect=EXIT_FAILED).mentions(key.removeprefix("ours/"), "missing")

    name = golden.BACKUPS[1]
    victim = files.largest(pair.path(name, "binlogs"))
    victim.write_bytes(victim.read_bytes()[:-1])
    pair.copy(name, expect=EXIT_FAILED).mentions(str(victim.relative_to(pair.backups)), "bytes")
    assert pair.there()[name]["status"] == "failed"


def test_one_place_is_no_second_copy(pair):
    before = files.tree(pair.backups)
    pair.run("copy", "-n", "ours", "--to", "backups", "--replace").expect(EXIT_USAGE).mentions(
        "are one place")
    pair.offsite.symlink_to(pair.backups)
    pair.copy("ours", "--replace", expect=EXIT_USAGE).mentions("are one place")
    assert files.tree(pair.backups) == before


def test_hard_links_are_not_made(pair):
    pair.settings["storages"]["offsite"]["link"] = True
    pair.write()
    pair.copy("ours")
    linked = [path for path in (pair.offsite / "ours").rglob("*")
              if path.is_file() and path.stat().st_nlink > 1]
    assert linked == []
