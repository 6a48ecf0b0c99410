# SPDX-License-Identifier: Apache-2.0
"""Directories full of files for the bench: same names, sizes and bytes in every run."""

import random
from pathlib import Path

KB, MB = 1000, 1000 * 1000


class DataSet:
    """Units (directories) of files; sizes[i % len(sizes)] is the size of the i-th file."""

    def __init__(self, name, files, sizes, units=4):
        self.name, self.files, self.sizes, self.units = name, files, sizes, units

    @property
    def size(self):
        return sum(self.sizes[i % len(self.sizes)] for i in range(self.files))

    def write(self, root):
        """Make the files below `root` unless a former run did, completely."""
        root = Path(root)
        done = root.with_name(root.name + ".done")
        stamp = f"{self.files} {self.sizes} {self.units}\n"
        if done.exists() and done.read_text(encoding="ascii") == stamp:
            return root
        noise = random.Random(4711)
        block = noise.randbytes(max(self.sizes) + self.files)
        for i in range(self.files):
            folder = root / f"unit{i % self.units}" / f"segment{i // 200}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{i:07}").write_bytes(block[i:i + self.sizes[i % len(self.sizes)]])
        done.write_text(stamp, encoding="ascii")
        return root


# Nine small logs for each large one, as a vector database writes them: 675 MB in all.
LARGE = DataSet("600 objects, 675 MB", 600, [250 * KB] * 9 + [9 * MB])
MANY = DataSet("10 000 objects of 10 KB", 10_000, [10 * KB])
CROWD = DataSet("100 000 objects of 1 KB", 100_000, [1 * KB])
