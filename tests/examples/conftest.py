# SPDX-License-Identifier: Apache-2.0
"""Trees of files, and the installed program with source-directory."""

import pytest

from examples.trees import Tree, Trees
from integration.lib.cli import program


def pytest_sessionstart():
    if not program().exists():
        pytest.exit(f"{program()} is not built; ctest builds it before: -R examples", 1)


@pytest.fixture
def tree(tmp_path):
    """An empty directory to be captured, as "www"."""
    return Tree(tmp_path / "www")


@pytest.fixture
def trees(tmp_path, tree):
    """The program, configured to capture `tree` into a folder."""
    return Trees(tmp_path / "bakplane", {"www": tree.root}, tmp_path / "backups")
