# SPDX-License-Identifier: Apache-2.0
"""A real backup through the storage plugin in Rust."""

import os

import pytest

from examples.conformance import check
from examples.trees import Trees, same
from integration.lib.cli import EXIT_DONE, EXIT_FAILED
from kit import kit


@pytest.fixture
def rusty(tmp_path, tree):
    (tmp_path / "objects").mkdir()
    made = Trees(tmp_path / "bakplane", {"www": tree.root}, tmp_path / "objects")
    made.settings["storages"]["backups"] = {"plugin": "rust", "root": str(tmp_path / "objects")}
    made.write()
    return made


def test_a_backup_and_back(rusty, tree):
    tree.seed()
    for i in range(1500):  # more than one page
        tree.write(f"many/{i}", b"%d" % i)
    rusty.run("check").expect(EXIT_DONE)
    rusty.create("b")
    rusty.create("b", expect=EXIT_FAILED).mentions("exists")
    assert rusty.verify("b", "--deep").json["outcome"] == "done"
    assert list(rusty.list()) == ["b"]
    rusty.restore_out("b")
    same(tree.root, rusty.out / "www")
    path = rusty.path("b", "trees", "www", "files", "1", "index.html")
    path.write_bytes(path.read_bytes()[:-1])
    assert rusty.run("verify", "-n", "b").code != EXIT_DONE
    rusty.delete("b")
    assert rusty.list() == {}
    assert not any(files for _, _, files in os.walk(rusty.backups))


def test_a_root_that_is_not_there(rusty, tree):
    rusty.settings["storages"]["backups"]["root"] = "/nowhere/at/all"
    rusty.write()
    rusty.create("b", expect=EXIT_FAILED).mentions("/nowhere/at/all")


def test_conformance(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    check(kit.PLUGINS / "bakplane-storage-rust.so",
          {"storage": {"plugin": "rust", "root": str(tmp_path / "one")},
           "hooks": {"second": {"root": str(tmp_path / "two")}}}, tmp_path,
          skipped=r"config\.(bad_values|secrets|unreachable)|probe\.denied|cancel\.deadline|"
                  r"list\.(many|start_after)|write\.key_is_prefix|server\..*")
