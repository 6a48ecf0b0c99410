# SPDX-License-Identifier: Apache-2.0
"""storage-memory keeps the whole contract, as far as it goes."""

from examples.conformance import check
from kit import kit


def test_memory(tmp_path):
    check(kit.PLUGINS / "bakplane-storage-memory.so", {"storage": {"plugin": "memory"}}, tmp_path,
          skipped=r"config\..*|probe\.denied|cancel\.(before|deadline)|write\.bad_keys|list\.many|leaks\.files|server\..*")
