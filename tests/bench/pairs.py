# SPDX-License-Identifier: Apache-2.0
"""Timing commands in turn, A B A B, so that all sides see the same weather."""

import os
import select
import statistics
import time

from services.process import clean_environment

SAMPLE_MS = 20


class Failed(Exception):
    """A command of the bench did not succeed."""


def peak_memory(pid):
    """The largest resident set so far (bytes); 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def run(command):
    """Run one command.  Returns its peak memory (bytes), looked at every SAMPLE_MS: what wait4
    tells would include this interpreter's own, from between fork and exec."""
    command = [str(word) for word in command]
    pid = os.posix_spawnp(command[0], command, clean_environment(),
                          file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    peak = 0
    handle = os.pidfd_open(pid)
    try:
        end = select.poll()
        end.register(handle, select.POLLIN)
        while not end.poll(SAMPLE_MS):
            peak = max(peak, peak_memory(pid))
    finally:
        os.close(handle)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code != 0:
        raise Failed(f"{' '.join(command)}: exit status {code}")
    return peak


class Side:
    """One side of a comparison: `prepare(round)` gives the commands that are timed, one after the
    other; `clean(round)` removes what they made: at once, or when all is over if that would disturb
    the next round (ext4 searches long for inodes that were not freed a moment ago)."""

    def __init__(self, name, prepare, clean, clean_late=False):
        self.name, self.prepare, self.clean, self.clean_late = name, prepare, clean, clean_late
        self.seconds, self.peak, self.rounds = [], 0, 0

    def once(self):
        number, self.rounds = self.rounds, self.rounds + 1
        prepared = self.prepare(number)
        os.sync()  # what came before is not this side's to write
        self.await_start(number)
        start = time.monotonic()
        self.peak = max(self.peak, self.act(number, prepared))
        seconds = time.monotonic() - start
        if not self.clean_late:
            self.clean(number)
        return seconds

    def await_start(self, _):
        """For sides that may not start at any time."""

    def act(self, _, commands):
        """What is timed; returns the peak memory."""
        return max(map(run, commands))

    def finish(self):
        for number in range(self.rounds if self.clean_late else 0):
            self.clean(number)

    @property
    def median(self):
        return statistics.median(self.seconds)


class Timed(Side):
    """A side that is a function of the round instead of commands: `call` returns a peak, or None
    where there is no process to look at."""

    def __init__(self, name, prepare, call, clean):
        super().__init__(name, prepare, clean)
        self.call = call

    def act(self, number, _):
        return self.call(number) or 0


def race(sides, rounds):
    """Time all sides `rounds` times in turn, after one round that does not count."""
    for side in sides:
        side.once()
    for _ in range(rounds):
        for side in reversed(sides):
            side.seconds.append(side.once())
    for side in sides:
        side.finish()


def ratio(ours, theirs):
    """The median of the rounds' ratios, of a race that both were in."""
    return statistics.median(a / b for a, b in zip(ours.seconds, theirs.seconds))
