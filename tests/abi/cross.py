#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Old plugins in new hosts, new plugins in old hosts.

Usage: cross.py CC BUILD PLUGIN...   (PLUGINs are those of the tree, already built)

There are the headers of every recorded minor (v1.N), of today, and of a made-up next minor
(future.patch, in which something is appended wherever it may be). With each of the outer two a
plugin is built from the SDK's template, and a host of few lines (host.c); storage-local is built with
the next minor, too. Every plugin has to work in every host, and the program itself has to make backups
with both plugins.
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
# What cannot be left out of their settings; nothing is connected to.
SETTINGS = {"s3": ["bucket=backups", "endpoint=http://127.0.0.1:9", "access_key=a", "secret_key=s"],
            "azure": ["container=backups", "account=a", "account_key=c2VjcmV0"],
            "milvus": ["address=127.0.0.1:1", "storage=data"]}
CONFIG = """\
source: {{plugin: files, storage: data, databases: true}}
storages:
  data: {{plugin: local, root: {0}/data}}
  backups: {{plugin: {1}, root: {0}/backups}}
backup: {{storage: backups}}
plugins: {{dirs: ['{0}/plugins', '{2}', '{3}']}}
state_dir: {0}/state
"""


def run(*command, **arguments):
    """A command that has to succeed; what it prints."""
    done = subprocess.run(list(map(str, command)), check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **arguments)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit status {done.returncode}:\n{done.stdout}")
    return done.stdout


def future(folder):
    """A copy of the SDK with the patch, in a new folder of that one."""
    for part in ("include", "templates"):
        shutil.copytree(abi.TOP / "sdk" / part, folder / "sdk" / part)
    run("patch", "--batch", "--fuzz=3", "-p1", "-d", folder, "-i", abi.HERE / "future.patch")
    return folder / "sdk"


class Builder:
    def __init__(self, compiler, folder):
        self.compiler, self.folder = compiler, Path(folder)
        self.helpers = sorted((abi.TOP / "sdk/lib").glob("*.c"))

    def host(self, name, include):
        program = self.folder / f"host-{name}"
        run(self.compiler, *FLAGS, f"-I{include}", f"-I{abi.TOP}", "-o", program,
            abi.HERE / "host.c", *self.helpers, "-ldl")
        return program

    def plugin(self, name, include, template):
        """bakplane-storage-NAME.so in a folder that the program trusts."""
        sources = self.folder / f"src-{name}"
        shutil.copytree(template, sources)
        for path in sources.glob("*.[ch]"):
            path.write_text(path.read_text("utf-8").replace("@NAME@", name), encoding="utf-8")
        plugin = self.folder / "plugins" / f"bakplane-storage-{name}.so"
        plugin.parent.mkdir(mode=0o755, exist_ok=True)
        run(self.compiler, *FLAGS, "-shared", f"-I{include}", f"-I{abi.TOP}", "-Wl,-z,defs",
            "-Wl,--exclude-libs,ALL", "-o", plugin, *sources.glob("*.c"), *self.helpers)
        plugin.chmod(0o755)
        return plugin

    def local(self, include):
        """storage-local, as it will be: its code of today with the headers of another minor."""
        plugin = self.folder / "local" / "bakplane-storage-local.so"
        plugin.parent.mkdir()
        libraries = run("pkg-config", "--cflags", "--libs", "glib-2.0", "libxxhash").split()
        run(self.compiler, *FLAGS, "-D_GNU_SOURCE=", "-shared", f"-I{include}", f"-I{abi.TOP}",
            "-o", plugin, *sorted((abi.TOP / "plugins/storage-local").glob("*.c")), *self.helpers,
            "-Wl,--exclude-libs,ALL", *libraries)
        return plugin


def try_host(host, plugin, scratch):
    kind, _, name = plugin.stem.removeprefix("bakplane-").partition("-")
    settings = SETTINGS.get(name)
    if settings is None:
        root = Path(tempfile.mkdtemp(dir=scratch))
        settings = [f"root={root}"]
    print(run(host, plugin, kind, *settings), end="")


def try_program(binary, plugin, folder):
    """A backup by a program, from a source that is made for tests; the plugin's minor."""
    name = plugin.stem.removeprefix("bakplane-storage-")
    scratch = Path(folder, f"program-{name}")
    (scratch / "data/default/books").mkdir(parents=True)
    (scratch / "backups").mkdir()
    for number in range(20):
        (scratch / f"data/default/books/{number}").write_text("x" * number * 1000)
    (scratch / "plugins").symlink_to(plugin.parent)
    config = scratch / "bakplane.yaml"
    config.write_text(CONFIG.format(scratch, name, os.environ["BAKPLANE_PLUGIN_DIR"],
                                    os.environ["BAKPLANE_TEST_PLUGIN_DIR"]))
    program = [binary, "--config", config]
    listed = run(*program, "plugin", "list")
    for words in (["create", "-n", "b"], ["verify", "-n", "b", "--deep"], ["list"],
                  ["delete", "-n", "b"]):
        run(*program, *words)
    left = [path for path in (scratch / "backups").rglob("*") if path.is_file()]
    if left:
        sys.exit(f"{name}: these were left: {left}")
    rows = {row[1]: row for row in map(str.split, listed.splitlines()) if len(row) == 7}
    if any(row[4] == "refused" and other != "noentry" for other, row in rows.items()):
        sys.exit(listed)
    return rows[name][3]


def main(compiler, build, *plugins):
    with tempfile.TemporaryDirectory(dir=Path(build, "tests")) as folder:
        builder = Builder(compiler, folder)
        sdk = future(Path(folder, "future"))
        template = abi.TOP / "sdk/templates/storage"
        hosts = [builder.host("future", sdk / "include")]
        ours = [builder.plugin("future", sdk / "include", sdk / "templates/storage")]
        for minor, include in abi.recorded().items():
            hosts.append(builder.host(f"v1-{minor}", include))
            ours.append(builder.plugin(f"old-{minor}", include, template))
        for plugin in ours + [builder.local(sdk / "include"), *map(Path, plugins)]:
            for host in hosts:
                try_host(host, plugin, folder)
        for plugin in ours:
            abi_of = try_program(os.environ["BAKPLANE_BIN"], plugin, folder)
            print(f"the program, storage {plugin.stem} of {abi_of}")
    print(f"{len(ours) + 1 + len(plugins)} plugins in {len(hosts)} hosts and the program")


if __name__ == "__main__":
    main(*sys.argv[1:])
