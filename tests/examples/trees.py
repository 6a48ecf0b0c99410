# SPDX-License-Identifier: Apache-2.0
"""Directory trees for tests: made, looked at, captured."""

import hashlib
import os
import stat
from pathlib import Path

from integration.lib.cli import Bakplane

# Set-user-ID and set-group-ID are not restored, as owners are not.
MODE_BITS = 0o1777


def encoded(path):
    return os.fsencode(path)


class Tree:
    """A directory; paths are relative to it, as text or bytes."""

    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir(parents=True)

    def path(self, name):
        return os.path.join(encoded(self.root), encoded(name))

    def write(self, name, content=b"", mode=None, mtime_ns=None):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        if mode is not None:
            os.chmod(path, mode)
        if mtime_ns is not None:
            os.utime(path, ns=(mtime_ns, mtime_ns))

    def link(self, name, target):
        os.symlink(encoded(target), self.path(name))

    def directory(self, name, mode=0o755, mtime_ns=None):
        os.makedirs(self.path(name))
        os.chmod(self.path(name), mode)
        if mtime_ns is not None:
            os.utime(self.path(name), ns=(mtime_ns, mtime_ns))

    def seed(self):
        """Something of everything."""
        self.write("index.html", b"<html>", 0o640, 981173106_789000001)
        self.write("css/site.css", b"body {}" * 1000)
        self.write("css/deep/er/empty", b"", 0o400)
        self.write("large", os.urandom(9_000_000))
        self.link("latest", "css/deep")
        self.link("outside", "/etc/passwd")
        self.link("nowhere", "no such thing")
        self.directory("var/empty", 0o1777, 1_000_000_000_000000007)
        self.directory("locked", 0o500)


def snapshot(root):
    """{path: what it is}, in bytes, without what a restore cannot bring back."""
    found = {}
    root = encoded(root)
    for folder, folders, files in os.walk(root):
        for name in [b"."] * (folder == root) + folders + files:
            path = os.path.join(folder, name)
            meta = os.lstat(path)
            facts = [stat.S_IFMT(meta.st_mode), meta.st_mtime_ns]
            if stat.S_ISLNK(meta.st_mode):
                facts.append(os.readlink(path))
            else:
                facts.append(meta.st_mode & MODE_BITS)
            if stat.S_ISREG(meta.st_mode):
                with open(path, "rb") as file:
                    facts.append(hashlib.file_digest(file, "sha256").hexdigest()
                                 if hasattr(hashlib, "file_digest")
                                 else hashlib.sha256(file.read()).hexdigest())
            found[os.path.relpath(path, root)] = facts
    return found


def same(one, other):
    """Compares two trees; says which paths differ."""
    left, right = snapshot(one), snapshot(other)
    assert left.keys() == right.keys(), left.keys() ^ right.keys()
    differ = {path: (left[path], right[path]) for path in left if left[path] != right[path]}
    assert not differ


class Trees(Bakplane):
    """source-directory over some trees {name: path}."""

    def __init__(self, folder, trees, backups, settings=None):
        super().__init__(folder, None, backups, settings)
        self.out = self.folder / "out"
        self.out.mkdir()
        scratch = self.folder / "scratch"
        scratch.mkdir()
        self.settings["source"] = {"plugin": "directory", "scratch": str(scratch),
                                   "trees": [f"{name}={path}" for name, path in trees.items()]}
        self.write()

    def restore_out(self, name, *flags, **kwargs):
        """Into the folder `out`."""
        return self.restore(name, "--into", self.out, *flags, **kwargs)


def peak_kib(trees, *words):
    """Of one run's memory."""
    process = trees.start(*words)
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.stderr.read()
    return usage.ru_maxrss
