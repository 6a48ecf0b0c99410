# SPDX-License-Identifier: Apache-2.0
"""Timing commands in pairs, A B A B, so that both sides see the same weather."""

import os
import statistics
import time


class Failed(Exception):
    """A command of the bench did not succeed."""


def run(command):
    """Run one command.  Returns its peak memory (bytes)."""
    pid = os.posix_spawnp(command[0], command, os.environ,
                          file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit status {code}")
    return usage.ru_maxrss * 1024


class Side:
    """One side of a comparison: `prepare(round)` gives the commands that are timed, one after the
    other; `clean(round)` removes what they made."""

    def __init__(self, name, prepare, clean):
        self.name, self.prepare, self.clean = name, prepare, clean
        self.seconds, self.peak = [], 0

    def once(self, number):
        commands = self.prepare(number)
        os.sync()  # what came before is not this side's to write
        start = time.monotonic()
        for command in commands:
            self.peak = max(self.peak, run(command))
        seconds = time.monotonic() - start
        self.clean(number)
        os.sync()
        return seconds

    @property
    def median(self):
        return statistics.median(self.seconds)


def compare(ours, theirs, rounds):
    """Time both sides `rounds` times in turn, after one round that does not count."""
    for side in (ours, theirs):
        side.once(0)
    for number in range(1, rounds + 1):
        for side in (theirs, ours):
            side.seconds.append(side.once(number))
    return statistics.median(a / b for a, b in zip(ours.seconds, theirs.seconds))
