#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""units.py BUILD: what systemd says of our units.

They are looked at as they are installed, but with the programs of the build tree.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PROGRAM = re.compile(r"^(ExecStart=)(bakplane\S*)", re.MULTILINE)
# Tenths of systemd's measure of what a service could do beyond its work: 0 nothing, 100 all.
MOST_EXPOSED = 25


def run(*words):
    done = subprocess.run(words, check=False, encoding="utf-8", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def put_units(build, folder):
    """Instances have names, so that %i means something."""
    units = [*build.glob("systemd/*.service"), *TOP.glob("packaging/systemd/*.timer")]
    assert len(units) == 3, units
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        assert "@BP" not in text and "@CMAKE" not in text, unit
        programs = PROGRAM.findall(text)
        for _, program in programs:
            assert (build / "bin" / program).is_file(), f"{unit.name} starts {program}"
        assert programs or unit.suffix == ".timer", unit
        put = folder / unit.name.replace("@.", "@nightly.")
        put.write_text(PROGRAM.sub(rf"\1{build}/bin/\2", text), encoding="utf-8")
    return sorted(folder.iterdir())


def check(build, folder):
    units = put_units(build, folder)
    code, said = run("systemd-analyze", "verify", "--man=no", *units)
    # Units of the machine itself are loaded, too; only what is said of ours counts.
    ours = [line for line in said.splitlines() if "bakplane" in line]
    assert code == 0 and not ours, said
    for unit in units:
        if unit.suffix == ".service":
            code, said = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                             f"--threshold={MOST_EXPOSED}", unit)
            assert code == 0, said
    broken = folder / "bakplane-broken.service"
    broken.write_text("[Service]\nExecStart=/nothing/there\n", encoding="utf-8")
    code, said = run("systemd-analyze", "verify", "--man=no", broken)
    assert code != 0 and "/nothing/there" in said, "systemd-analyze takes everything"


def main():
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI") == "true":
            sys.exit("systemd-analyze is missing: Debian's package systemd")
        print("skipped: there is no systemd-analyze")
        return
    with tempfile.TemporaryDirectory() as folder:
        check(Path(sys.argv[1]), Path(folder))


if __name__ == "__main__":
    main()
