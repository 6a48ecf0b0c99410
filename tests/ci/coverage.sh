#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh BUILD: lines covered, per file of core and storage-local; fails below 85 %.

set -eu
# The table goes to stdout also when the verdict is bad.
gcovr --root . --object-directory "$1" --filter core/ --filter plugins/storage-local/ \
    --print-summary --fail-under-line 85 --txt - --xml "$1/coverage.xml"
