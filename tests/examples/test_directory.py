# SPDX-License-Identifier: Apache-2.0
"""source-directory from end to end: what is captured comes back, and nothing else is touched."""

import os

import pytest

from examples.trees import Tree, Trees, peak_kib, same, snapshot
from integration.lib.cli import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, notes, targets


def test_everything_comes_back(trees, tree):
    tree.seed()
    trees.run("check").expect(0)
    made = trees.create("b").json
    assert (made["outcome"], made["items"]) == ("done", 5)  # four files and the index
    assert trees.verify("b", "--deep").json["outcome"] == "done"
    result = trees.restore_out("b")
    assert targets(result)["www"]["state"] == "complete"
    assert targets(result)["www"]["found"] == 14
    same(tree.root, trees.out / "www")
    assert trees.list()["b"]["status"] == "success"
    trees.delete("b")
    assert trees.list() == {}


def test_large_files_in_parts(trees, tree):
    tree.write("large", os.urandom(12 << 20))
    trees.create("b", "--part-size", "5MiB")
    assert trees.verify("b", "--deep").json["outcome"] == "done"
    trees.restore_out("b")
    same(tree.root, trees.out / "www")


def test_where_it_was(trees, tree):
    tree.seed()
    before = snapshot(tree.root)
    trees.create("b")
    os.rename(tree.root, f"{tree.root}-away")
    trees.restore("b")
    same(f"{tree.root}-away", tree.root)
    assert snapshot(tree.root) == before


def test_an_empty_tree(trees, tree):
    trees.create("b")
    trees.restore_out("b")
    same(tree.root, trees.out / "www")


def test_only_looking(trees, tree):
    tree.seed()
    looked = trees.create("b", "--dry-run").json
    assert (looked["items"], trees.list()) == (5, {})
    trees.create("b", "--meta-only")
    trees.restore_out("b", "--meta-only")
    assert os.listdir(trees.out / "www") == []


def test_a_copy_of_a_backup(trees, tree, tmp_path):
    """The other verbs need no storage of the source either."""
    tree.seed()
    trees.settings["storages"]["far"] = {"plugin": "local", "root": str(tmp_path / "far")}
    trees.write()
    trees.create("b")
    trees.run("copy", "-n", "b", "--to", "far").expect(EXIT_DONE)
    trees.delete("b")
    trees.settings["backup"]["storage"] = "far"
    trees.write()
    assert [unit["name"] for unit in trees.get("b", "--detail").json["units"]] == ["www"]
    assert list(trees.list("--collection", "www")) == ["b"]
    assert trees.list("--collection", "mail") == {}
    trees.restore_out("b", "--verify", "deep")
    same(tree.root, trees.out / "www")


NAMES = [b"with space", b"new\nline", b"tab\tand\x01control", b"100%25", b"\xff\xfe no utf-8",
         "gr\u00f6\u00dfe \u4e2d\u6587".encode(), b"-dash", b"~", b"*?[a]", b"quo'te\"s", b"back\\slash",
         b"...", b".hidden", b"x" * 255, b"\xc3" * 255, b"\n" * 255]


def test_names_of_all_sorts(trees, tree):
    for name in NAMES:
        tree.write(name, b"in " + name)
        tree.write(b"folder " + name[:240] + b"/" + name, name)
        tree.link(b"link " + name[:240], name)
    long = b"/".join([b"d" * 200] * 18) + b"/file"  # a path of 3600 bytes
    folder = os.open(tree.root, os.O_RDONLY)
    for part in long.split(b"/")[:-1]:
        os.mkdir(part, dir_fd=folder)
        folder, outer = os.open(part, os.O_RDONLY, dir_fd=folder), folder
        os.close(outer)
    os.close(os.open(b"file", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    trees.create("b")
    assert trees.verify("b", "--deep").json["outcome"] == "done"
    trees.restore_out("b")
    same(tree.root, trees.out / "www")


def test_two_trees_one_of_them_renamed(tmp_path, tree):
    other = Tree(tmp_path / "mail")
    tree.seed()
    other.write("inbox", b"hello")
    trees = Trees(tmp_path / "bakplane", {"www": tree.root, "mail": other.root},
                  tmp_path / "backups")
    trees.create("b")
    result = trees.restore_out("b", "--rename", "mail:post")
    assert set(targets(result)) == {"www", "post"}
    same(tree.root, trees.out / "www")
    same(other.root, trees.out / "post")
    # One of them, by its name.
    trees.create("mail_only", "--filter", "mail")
    trees.restore_out("mail_only", "--suffix", "2")
    assert sorted(path.name for path in trees.out.iterdir()) == ["mail2", "post", "www"]
    trees.restore("b", "--collections", "nothing", expect=EXIT_FAILED).mentions("nothing")


def test_the_bits_that_need_an_owner(trees, tree):
    tree.write("tool", b"#!/bin/sh", 0o6755)
    trees.create("b")
    result = trees.restore_out("b")
    assert "special-bits" in notes(result)
    assert os.stat(trees.out / "www" / "tool").st_mode & 0o7777 == 0o755


def test_what_is_no_file_is_left_out(trees, tree):
    tree.write("file", b"x")
    os.mkfifo(tree.path("pipe"))
    trees.create("b").mentions("pipe is left out")
    trees.restore_out("b")
    assert sorted(os.listdir(trees.out / "www")) == ["file"]


def test_links_are_not_followed(trees, tree, tmp_path):
    """Neither when reading nor when somebody puts one into the way of a restore."""
    secret = Tree(tmp_path / "secret")
    secret.write("key", b"the secret")
    tree.link("folder", secret.root)
    tree.link("file", secret.path("key"))
    trees.create("b")
    stored = [path for path in trees.path("b").rglob("*") if path.is_file()]
    assert stored and not any(b"the secret" in path.read_bytes() for path in stored)

    os.unlink(tree.path("folder"))
    os.unlink(tree.path("file"))
    tree.write("folder/key", b"mine")
    tree.write("file", b"mine")
    trees.create("c")
    before = snapshot(secret.root)
    out = Tree(trees.out / "www")
    out.link("folder", secret.root)
    out.link("file", secret.path("key"))
    trees.restore_out("c", "--overwrite")
    same(tree.root, out.root)
    assert snapshot(secret.root) == before
    # The directory itself may not be one, where anybody may have made it.
    os.symlink(secret.root, trees.out / "trap")
    trees.restore_out("c", "--rename", "www:trap", "--overwrite", expect=EXIT_FAILED)
    assert snapshot(secret.root) == before


def test_what_is_there_is_kept_unless_wished(trees, tree):
    tree.seed()
    trees.create("b")
    out = Tree(trees.out / "www")
    out.write("index.html", b"of somebody else")
    out.write("other", b"not in the backup")
    out.write("css", b"a file, where a directory is to be")
    before = snapshot(out.root)
    trees.restore_out("b", expect=EXIT_FAILED).mentions("not empty", "--overwrite")
    trees.restore_out("b", "--dry-run", expect=EXIT_FAILED).mentions("not empty")
    assert snapshot(out.root) == before
    trees.restore_out("b", "--overwrite", "--dry-run")
    assert snapshot(out.root) == before
    trees.restore_out("b", "--overwrite")
    os.unlink(out.path("other"))
    os.utime(out.root, ns=(0, os.stat(tree.root).st_mtime_ns))
    same(tree.root, out.root)


def test_a_full_directory_in_the_way_of_a_file(trees, tree):
    tree.write("name", b"a file")
    trees.create("b")
    Tree(trees.out / "www").write("name/inside", b"x")
    result = trees.restore_out("b", "--overwrite", expect=EXIT_FAILED)
    assert targets(result)["www"]["state"] == "failed"
    assert (trees.out / "www" / "name" / "inside").read_bytes() == b"x"


@pytest.mark.parametrize("value, text", [
    ("www", "is not name=/path"), ("w.w=/srv", "is not name=/path"), ("www=srv", "not name=/path"),
    ("www2=ROOT/sub", "one lies in the other"), ("www=/elsewhere", "has the name of")])
def test_settings_that_are_refused(trees, tree, value, text):
    trees.settings["source"]["trees"].append(value.replace("ROOT", str(tree.root)))
    trees.write()
    result = trees.run("create", "-n", "b")
    assert result.code != 0
    result.mentions(text)


def test_a_target_that_nobody_knows(trees, tree):
    tree.write("file", b"x")
    trees.create("b")
    trees.restore("b", "--rename", "www:web", expect=EXIT_USAGE).mentions("no tree web", "--into")


def test_memory_does_not_grow_with_the_tree(trees, tree):
    """Fewer files than would be honest; the whole million is test_slow_million's."""
    for i in range(500):
        tree.write(f"flat/{i}")
    words = {"create": ["create", "-n"], "restore": ["restore", "--into", trees.out, "-n"]}
    small = {verb: peak_kib(trees, *words[verb], "small") for verb in words}
    os.rename(trees.out / "www", trees.out / "small")
    for i in range(500, 20_000):
        tree.write(f"flat/{i}")
    for verb, before in small.items():
        # 20 000 names in memory would be more; what the program keeps of an item is 56 bytes.
        assert peak_kib(trees, *words[verb], "large") < before + 4096, verb
    assert len(os.listdir(trees.out / "www" / "flat")) == 20_000
