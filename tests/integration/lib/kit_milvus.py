# SPDX-License-Identifier: Apache-2.0
"""What the conformance kit calls for a Milvus: `python -m integration.lib.kit_milvus VERB ADDRESS`.

compare: BAKPLANE_TARGET has the rows that BAKPLANE_NAME has, and its indexes. drop: it goes.
"""

import os
import sys

from integration.lib import milvus


class Server:
    """As much of one as a client needs."""

    def __init__(self, address):
        self.address = address

    def client_arguments(self):
        return {"address": self.address}


def path_of(variable):
    return f"{os.environ['BAKPLANE_PARENT']}.{os.environ[variable]}"


def main(verb, address):
    server = Server(address)
    target = path_of("BAKPLANE_TARGET")
    if verb == "drop":
        milvus.drop(server, target)
        return
    original = path_of("BAKPLANE_NAME")
    milvus.assert_same(milvus.rows(server, original), milvus.rows(server, target))
    facts = [milvus.describe(server, path) for path in (original, target)]
    milvus.assert_same(facts[0]["indexes"], facts[1]["indexes"])


if __name__ == "__main__":
    main(*sys.argv[1:])
