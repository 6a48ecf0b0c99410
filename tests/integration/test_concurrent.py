# SPDX-License-Identifier: Apache-2.0
"""A backup while clients write: it holds each row acknowledged before create began, none twice,
none that the source never had."""

import threading

import pytest

from integration.lib import data, milvus

BATCH = 50


class Writer(threading.Thread):
    """Inserts rows with ever new keys until told to stop; `acknowledged` only grows."""

    def __init__(self, server, path, first):
        super().__init__()
        self.one, self.first = milvus.collection(server, path), first
        self.partitions = [partition.name for partition in self.one.partitions]
        self.sent = self.acknowledged = 0
        self.stopped = threading.Event()
        self.problem = None

    def run(self):
        try:
            while not self.stopped.is_set():
                start = self.first + self.sent
                self.sent += BATCH
                partition = self.partitions[self.sent // BATCH % len(self.partitions)]
                self.one.insert(data.simple_rows(range(start, start + BATCH)),
                                partition_name=partition)
                self.acknowledged += BATCH
                self.stopped.wait(0.02)
        except Exception as error:  # pylint: disable=broad-except
            self.problem = error

    def keys(self, count):
        return set(range(self.first, self.first + count))


@pytest.fixture
def writers(source):
    data.simple(source, "plain", count=100)
    data.simple(source, "parts", count=100).create_partition("p1")
    all_writers = [Writer(source, "default.plain", 1000), Writer(source, "default.parts", 1000),
                   Writer(source, "default.parts", 10_000_000)]
    for writer in all_writers:
        writer.start()
    yield all_writers
    for writer in all_writers:
        writer.stopped.set()
        writer.join()
        assert writer.problem is None, writer.problem


def acknowledged(writers):
    return [writer.acknowledged for writer in writers]


def wait_for_more(writers, batches):
    """Until each of them has got so many more batches through."""
    begin = acknowledged(writers)
    while any(now < before + batches * BATCH for now, before in zip(acknowledged(writers), begin)):
        assert all(writer.is_alive() for writer in writers)
        writers[0].stopped.wait(0.05)


def test_rows_of_concurrent_inserts(source, target, bakplane, writers):
    program, other = bakplane(source), bakplane(target)
    backups = {}
    for name in ("first", "second"):
        wait_for_more(writers, 10)
        before = acknowledged(writers)
        program.create(name)
        backups[name] = before, [writer.sent for writer in writers]
    for writer in writers:
        writer.stopped.set()
        writer.join()
    for name, (before, sent) in backups.items():
        program.verify(name, "--deep")
        milvus.wipe(target)
        other.restore(name)
        for path in ("default.plain", "default.parts"):
            rows = milvus.rows(target, path)  # fails on a key that is there twice
            least, most = set(range(100)), set(range(100))
            for writer, low, high in zip(writers, before, sent):
                if writer.one.name == path.partition(".")[2]:
                    least |= writer.keys(low)
                    most |= writer.keys(high)
            assert least <= set(rows), f"{len(least - set(rows))} acknowledged rows are missing"
            assert set(rows) <= most, f"{len(set(rows) - most)} rows that nobody wrote before"
            wrong = [key for key, row in rows.items() if row["text"] != f"row {key}.0"]
            assert wrong == []


def test_rows_that_go_meanwhile(source, target, bakplane):
    """Deletes while it copies: what was deleted before is gone, what stays is there."""
    one = data.simple(source, "plain", count=2000)
    one.delete(f"id in {list(range(100))}")
    stopped = threading.Event()

    def delete():
        for start in range(1000, 2000, 20):
            if stopped.wait(0.02):
                return
            one.delete(f"id in {list(range(start, start + 20))}")

    deleter = threading.Thread(target=delete)
    deleter.start()
    try:
        bakplane(source).create("b")
    finally:
        stopped.set()
        deleter.join()
    bakplane(target).restore("b")
    rows = milvus.rows(target, "default.plain")
    assert set(range(100, 1000)) <= set(rows) <= set(range(100, 2000))
