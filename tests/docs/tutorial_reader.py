# SPDX-License-Identifier: Apache-2.0
"""docs/plugin-tutorial.md, done as it says: every block is run, applied or looked for.

    ```sh           commands, one after the other; `cd` stays
    ```c FILE       a piece of FILE, word for word
    ```diff FILE    changes: pieces between @@ lines, each of which fits in one place
    ```yaml FILE    FILE as a whole

The caller says how commands are run and where their working directory is seen.
"""

import os
import re
from pathlib import Path

HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def tutorial():
    top = os.environ.get("BAKPLANE_SOURCE_DIR") or Path(__file__).resolve().parents[2]
    return Path(top, "docs/plugin-tutorial.md")


def sections(text):
    """(heading, [(language, file or None, block), …]) in order."""
    parts = HEADING.split(text)[1:]
    for heading, body in zip(parts[::2], parts[1::2]):
        yield heading, [match.groups() for match in BLOCK.finditer(body)]


def change(text, diff, name):
    """Apply pieces of a diff, without line numbers: each has to fit exactly once."""
    for piece in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = piece.splitlines()
        old = "".join(line[1:] + "\n" for line in lines if line[:1] != "+")
        new = "".join(line[1:] + "\n" for line in lines if line[:1] != "-")
        if text.count(old) != 1:
            raise AssertionError(f"{name}: this fits in {text.count(old)} places:\n{old}")
        text = text.replace(old, new)
    return text


class Reader:
    """Somebody who does what the page says.

    run(script, folder) runs commands in a folder, and answers the folder where they ended;
    seen(folder) is that folder as a path of ours. replace: {old: new} in files of configuration.
    """

    def __init__(self, run, seen, folder, replace=None):
        self.run, self.seen, self.folder = run, seen, folder
        self.replace = replace or {}
        self.done = dict.fromkeys(("sh", "c", "diff", "yaml"), 0)

    def follow(self, only=None, skip=()):
        """All sections, or only one, or all but some; how many blocks of a kind were done."""
        found = dict(sections(tutorial().read_text(encoding="utf-8")))
        for heading in [only] if only else [name for name in found if name not in skip]:
            for language, name, block in found[heading]:
                self.take(language, name, block)
        missing = set(skip) - set(found)
        assert not missing, f"no such section: {missing}"
        return self.done

    def take(self, language, name, block):
        if language == "sh":
            self.folder = self.run(block, self.folder)
        elif language in ("c", "diff", "yaml"):
            path = Path(self.seen(self.folder), name)
            if language == "c":
                text = path.read_text(encoding="utf-8")
                assert block in text, f"this is not in {name}:\n{block}"
            elif language == "diff":
                text = path.read_text(encoding="utf-8")
                path.write_text(change(text, block, name), encoding="utf-8")
            else:
                for old, new in self.replace.items():
                    assert old in block, f"{name} does not say {old}"
                    block = block.replace(old, new)
                path.write_text(block, encoding="utf-8")
        else:
            return
        self.done[language] += 1
