# SPDX-License-Identifier: Apache-2.0
"""./dev demo: a real Milvus on a file system, backed up, lost, restored, and compared row by row.

Everything lives in a scratch folder that is removed at the end. Exit code 0 only if all is equal.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", category=DeprecationWarning)

from integration.lib import data, golden, milvus  # noqa: E402
from integration.lib.cli import Bakplane, program  # noqa: E402
from services import MilvusServer  # noqa: E402


def title(text):
    print(f"\n── {text} {'─' * (94 - len(text))}\n", flush=True)


def say(text=""):
    print(f"  {text}" if text else "", flush=True)


def show(folder, command):
    """Run a command line as a user would type it there; its output as it comes, and its time."""
    say(f"$ {command}")
    env = {**os.environ, "PATH": f"{program().resolve().parent}:{os.environ['PATH']}",
           "PYTHONWARNINGS": "ignore"}
    started = time.monotonic()
    with subprocess.Popen(command.split(), cwd=folder, env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            say(line.rstrip())
    seconds = time.monotonic() - started
    say()
    if process.returncode != 0:
        sys.exit(f"demo: {command} ended with exit code {process.returncode}")
    return seconds


def plural(count, word):
    if count == 1:
        return f"1 {word}"
    if word.endswith("y"):
        return f"{count} {word[:-1]}ies"
    return f"{count} {word}{'es' if word.endswith(('x', 's')) else 's'}"


def summary(facts):
    """One collection's facts in a few words."""
    words = [plural(len(facts["partitions"]), "partition"), plural(len(facts["indexes"]), "index")]
    kinds = [params["index_type"] for _, params in facts["indexes"].values() if params]
    words[1] += f" ({', '.join(kinds)})" if kinds else ""
    if facts["properties"]:
        words.append(plural(len(facts["properties"]), "property"))
    if facts["aliases"]:
        words.append(f"alias {', '.join(facts['aliases'])}")
    words.append("loaded" if facts["load_state"] == "Loaded" else "not loaded")
    return ", ".join(words)


def list_collections(state):
    facts, rows = state
    for path, fact in facts.items():
        if not fact:
            say(f"{path.rstrip('.'):18}           a database without collections")
        else:
            say(f"{path:18} {len(rows[path]):6} rows, {summary(fact)}")


def fill(server):
    golden.fill(server)
    data.words(server)
    data.large(server)
    data.make_database(server, "hollow")


def compare(before, after):
    """Print what was compared, collection by collection; the differences."""
    wrong = []
    for path, facts in before[0].items():
        expected = {"facts": facts, "rows": before[1].get(path, {})}
        found = {"facts": after[0].get(path), "rows": after[1].get(path, {})}
        lines = milvus.differences(expected, found, path)
        wrong += lines
        rows = len(expected["rows"])
        what = f"{rows:6} of {rows} rows equal, {summary(facts)}" if facts else "       there again"
        say(f"{'ok ' if not lines else 'BAD'} {path.rstrip('.'):18} {what}")
        for line in lines:
            say(f"      {line}")
    extra = [path for path in after[0] if path not in before[0]]
    return wrong + [f"{path}: was not there before" for path in extra]


def run(folder, server):
    title("1. A Milvus on a file system, with data")
    fill(server)
    before = milvus.everything(server)
    say(f"Milvus {server.server_version} at {server.address} keeps its data in "
        f"{server.root_path.relative_to(folder)}")
    say()
    list_collections(before)

    title("2. The backup")
    home = Bakplane(folder, server)
    show(folder, "cat bakplane.yaml")
    times = {"check": show(folder, "bakplane check"),
             "create": show(folder, "bakplane create -n nightly"),
             "verify": show(folder, "bakplane verify -n nightly --deep")}
    show(folder, "bakplane list")

    title("3. The catastrophe")
    milvus.wipe(server)
    left = sum(len(milvus.collections(server, one)) for one in milvus.databases(server))
    say(f"everything was dropped: {plural(left, 'collection')} left in Milvus, the backup is in "
        f"{home.backups.relative_to(folder)}")

    title("4. The restore")
    times["restore"] = show(folder, "bakplane restore -n nightly --wait")

    title("5. The proof")
    after = milvus.everything(server)
    wrong = compare(before, after)
    say()
    say(", ".join(f"{name} {seconds:.1f} s" for name, seconds in times.items()))
    return before, wrong


def main():
    # The server's data and the backup lie in a folder that the server, too, can read.
    with tempfile.TemporaryDirectory(prefix="bakplane-demo-") as scratch:
        folder = Path(scratch)
        with MilvusServer("2.3.5", data=folder / "milvus") as server:
            before, wrong = run(folder, server)
    facts, rows = before
    collections = [fact for fact in facts.values() if fact]
    say()
    if wrong:
        say(f"NOT PROVEN: {plural(len(wrong), 'difference')}")
        return 1
    indexes = sum(len(fact["indexes"]) for fact in collections)
    aliases = sum(len(fact["aliases"]) for fact in collections)
    say(f"PROVEN: {sum(map(len, rows.values()))} rows of {plural(len(collections), 'collection')} "
        f"compared, field by field; {plural(indexes, 'index')}, {plural(aliases, 'alias')},")
    say("schemas, partitions, properties, consistency levels and load states as well. All equal.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
