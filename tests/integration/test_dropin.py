# SPDX-License-Identifier: Apache-2.0
"""bakplane under the name of milvus-backup: the same lines have the same outcome as with 0.5.7.

What that tool does is written down (lib/dropin.py), so that only one program has to run here;
test_slow_dropin.py asks it anew.
"""

import subprocess

import pytest

from integration.lib import dropin
from integration.lib.cli import program

# Where the outcome differs on purpose: docs/compat.md.
ON_PURPOSE = {
    "list word": (1, "a word that means nothing is not ignored"),
    "list --collection=shop.items": (0, "there, no database may be named"),
    "check --set MINIO_ROOT_PATH=nowhere": (1, "0 never stands for what failed"),
    "check --set MINIO_BUCKET_NAME=nowhere": (1, "likewise"),
    "check --set MILVUS_PORT=1": (1, "there, 2 and a stack trace"),
    "list --set MINIO_PORT=1": (1, "likewise"),
    "restore -n gone -s _g": (3, "no row came in, and nobody can tell whether one should have"),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory, milvus_on_minio):
    return dropin.Stage(tmp_path_factory.mktemp("ours"), milvus_on_minio, True)


@pytest.fixture(scope="module")
def outcomes(stage):
    return dropin.play_all(stage)


def test_each_line_has_the_same_outcome(outcomes):
    expected = dropin.recorded()
    assert list(outcomes) == list(expected)
    different, on_purpose = [], 0
    for name, one in outcomes.items():
        seen = {member: value for member, value in one.items() if member != "err"}
        line = name.partition(f"{dropin.NAME} ")[2]
        if line in ON_PURPOSE:
            theirs = expected[name]
            assert one["code"] == ON_PURPOSE[line][0], f"{name}\n  {one}"
            assert (one["code"], one["out"]) != (theirs["code"], theirs["out"]), name
            for member in ("backups", "made"):
                assert one.get(member) == theirs.get(member), f"{name}\n  {one}"
            on_purpose += 1
        elif seen != expected[name]:
            different.append(f"{name}\n  {one}\n  {expected[name]}")
    assert not different, "\n".join(different)
    assert on_purpose == len(ON_PURPOSE)


def test_failures_are_said_on_standard_error_alone(outcomes):
    for name, one in outcomes.items():
        lines = [line for line in one["err"].splitlines() if line.startswith("error: ")]
        assert len(lines) == (1 if one["code"] in (1, 2) else 0), f"{name}: {one['err']}"


def test_migrated_files_work_alike(stage, outcomes):
    """The second dialect under that name, and ours under our own: one place, one backup."""
    theirs, second, ours = (stage.cwd / name for name in ("backup.yaml", "v2.yaml", "ours.yaml"))

    def run(*words):
        done = subprocess.run([*words], cwd=stage.cwd, check=False, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300,
                              env=dropin.environment(stage))
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return dropin.readable(done.stdout)

    run(stage.binary, "--config", theirs, "config", "migrate", "-o", second, "--strict")
    run(program(), "--config", theirs, "config", "migrate", "-o", ours)
    assert second.read_text(encoding="utf-8").startswith("configVersion: v2\n")
    before = run(stage.binary, "list", "--config", theirs)
    made = run(stage.binary, "--config", second, "create", "-n", "by_v2", "--filter", "shop.items",
               "--set", "transfer.concurrency=4,backup.storage.bucketName=" + dropin.BUCKET)
    assert made == ["success", "duration:N.NN s"]
    for config in (theirs, second, ours):
        assert run(stage.binary, "list", "--config", config) == sorted([*before, "by_v2"])
    assert run(stage.binary, "get", "-n", "by_v2", "--config", second) == run(
        stage.binary, "get", "-n", "by_v2", "--config", ours)
    run(program(), "--config", ours, "verify", "-n", "by_v2", "--deep")
    assert run(stage.binary, "delete", "-n", "by_v2", "--config", ours) == ["success"]
    assert run(stage.binary, "list", "--config", second) == before
