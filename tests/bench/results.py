# SPDX-License-Identifier: Apache-2.0
"""Races, and the rows of the table that they yield.

A row has ours, perhaps theirs and the ratio of both; target is the aim of the ratio, limit that of
ours alone, in its unit.
"""

import datasets
import pairs


class Rivals:
    """What we are compared with: one side, or the same program with other flags, of which the
    fastest counts.

    target: aim of the ratio of times. memory: aim of that of the peaks.
    """

    def __init__(self, sides, target, memory=None):
        self.sides, self.target, self.memory = sides, target, memory

    def best(self):
        return min(self.sides, key=lambda side: side.median)

    def times(self, name, ours):
        for side in self.sides:
            row = {"case": name, "ours": ours.median, "theirs": side.median, "against": side.name,
                   "ratio": pairs.ratio(ours, side), "unit": "s"}
            if side is self.best():
                row["target"] = self.target
            yield row

    def peaks(self, row):
        """Ours, with the peak of the best side beside it."""
        side = self.best()
        row = {**row, "theirs": side.peak / datasets.MB, "against": side.name}
        row["ratio"] = row["ours"] / row["theirs"]
        if self.memory is not None:
            row["target"] = self.memory
        return row


def contest(bench, name, ours, rivals, memory_mb=None):
    """Race, and the rows: times, then memory, where there is a limit to it."""
    theirs = [side for group in rivals for side in group.sides]
    bench.say(f"{name}: {ours.name} beside {', '.join(side.name for side in theirs)}")
    pairs.race([ours, *theirs], bench.rounds)
    for group in rivals:
        yield from group.times(name, ours)
    if memory_mb is not None:
        row = peak(name, ours, memory_mb)
        programs = [group for group in rivals if group.best().peak > 0]
        yield from [group.peaks(row) for group in programs] or [row]


def peak(name, ours, limit):
    return {"case": f"{name}: peak memory", "ours": ours.peak / datasets.MB, "limit": limit,
            "unit": "MB"}


def alone(name, ours, memory_mb, theirs=None):
    """One run, for the memory, and its rows; the other side's beside them where there is one."""
    row = {"case": f"{name}: time", "ours": ours.once(), "unit": "s"}
    memory = peak(name, ours, memory_mb)
    if theirs is not None:
        row.update(theirs=theirs.once(), against=theirs.name)
        memory.update(theirs=theirs.peak / datasets.MB, against=theirs.name)
        theirs.finish()
    ours.finish()
    yield row
    yield memory
