# SPDX-License-Identifier: Apache-2.0
"""The Debian packages, in a clean Debian: installed, extended by a plugin, removed.

The tutorial is followed in there to the letter, with a Milvus outside.
"""

import subprocess
from pathlib import Path

import pytest

from docs.tutorial_reader import Reader
from integration.lib import data, milvus
from integration.lib.cli import program
from services import DebianRoot, MilvusServer

PLUGINS = "/usr/lib/bakplane/plugins"


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """With the packages installed as the tutorial says."""
    with DebianRoot() as root:
        build = program().resolve().parent.parent
        made = tmp_path_factory.mktemp("packages")
        done = subprocess.run(["cpack", "-G", "DEB", "-B", made], cwd=build, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        for package in made.glob("*.deb"):
            (root.path("/root") / package.name).write_bytes(package.read_bytes())
        reader(root).follow(only="Install")
        yield root


def reader(root, said=None, **arguments):
    """said: a list for what the commands printed."""
    def run(script, folder):
        printed, ended = root.run(script, folder)
        (said if said is not None else []).append(printed)
        return ended

    return Reader(run, root.path, "/root", **arguments)


def test_installed(debian):
    listed = debian.run("bakplane plugin list")[0]
    for plugin in ("local", "s3", "azure", "milvus"):
        assert f" {plugin} " in listed
    assert "refused" not in listed
    assert debian.run("dpkg --verify bakplane bakplane-dev")[0] == ""
    assert debian.run("bakplane-server --version")[0].startswith("bakplane-server 0")
    assert "bakplane-server" in debian.run("man -w bakplane-server")[0]
    assert "bakplane-storage-local" in debian.run("man -w bakplane-storage-local")[0]
    for package in ("bakplane", "bakplane-dev"):
        assert debian.path(f"/usr/share/doc/{package}/copyright").is_file()
        state = debian.run(f"dpkg -s {package}")[0]
        assert "Maintainer: The bakplane developers <" in state and "\nDepends: " in state


def test_new_plugin_with_cmake(debian):
    """The other road than the tutorial's."""
    printed = debian.run("""
        bakplane plugin new storage other
        cmake -S bakplane-storage-other -B build -DCMAKE_INSTALL_PREFIX=/usr
        cmake --build build
        cd build
        ctest
        cmake --install .
        bakplane plugin info other""", "/root")[0]
    assert "100% tests passed" in printed and "storage plugin other 0.1.0" in printed
    assert debian.path(f"{PLUGINS}/bakplane-storage-other.so").is_file()


def test_tutorial(debian):
    debian.path("/mnt/backups").mkdir()
    with MilvusServer(data=debian.path("/var/lib/milvus")) as server:
        data.simple(server, "simple", count=60, load=True).delete("id in [1, 2, 3]")
        expected = milvus.rows(server, "simple")
        # The server sees its data by another path than the program in there.
        places = {"localhost:19530": server.address,
                  "root: /var/lib/milvus/data": "root: /var/lib/milvus/data, "
                                                f"server_root: {server.root_path}"}
        said = []
        page = reader(debian, said, replace=places)
        done = page.follow(skip=("Install",))
        assert min(done.values()) >= 1 and done["sh"] >= 5
        # The conformance suite, before and after the plugin was changed.
        assert "".join(said).count("# 0 of ") == 2 and "not ok" not in "".join(said)
        assert milvus.rows(server, "simple_restored") == expected
        kept = debian.path("/mnt/backups/first")
        assert (kept / "meta/full_meta.json").is_file() and (kept / "bakplane").is_dir()

        # What the page ended with, a barrier and the free space, in use.
        printed = debian.run("bakplane create -n second\nbakplane verify -n second --deep",
                             page.folder)[0]
        assert "backup second: success" in printed
    assert list(debian.path("/mnt/backups/.share-tmp").iterdir()) == []


def test_purge(debian):
    """Last: what was installed goes, and what was not stays."""
    own = debian.path(f"{PLUGINS}/bakplane-storage-own.so")
    own.write_bytes(b"")
    debian.run("apt-get purge -q -y bakplane-dev bakplane")
    assert own.is_file()
    left = [path for path in Path(own.parent).iterdir() if "local" in path.name]
    assert left == [] and not debian.path("/usr/bin/bakplane").exists()
    assert not debian.path("/usr/include/bakplane").exists()
