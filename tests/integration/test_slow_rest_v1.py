# SPDX-License-Identifier: Apache-2.0
"""The REST service of the real milvus-backup 0.5.7 does what was written down of it: see
lib/rest_v1.py."""

import pytest

from integration.lib import rest_v1


def test_the_record_is_true(tmp_path, milvus_on_minio):
    with rest_v1.PeerRest(rest_v1.Stage(tmp_path, milvus_on_minio)) as server:
        outcomes = rest_v1.play_all(server)
    rest_v1.record(outcomes)
    expected = rest_v1.recorded()
    assert list(outcomes) == list(expected), "the record is of another list: BAKPLANE_RECORD=1"
    different = [name for name, one in outcomes.items() if one != expected[name]]
    if different:
        pytest.fail("\n".join(f"{name}\n  {outcomes[name]}\n  {expected[name]}"
                              for name in different))
