# SPDX-License-Identifier: Apache-2.0
"""rclone as the other side: it copies from any store to any other, and within one on the server."""

import shutil
import subprocess

import pairs
from services.process import clean_environment

# The defaults, and as many at once as we have; the better one counts.
FLAGS = [[], ["--transfers", "16", "--checkers", "16"]]


class Rclone:
    """One configuration of it, for some places."""

    def __init__(self, folder, places):
        self.config = folder / "rclone.conf"
        lines = []
        for remote in filter(None, (place.remote() for place in places)):
            name, settings = remote
            lines += [f"[{name}]"] + [f"{key} = {value}" for key, value in settings.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.config.chmod(0o600)

    def sides(self, source, target, prefix, clean, clean_late=False):
        """A side for each of FLAGS. source: as rclone calls it; target: a place, where each round
        goes below a folder `prefix`-NUMBER of its own; clean(folder) removes that."""
        return [self._side(flags, source, target, f"{prefix}-{number}", clean, clean_late)
                for number, flags in enumerate(FLAGS)]

    def _side(self, flags, source, target, prefix, clean, clean_late):
        def prepare(number):
            return [["rclone", "--config", self.config, "copy", *flags, source,
                     target.rclone(f"{prefix}-{number}")]]

        return pairs.Side(" ".join([f"rclone {version()} copy", *flags]), prepare,
                          lambda number: clean(f"{prefix}-{number}"), clean_late)


def version():
    said = subprocess.run(["rclone", "version"], env=clean_environment(), check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return said.split()[1].lstrip("v").removesuffix("-DEV")


def missing():
    """Why there is no rclone, or None."""
    return None if shutil.which("rclone") else "rclone is not on PATH"
