# SPDX-License-Identifier: Apache-2.0
"""Running bakplane-plugin-test, and reading its TAP."""

import json
import os
import re
import subprocess
from pathlib import Path

PROGRAM = Path(os.environ["BAKPLANE_BIN"]).with_name("bakplane-plugin-test")
PLUGINS = PROGRAM.parent.parent / "lib" / "bakplane" / "plugins"

EXIT_PASSED, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
RESULT = re.compile(r"(not ok|ok) (\d+) - (\S+)(?: # SKIP (.*))?$")


class Result:
    """What a run printed: names of checks in passed, skipped (with why) and failed (with why)."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.passed, self.skipped, self.failed = set(), {}, {}
        self.planned = None
        name = None
        for line in self.out.splitlines():
            plan = re.fullmatch(r"1\.\.(\d+)", line)
            found = RESULT.fullmatch(line)
            if plan:
                self.planned = int(plan[1])
            elif found and found[1] == "not ok":
                name = found[3]
                self.failed[name] = ""
            elif found and found[4] is not None:
                self.skipped[found[3]] = found[4]
            elif found:
                self.passed.add(found[3])
            elif line.startswith("  found: ") and name:
                self.failed[name] = json.loads(line.partition(": ")[2])

    @property
    def names(self):
        return self.passed | set(self.skipped) | set(self.failed)

    def __str__(self):
        return f"exit code {self.code}\n{self.out}\n{self.err}"


def run(plugin, config, *options, folder, timeout=600, **variables):
    """Run the kit on a plugin with a config, given as an object (JSON is YAML)."""
    path = Path(folder) / "kit.yaml"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    done = subprocess.run([PROGRAM, plugin, "--config", path, *options], check=False, text=True,
                          timeout=timeout, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return Result(done)


def list_checks(kind):
    """What --list prints: a check in each line."""
    return subprocess.run([PROGRAM, "--list", "--kind", kind], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
