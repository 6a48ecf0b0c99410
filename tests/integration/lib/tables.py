# SPDX-License-Identifier: Apache-2.0
"""Results that are tables: printed when all tests of a run have ended, and kept in the build tree."""

import os
from pathlib import Path

TABLES = []


class Table:
    """One cell per pair of names; what was never filled in stays "-"."""

    def __init__(self, title, corner, rows, columns):
        self.title, self.corner = title, corner
        self.rows, self.columns = list(rows), list(columns)
        self.cells = {}
        TABLES.append(self)

    def put(self, row, column, text):
        assert row in self.rows and column in self.columns, (row, column)
        self.cells[row, column] = text

    def lines(self):
        body = [[row, *(self.cells.get((row, column), "-") for column in self.columns)]
                for row in self.rows]
        table = [[self.corner, *self.columns], *body]
        widths = [max(map(len, column)) for column in zip(*table)]
        return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip()
                for line in table]

    def text(self):
        return "\n".join([self.title, "", *self.lines(), ""])


def finish(write_line):
    """Print those that hold something; ./dev test shows the kept ones at its end."""
    filled = [table for table in TABLES if table.cells]
    for table in filled:
        write_line("")
        for line in table.text().splitlines():
            write_line(line)
    build = os.environ.get("BAKPLANE_BUILD_DIR")
    for table in filled if build else []:
        folder = Path(build) / "tests" / "tables"
        folder.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in table.title.partition(":")[0].lower())
        (folder / f"{name}.txt").write_text(table.text(), encoding="utf-8")
