# SPDX-License-Identifier: Apache-2.0
"""Folders of files: what is in them, and ways to damage them."""

import contextlib
import hashlib
import os
import shutil
import subprocess

import pytest


def tree(folder):
    """{path below the folder: checksum}, hidden files and all."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def copy(folder, to):
    """All of a folder's content, times and modes as well; the other need not exist."""
    shutil.copytree(folder, to, dirs_exist_ok=True)


def largest(folder):
    """The biggest file below a folder."""
    return max((path for path in folder.rglob("*") if path.is_file()),
               key=lambda path: (path.stat().st_size, str(path)))


def flip(path):
    """Another byte in the middle; size and time stay."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x20
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def as_root(*command):
    """True when the command, or the same through sudo, worked."""
    words = list(map(str, command)) if os.geteuid() == 0 else ["sudo", "-n", *map(str, command)]
    return shutil.which(words[0]) is not None and subprocess.run(
        words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of its own at a folder; yields what changes its size."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"mode=0777,size={size}"
    if not as_root("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder):
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        yield lambda bytes_: as_root("mount", "-o", f"remount,size={bytes_}", folder)
    finally:
        as_root("umount", "-l", folder)


def obeys_modes():
    """Words before a program that make even root obey the modes of files."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
