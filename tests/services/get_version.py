# SPDX-License-Identifier: Apache-2.0
"""Ask a Milvus for its version until it answers; run by the interpreter that has pymilvus.

Usage: get_version.py SECONDS ARGUMENTS   (a JSON object for connections.connect)
"""

import json
import sys
import time

from pymilvus import MilvusException, connections, utility


def main(seconds, arguments):
    end = time.monotonic() + float(seconds)
    while True:
        try:
            connections.connect(**json.loads(arguments), timeout=5)
            print(utility.get_server_version())
            return 0
        except MilvusException as error:
            if time.monotonic() > end:
                print(error)
                return 1
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
