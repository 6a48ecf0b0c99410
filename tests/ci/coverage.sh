#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh BUILD: lines covered, per file of core and storage-local; fails below 85 %.

set -eu
gcovr --root . --object-directory "$1" --filter core/ --filter plugins/storage-local/ \
    --exclude-unreachable-branches --print-summary --fail-under-line 85 \
    --txt "$1/coverage.txt" --xml "$1/coverage.xml"
cat "$1/coverage.txt"
