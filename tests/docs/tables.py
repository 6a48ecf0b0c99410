# SPDX-License-Identifier: Apache-2.0
"""What may be given to the program, found by another road than its help and its manual take.

Options of commands are read from the C sources, settings of plugins from `plugin info --json`.
"""

import json
import os
import re
import subprocess
from pathlib import Path

TOP = Path(os.environ["BAKPLANE_SOURCE_DIR"])
BIN = os.environ["BAKPLANE_BIN"]
STORAGE_PLUGIN = "local"
SOURCE_PLUGIN = "milvus"
NOT_FOR_COPY = ("storage", "concurrency.units", "wait_for_turn")  # keys of `backup`
ENTRY = re.compile(r"""\{"([a-z0-9-]+)",\s*('(.)'|0),\s*[^,]+,\s*G_OPTION_ARG""")
ARRAY = re.compile(r"static const GOptionEntry (\w+)\[\] = \{(.*?)\n\};", re.DOTALL)
COMMAND = re.compile(r"const bp_command bp_command_\w+ = \{(.*?)\n\};", re.DOTALL)


def environment():
    """With just enough configuration for a source plugin to be found, and none of the user's."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith("BAKPLANE_")}
    keep.update(BAKPLANE__SOURCE__PLUGIN=SOURCE_PLUGIN, HOME="/nonexistent")
    keep.pop("XDG_CONFIG_HOME", None)
    return keep


def bakplane(*words):
    """Standard output of the program, which must succeed."""
    run = subprocess.run([BIN, *words], env=environment(), stdout=subprocess.PIPE, check=True,
                         encoding="utf-8", cwd="/")
    return run.stdout


def spelled(letter, name):
    return ([f"-{letter}"] if letter else []) + [f"--{name}"]


def own_options():
    """{command: [option, ...]} from core/cli/cmd_*.c."""
    found = {}
    for path in sorted((TOP / "core/cli").glob("cmd_*.c")):
        text = path.read_text(encoding="utf-8")
        arrays = {name: [o for n, _, letter in ENTRY.findall(body) for o in spelled(letter, n)]
                  for name, body in ARRAY.findall(text)}
        for body in COMMAND.findall(text):
            name = re.search(r'\.name = "([\w-]+)"', body).group(1)
            entries = re.search(r"\.entries = (\w+)", body)
            found[name] = arrays[entries.group(1)] if entries else []
    return found


def global_options():
    text = (TOP / "core/cli/args.c").read_text(encoding="utf-8")
    body = text[text.index("global_entries("):text.index("return g_memdup2")]
    return [o for n, _, letter in ENTRY.findall(body) for o in spelled(letter, n)]


def core_keys():
    """{section: [key, ...]} from core/config/tables*.c; macros stand for one key each."""
    text = "".join(path.read_text(encoding="utf-8")
                   for path in sorted((TOP / "core/config").glob("tables*.c")))
    macros = dict(re.findall(r'#define ([A-Z]+) +\\\n(?:.*\\\n)*?.*\.name = "([a-z0-9_.]+)"', text))
    found = {}
    for name, body in re.findall(r"bp_config_key (\w+)_keys\[\] = \{(.*?)\n\};", text, re.DOTALL):
        found[name] = re.findall(r'\.name = "([a-z0-9_.]+)"', body)
        found[name] += [macros[m] for m in re.findall(r"^    ([A-Z]+),$", body, re.MULTILINE)]
    return found


def plugin_keys(name):
    """{"settings" | "create_options" | "restore_options": [key object, ...]}."""
    (plugin,) = json.loads(bakplane("--json", "plugin", "info", name))["plugins"]
    return {k: plugin[k] for k in ("settings", "create_options", "restore_options")}


def key_options(names):
    return ["--" + re.sub("[_.]", "-", name) for name in names]


def command_options(command):
    """Everything that a command takes besides the global options."""
    options = list(own_options()[command])
    section = {"create": "backup", "restore": "restore"}.get(command)
    if command == "copy":
        options += key_options(key for key in core_keys()["backup"] if key not in NOT_FOR_COPY)
    if section:
        options += key_options(core_keys()[section])
        plugin = plugin_keys(SOURCE_PLUGIN)[f"{command}_options"]
        options += key_options(k["name"] for k in plugin)
    return options
