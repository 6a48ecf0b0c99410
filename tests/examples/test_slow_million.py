# SPDX-License-Identifier: Apache-2.0
"""A million files through source-directory, in bounded memory."""

import os
import shutil

from examples.trees import peak_kib

FLAT, FOLDERS, EACH = 200_000, 800, 1000


def make(folder, n):
    os.makedirs(folder)
    for i in range(n):
        os.close(os.open(f"{folder}/{i}", os.O_CREAT | os.O_WRONLY))


def count(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


def test_a_million_files(trees, tree):
    try:
        there_and_back(trees, tree)
    finally:  # pytest would keep them for a while
        for folder in (tree.root, trees.out, trees.backups):
            shutil.rmtree(folder, ignore_errors=True)


def there_and_back(trees, tree):
    make(f"{tree.root}/flat", FLAT)
    for i in range(FOLDERS):
        make(f"{tree.root}/{i}", EACH)
    peaks = {verb: peak_kib(trees, *words, "-n", "b") for verb, words in (
        ("create", ["create"]), ("verify", ["verify"]),
        ("restore", ["restore", "--into", trees.out]))}
    assert count(trees.out / "www") == FLAT + FOLDERS * EACH
    # verify keeps 24 bytes of each object, and what is left over is the program itself.
    assert all(peak < 160 * 1024 for peak in peaks.values()), peaks
