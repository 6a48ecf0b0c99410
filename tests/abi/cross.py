#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Old plugins in new hosts, new plugins in old hosts.

Usage: cross.py CC BUILD PLUGIN...   (PLUGINs are those of the tree, already built)

There are the headers of every recorded minor (v1.N), of today, and of a made-up next minor
(future.patch, and a member more in each structure that may grow). With each of the outer two a
storage is built from the SDK's template, a source from the one that is made for tests, and a host of
few lines (host.c); storage-local is built with the next minor, too. Every plugin has to work in every
host, and the program itself has to make backups and to restore them with each storage and source.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import abi

FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-fPIC", "-fvisibility=hidden",
         "-pthread"]
SOURCE = "tests/harness/source_files*.[ch]"
# What cannot be left out of their settings; nothing is connected to.
SETTINGS = {"s3": ["bucket=backups", "endpoint=http://127.0.0.1:9", "access_key=a", "secret_key=s"],
            "azure": ["container=backups", "account=a", "account_key=c2VjcmV0"],
            "milvus": ["address=127.0.0.1:1", "storage=data"]}
CONFIG = """\
source: {{plugin: {source}, storage: data, databases: true}}
storages:
  data: {{plugin: local, root: {root}/data}}
  backups: {{plugin: {storage}, root: {root}/backups}}
backup: {{storage: backups}}
plugins: {{dirs: ['{root}/plugins', '{dirs[0]}', '{dirs[1]}']}}
state_dir: {root}/state
"""
# What is backed up, with so many files in each.
DIRECTORIES = {"default/books": 20, "default/films": 3, "other/books": 5}


def run(*command, **arguments):
    """A command that has to succeed; what it prints."""
    done = subprocess.run(list(map(str, command)), check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **arguments)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit status {done.returncode}:\n{done.stdout}")
    return done.stdout


def copy_source(tree, folder):
    """The source of a tree that is made for tests, under the same paths below another folder."""
    for path in tree.glob(SOURCE):
        copy = folder / path.relative_to(tree)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def future(folder):
    """A tree of the SDK and the source, as they will be, in a new folder of that one."""
    for part in ("include", "templates"):
        shutil.copytree(abi.TOP / "sdk" / part, folder / "sdk" / part)
    copy_source(abi.TOP, folder)
    run("patch", "--batch", "--fuzz=3", "-p1", "-d", folder, "-i", abi.HERE / "future.patch")
    abi.lengthen(folder / "sdk/include")
    return folder


class Builder:
    def __init__(self, compiler, folder):
        self.compiler, self.folder = compiler, Path(folder)
        self.libraries = {} # the SDK's, by the headers that it was built with

    def library(self, include):
        if include not in self.libraries:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            run(self.compiler, *FLAGS, f"-I{include}", f"-I{abi.TOP}", "-c",
                *sorted((abi.TOP / "sdk/lib").glob("*.c")), cwd=folder)
            run("ar", "rcs", folder / "libsdk.a", *sorted(folder.glob("*.o")))
            self.libraries[include] = folder / "libsdk.a"
        return self.libraries[include]

    def host(self, name, include):
        program = self.folder / f"host-{name}"
        run(self.compiler, *FLAGS, f"-I{include}", f"-I{abi.TOP}", "-o", program,
            *sorted(abi.HERE.glob("host*.c")), self.library(include), "-ldl")
        return program

    def shared(self, plugin, include, sources, *flags):
        """A plugin's file, in a folder that the program trusts."""
        plugin.parent.mkdir(mode=0o755, exist_ok=True)
        run(self.compiler, *FLAGS, "-shared", f"-I{include}", f"-I{abi.TOP}", "-o", plugin, *sources,
            self.library(include), "-Wl,-z,defs", "-Wl,--exclude-libs,ALL", *flags)
        plugin.chmod(0o755)
        return plugin

    def plugin(self, name, include, template):
        """bakplane-storage-NAME.so from the SDK's template."""
        sources = self.folder / f"src-{name}"
        shutil.copytree(template, sources)
        for path in sources.glob("*.[ch]"):
            path.write_text(path.read_text("utf-8").replace("@NAME@", name), encoding="utf-8")
        return self.shared(self.folder / f"plugins/bakplane-storage-{name}.so", include,
                           sorted(sources.glob("*.c")))

    def source(self, name, include, tree):
        """bakplane-source-files-NAME.so: what a tree has for tests, under this name."""
        sources = self.folder / f"src-files-{name}"
        copy_source(tree, sources)
        for path in sources.glob(SOURCE):
            text = path.read_text("utf-8").replace('.name = "files"', f'.name = "files-{name}"')
            path.write_text(text, encoding="utf-8")
        return self.shared(self.folder / f"plugins/bakplane-source-files-{name}.so", include,
                           sorted(sources.rglob("*.c")), "-iquote", sources, *packages("glib-2.0"))

    def both(self, name, include, tree=abi.TOP):
        """A storage and a source that were built with these headers."""
        return (self.plugin(name, include, tree / "sdk/templates/storage"),
                self.source(name, include, tree))

    def local(self, include):
        """storage-local, as it will be: its code of today with the headers of another minor."""
        return self.shared(self.folder / "local/bakplane-storage-local.so", include,
                           sorted((abi.TOP / "plugins/storage-local").glob("*.c")),
                           *packages("glib-2.0", "libxxhash"))


def packages(*names):
    """What a plugin is built with that uses these libraries."""
    return ["-D_GNU_SOURCE=", *run("pkg-config", "--cflags", "--libs", *names).split()]


def try_host(host, plugin, scratch):
    kind, _, name = plugin.stem.removeprefix("bakplane-").partition("-")
    settings = SETTINGS.get(name)
    if settings is None:
        settings = ["storage=data" if kind == "source" else f"root={tempfile.mkdtemp(dir=scratch)}"]
    print(run(host, plugin, kind, *settings), end="")


def files_in(folder):
    """{path below the folder: content}, without the storage's own."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*")
            if path.is_file() and ".bakplane-tmp" not in path.parts}


def make_files(folder):
    for directory, count in DIRECTORIES.items():
        (folder / directory).mkdir(parents=True)
        for number in range(count):
            (folder / directory / str(number)).write_text(f"{number} of {directory}\n" * number * 100)


def try_program(binary, storage, source, folder):
    """A backup and its restore by a program; the minors of both plugins."""
    names = [storage.stem.removeprefix("bakplane-storage-"),
             source.stem.removeprefix("bakplane-source-")]
    scratch = Path(folder, f"program-{names[0]}")
    data, backups = scratch / "data", scratch / "backups"
    make_files(data)
    backups.mkdir()
    (scratch / "plugins").symlink_to(storage.parent)
    config = scratch / "bakplane.yaml"
    config.write_text(CONFIG.format(root=scratch, storage=names[0], source=names[1], dirs=[
        os.environ["BAKPLANE_PLUGIN_DIR"], os.environ["BAKPLANE_TEST_PLUGIN_DIR"]]))
    program = [binary, "--config", config]
    before = files_in(data)
    listed = run(*program, "plugin", "list")
    for words in (["create", "-n", "b"], ["verify", "-n", "b", "--deep"], ["list"],
                  ["restore", "-n", "b"], ["delete", "-n", "b"]):
        run(*program, *words)
    if files_in(data) != before | {f"restored/{path}": text for path, text in before.items()}:
        sys.exit(f"{names}: restored were {sorted(files_in(data).keys() - before.keys())}")
    left = [path for path in backups.rglob("*") if path.is_file()]
    if left:
        sys.exit(f"{names}: these were left: {left}")
    rows = {row[1]: row for row in map(str.split, listed.splitlines()) if len(row) == 7}
    if any(row[4] == "refused" and other != "noentry" for other, row in rows.items()):
        sys.exit(listed)
    return [rows[name][3] for name in names]


def main(compiler, build, *plugins):
    with tempfile.TemporaryDirectory(dir=Path(build, "tests")) as folder:
        builder = Builder(compiler, folder)
        tree = future(Path(folder, "future"))
        include = tree / "sdk/include"
        hosts = [builder.host("future", include)]
        ours = [builder.both("future", include, tree)]
        for minor, older in abi.recorded().items():
            hosts.append(builder.host(f"v1-{minor}", older))
            ours.append(builder.both(f"old-{minor}", older))
        every = [*sum(ours, ()), builder.local(include), *map(Path, plugins)]
        for plugin in every:
            for host in hosts:
                try_host(host, plugin, folder)
        for storage, source in ours:
            minors = try_program(os.environ["BAKPLANE_BIN"], storage, source, folder)
            print(f"the program, {storage.stem} and {source.stem} of {' and '.join(minors)}")
    print(f"{len(every)} plugins in {len(hosts)} hosts and the program")


if __name__ == "__main__":
    main(*sys.argv[1:])
