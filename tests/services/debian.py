# SPDX-License-Identifier: Apache-2.0
"""A clean Debian 12 in a folder: what users have who install packages.

It shares the network with this machine, so that servers are reached over loopback.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import cache

SUITE, VERSION = "bookworm", "12"
# Beyond the smallest Debian, what a developer brings along; fetched once instead of at every run.
TOOLS = ("gcc", "libc6-dev", "make", "cmake", "pkg-config", "man-db")
SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")
# How this machine reaches its mirror.
APT_OPTIONS = re.compile(r'^Acquire::(?:https?::Proxy|Check-\w+|Retries)\b.* "[^"]+";$', re.MULTILINE)


def _sources():
    """Where this machine's apt looks, or nothing: mmdebstrap knows Debian's own mirror."""
    for path in map(Path, SOURCES):
        if path.is_file() and re.search(r"^(deb|URIs:) ", path.read_text("utf-8"), re.MULTILINE):
            return [str(path)]
    return []


def _apt_options():
    dump = subprocess.run(["apt-config", "dump"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return [f"--aptopt={line}" for line in APT_OPTIONS.findall(dump)]


def _check_machine():
    if os.geteuid() != 0:
        raise cache.Missing("a Debian in a folder needs root")
    release = Path("/etc/os-release").read_text("utf-8")
    if f'VERSION_ID="{VERSION}"' not in release or "ID=debian" not in release:
        raise cache.Missing(f"what is built here is no program for Debian {VERSION}")


def image():
    """The packed root, made by mmdebstrap."""
    _check_machine()
    sources = _sources()

    def make(folder):
        mmdebstrap = cache.tool("mmdebstrap", "a Debian in a folder")
        cache.fetch([mmdebstrap, "--variant=minbase", f"--include={','.join(TOOLS)}",
                     *_apt_options(), SUITE, folder / "root.tar", *sources])

    texts = [Path(path).read_text("utf-8") for path in sources]
    wanted = "\n".join([SUITE, *TOOLS, *texts])
    return cache.once(cache.root() / f"debian-{SUITE}", wanted, make) / "root.tar"


class DebianRoot:
    """`with DebianRoot() as debian: debian.run("…", "/root")`."""

    def __init__(self):
        self._image = image()
        self.folder = Path(tempfile.mkdtemp(prefix="bakplane-debian-"))

    def __enter__(self):
        try:
            subprocess.run(["tar", "-xf", self._image, "-C", self.folder], check=True)
            for name in ("resolv.conf", "hosts"):
                shutil.copy(f"/etc/{name}", self.path(f"/etc/{name}"))
            self.run("apt-get update -q", "/")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def path(self, inside):
        """Of this machine, for a path in there."""
        return self.folder / str(inside).lstrip("/")

    def run(self, script, folder="/root", check=True):
        """Run a script as root; (what it printed, the folder where it ended)."""
        enter = 'mount -t proc proc "$1/proc" && exec chroot "$1" sh -ec "$2"'
        whole = f"cd {folder}\n{script}\npwd >/run/folder"
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                       "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        # The mount goes with the namespace.
        done = subprocess.run(["unshare", "--mount", "sh", "-c", enter, "sh", self.folder, whole],
                              check=False, env=environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode != 0:
            raise RuntimeError(f"{script}\nexit status {done.returncode}:\n{done.stdout[-8000:]}")
        return done.stdout, self.path("/run/folder").read_text("utf-8").strip()
