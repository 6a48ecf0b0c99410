# SPDX-License-Identifier: Apache-2.0
"""Ask a Milvus for its version until it answers; run by the interpreter that has pymilvus.

Usage: get_version.py ADDRESS SECONDS [USER PASSWORD]
"""

import sys
import time

from pymilvus import MilvusException, connections, utility


def main(address, seconds, user="", password=""):
    end = time.monotonic() + float(seconds)
    while True:
        try:
            connections.connect(address=address, user=user, password=password, timeout=5)
            print(utility.get_server_version())
            return 0
        except MilvusException as error:
            if time.monotonic() > end:
                print(error)
                return 1
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
