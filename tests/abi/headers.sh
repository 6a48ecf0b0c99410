#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Each ABI header compiles alone: as pedantic C11, as C++17, and for 32 bits (freestanding, so
# that no 32-bit C library is needed).  Usage: headers.sh SOURCE_DIR [CC]
set -eu

include=$1/sdk/include
cc=${2:-cc}
warnings="-Wall -Wextra -Wundef -Werror -fsyntax-only -I$include"
count=0

for header in "$include"/bakplane/*.h; do
    text="#include <bakplane/${header##*/}>"
    # shellcheck disable=SC2086 # a list of flags
    {
        echo "$text" | "$cc" $warnings -std=c11 -pedantic -x c -
        echo "$text" | "$cc" $warnings -std=c11 -pedantic -m32 -ffreestanding -x c -
        if command -v c++ >/dev/null; then
            echo "$text" | c++ $warnings -std=c++17 -pedantic -x c++ -
        fi
    }
    count=$((count + 1))
done
test "$count" -ge 8
echo "$count headers"
