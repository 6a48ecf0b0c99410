#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readme.py BAKPLANE FOLDER NAME: the README of an example says what its plugin takes.

Its YAML is a configuration that the installed program accepts, and it names every setting and option
that the plugin declares.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
REST = {"source": "{plugin: directory, trees: [a=/a]}", "backup": "{storage: backups}"}


def bakplane(program, *words):
    keep = {key: value for key, value in os.environ.items() if not key.startswith("BAKPLANE_")}
    run = subprocess.run([program, *words], check=False, capture_output=True, encoding="utf-8",
                         env={**keep, "HOME": "/nonexistent"})
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {run.stderr}")
    return run.stdout


def check_yaml(program, block):
    """With a secret where it says that there is one, and what it leaves out."""
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder, "secret")
        secret.write_text("x\n", encoding="utf-8")
        secret.chmod(0o600)
        text = re.sub(r"/etc/bakplane/[\w.-]+", str(secret), block)
        text += "".join(f"{key}: {value}\n" for key, value in REST.items() if f"{key}:" not in text)
        file = Path(folder, "bakplane.yaml")
        file.write_text(text, encoding="utf-8")
        bakplane(program, "--config", file, "config", "show")


def main(program, folder, name):
    text = Path(folder, "README.md").read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        check_yaml(program, block)
    (plugin,) = json.loads(bakplane(program, "--json", "plugin", "info", name))["plugins"]
    for kind in ("settings", "create_options", "restore_options"):
        for key in plugin[kind]:
            if f"`{key['name']}`" not in text:
                sys.exit(f"{folder}/README.md does not name {key['name']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
