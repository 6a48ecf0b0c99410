# SPDX-License-Identifier: Apache-2.0
"""source-directory when something goes wrong: damage, changes while it reads, kills."""

import os
import signal
import time

import pytest

from examples.trees import Tree, Trees, same, snapshot
from integration.lib.cli import EXIT_DONE, EXIT_FAILED, targets


def wait_for(condition, process=None, seconds=60):
    """Until it holds; the process has to be running meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def damage(path):
    """Same size, other bytes in the middle."""
    content = bytearray(path.read_bytes())
    mark = b"\0damaged"[:len(content)]
    middle = (len(content) - len(mark)) // 2
    content[middle:middle + len(mark)] = mark
    path.write_bytes(content)


def stored(trees, name, what):
    return trees.path(name, "trees", "www", *what.split("/"))


@pytest.mark.parametrize("what", ["files/1/large", "files/4/css/deep/er/name", "index"])
def test_wrong_content_is_noticed(trees, tree, what):
    tree.seed()
    tree.write("css/deep/er/name", b"its content")
    trees.create("b")
    damage(stored(trees, "b", what))
    result = trees.run("--json", "verify", "-n", "b", "--deep")
    assert result.code != EXIT_DONE
    assert [one["problem"] for one in result.json["problems"]] == ["altered"]
    trees.restore_out("b", "--verify", "deep", expect=EXIT_FAILED).mentions("is damaged")
    assert os.listdir(trees.out) == []
    # Without looking first, it shows when it is read, and nobody gets to see it.
    trees.restore_out("b", expect=EXIT_FAILED).mentions("and must be")
    assert not any(b"\0damaged" in path.read_bytes() for path in trees.out.rglob("*")
                   if path.is_file() and not path.is_symlink())


@pytest.mark.parametrize("harm", ["missing", "truncated"])
def test_a_file_that_is_cut_or_gone(trees, tree, harm):
    tree.seed()
    trees.create("b")
    path = stored(trees, "b", "files/1/large")
    if harm == "missing":
        path.unlink()
    else:
        os.truncate(path, 4_000_000)
    result = trees.run("--json", "verify", "-n", "b")
    assert result.code != EXIT_DONE
    assert [one["problem"] for one in result.json["problems"]] == [harm]
    trees.restore_out("b", expect=EXIT_FAILED).mentions("is damaged", harm)
    assert os.listdir(trees.out) == []


@pytest.mark.parametrize("text, reason", [
    (b"f 644 1.000000000 3 t ../../escape", "is damaged at byte"),
    (b"d /etc", "is damaged at byte"),
    (b"l 1.000000000 x a//b", "is damaged at byte"),
    (b"f 644 1.000000000 3 t", "is damaged at byte"),
    (b"e 5", "entries and says 5"),
    (b"e 1", "restored 1 entries, the backup holds 2")])
def test_an_index_that_lies(trees, tree, text, reason):
    """Of a backup without checksums: whoever wrote that is not to get out of the target."""
    tree.write("file", b"abc")
    trees.create("b", "--set", "backup.prove=size")
    index = stored(trees, "b", "index")
    lines = index.read_bytes().split(b"\n")
    lines[2] = text + b" " * max(len(lines[2]) - len(text), 0)
    lines[2] = text if text.startswith(b"e") else lines[2].rstrip()
    content = b"\n".join(lines)
    size = index.stat().st_size
    index.write_bytes((content + b"\n" * size)[:size])
    before = snapshot(trees.folder)
    trees.restore_out("b", expect=EXIT_FAILED).mentions(reason)
    after = snapshot(trees.folder)
    changed = {path for path in after if before.get(path) != after[path]}
    allowed = (b"out", b"state", b"bakplane-state")
    assert all(path == b"." or path.startswith(allowed) for path in changed), changed
    assert not os.path.exists(trees.folder / "escape")


def slow(trees):
    """Time enough to do something to what is being copied."""
    trees.settings["backup"]["throttle"] = "2MiB"
    trees.write()


def size_of(path):
    """0 where it is gone meanwhile, as small ones are at any moment."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def is_half(trees, name):
    """Whether storage-local has more than 1 MiB of an object that is being written."""
    below = trees.backups / ".bakplane-tmp"
    paths = [path for path in below.rglob("*") if path.is_file()] + list(
        trees.path(name).rglob("large*"))
    return any(size_of(path) > 1 << 20 for path in paths)


def test_a_file_that_changes_while_it_is_read(trees, tree):
    """A backup never holds half of the old and half of the new one."""
    tree.write("large", os.urandom(6 << 20))
    slow(trees)
    process = trees.start("-v", "create", "-n", "b")
    wait_for(lambda: is_half(trees, "b"), process)
    tree.write("large", os.urandom(5 << 20))
    trees.finish(process).expect(EXIT_DONE).mentions("looking again")
    assert trees.verify("b", "--deep").json["outcome"] == "done"
    trees.restore_out("b")
    same(tree.root, trees.out / "www")


def test_a_file_that_never_rests(trees, tree):
    tree.write("large", os.urandom(1 << 20))
    trees.settings["backup"].update({"throttle": "2MiB", "buffer_size": "64KiB"})
    trees.write()
    process = trees.start("create", "-n", "b")
    with open(tree.path("large"), "r+b", buffering=0) as file:
        while process.poll() is None:
            os.pwrite(file.fileno(), os.urandom(100), 0)
            time.sleep(0.05)
    trees.finish(process).expect(EXIT_FAILED).mentions("rewritten 8 times")


def test_a_tree_that_goes_away(trees, tree):
    tree.write("large", os.urandom(6 << 20))
    slow(trees)
    process = trees.start("create", "-n", "b")
    wait_for(lambda: is_half(trees, "b"), process)
    os.unlink(tree.path("large"))
    os.rmdir(tree.root)
    trees.finish(process).expect(EXIT_FAILED).mentions("tree www")


def test_a_killed_create_goes_on_with_what_is_new(trees, tree):
    """Same size, same time, other content: what a resume has to find out by itself."""
    for i in range(1200):
        tree.write(f"many/{i}", b"old %d" % i)
    tree.write("zz/large", os.urandom(8 << 20))
    trees.settings["backup"]["throttle"] = "1MiB"
    trees.write()
    process = trees.start("create", "-n", "b")
    journal = trees.path("b", "bakplane", "journal")
    wait_for(lambda: journal.is_dir() and any(journal.iterdir()), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for i in range(0, 1200, 7):
        path = tree.path(f"many/{i}")
        before = os.stat(path)
        with open(path, "r+b") as file:
            file.write(b"new")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    trees.settings["backup"]["throttle"] = None
    trees.write()
    trees.create("b", "--resume")
    assert trees.verify("b", "--deep").json["outcome"] == "done"
    trees.restore_out("b")
    same(tree.root, trees.out / "www")


def reading(what):
    """Whenever the backup is read: what happens then."""
    return {"BP_FAULT": f"storage.read_open:backups:{what}"}


def many(tree, n=1000):
    for i in range(n):
        tree.write(f"many/{i % 10}/{i}", b"%d" % i, 0o600 + i % 0o200)


def killed_restore(trees, *flags):
    """Of some hundred files."""
    result = trees.run("restore", "-n", "b", "--into", trees.out, *flags,
                       env=reading("abort:nth=400"))
    assert result.code == -signal.SIGKILL, result
    assert 300 < len(list((trees.out / "www").glob("many/*/*"))) < 1000


def test_a_killed_restore_is_done_again(trees, tree):
    many(tree)
    tree.directory("locked", 0o500)
    trees.create("b")
    killed_restore(trees)
    result = trees.restore_out("b")
    assert targets(result)["www"]["state"] == "complete"
    same(tree.root, trees.out / "www")
    # What is complete is not ours to replace any more.
    trees.restore_out("b", expect=EXIT_FAILED).mentions("not empty")


def test_what_a_killed_restore_has_completed_stays(tmp_path, tree):
    first = Tree(tmp_path / "first")
    first.seed()
    many(tree)
    trees = Trees(tmp_path / "two", {"first": first.root, "www": tree.root}, tmp_path / "backups")
    trees.create("b")
    one_by_one = ["--concurrency-units", "1"]
    killed_restore(trees, *one_by_one)
    made = os.stat(trees.out / "first" / "large").st_ino
    result = targets(trees.restore_out("b", *one_by_one))
    assert {one["state"] for one in result.values()} == {"complete"}
    assert "by the run before" in result["first"]["note"]
    assert os.stat(trees.out / "first" / "large").st_ino == made
    same(first.root, trees.out / "first")
    same(tree.root, trees.out / "www")


def test_a_cancelled_restore_says_so(trees, tree):
    many(tree)
    trees.create("b")
    process = trees.start("restore", "-n", "b", "--into", trees.out, env=reading("delay=20ms"))
    wait_for(lambda: len(list((trees.out / "www").glob("many/*/*"))) > 50, process)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    result = trees.finish(process)
    assert result.code not in (EXIT_DONE, None)
    assert time.monotonic() - began < 60
    trees.restore_out("b")
    same(tree.root, trees.out / "www")
