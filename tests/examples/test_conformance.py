# SPDX-License-Identifier: Apache-2.0
"""The examples in C keep the whole contract, as far as they go."""

from examples.conformance import check
from kit import kit


def test_memory(tmp_path):
    check(kit.PLUGINS / "bakplane-storage-memory.so", {"storage": {"plugin": "memory"}}, tmp_path,
          skipped=r"config\..*|probe\.denied|cancel\.(before|deadline)|write\.bad_keys|list\.many|"
                  r"leaks\.files|server\..*")


def test_directory(tmp_path, tree):
    tree.seed()
    into = tmp_path / "restored"
    into.mkdir()
    restored = f'"{into}/$BAKPLANE_TARGET"'
    check(kit.PLUGINS / "bakplane-source-directory.so", {
        "source": {"trees": [f"www={tree.root}"], "scratch": str(tmp_path)},
        "storages": {"backup": {"plugin": "local", "root": str(tmp_path / "backup")}},
        "restore_options": {"into": str(into)},
        "hooks": {"compare": f'diff -r --no-dereference "{tree.root}" {restored}',
                  "drop": f"rm -rf {restored}",
                  "newer": 'sed -i "s/: 1,/: 2,/" "$BAKPLANE_BACKUP/meta/directory.json"'},
    }, tmp_path, skipped=r"source\.(unreachable|keepalive|pin_expires)|restore\.older")
