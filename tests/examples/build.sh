#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# build.sh CMAKE BUILD CC FOLDER EXAMPLE...: install into FOLDER/prefix, build the examples by both
# roads without the source tree in sight, and load them with the installed program.
#
# Ends with 77 (skipped) where a compiler or library is missing, unless CI is set.

set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cmake=$1 build=$2 cc=$3 folder=$4
shift 4

fail() {
    echo "$*" >&2
    exit 1
}

missing() {
    [ "${CI:-}" != true ] || fail "missing: $*"
    echo "missing: $*"
    exit 77
}

for example in "$@"; do
    case $example in
    *-libs3) test -e /usr/include/libs3.h || missing libs3-dev ;;
    *-rust) command -v "${RUSTC:-rustc}" >/dev/null || missing rustc ;;
    esac
done

rm -rf "$folder"
mkdir -p "$folder"
prefix=$folder/prefix
"$cmake" --install "$build" --prefix "$prefix" >"$folder/install.log"
examples=$prefix/share/doc/bakplane/examples
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH

# only_entry PLUGIN: exports its entry and nothing else, and needs nothing of the host's.
only_entry() {
    test "$(nm -D --defined-only "$1" | awk '{ print $3 }')" = bp_plugin_entry_v1 ||
        fail "$1 exports more than its entry"
    ! nm -D --undefined-only "$1" | grep -w 'bp_[a-z_]*' || fail "$1 needs symbols of the host"
}

for example in "$@"; do
    plugin=bakplane-$example.so
    kind=${example%%-*} name=${example#*-}
    cp -R "$examples/$example" "$folder/$example"
    cd "$folder/$example"

    "$cmake" -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_C_FLAGS=-Werror >"$folder/$example.log"
    "$cmake" --build build >>"$folder/$example.log"
    only_entry "build/$plugin"

    make CC="$cc" CFLAGS='-O1 -g -Wall -Wextra -Wno-unused-parameter -Werror' \
        >>"$folder/$example.log"
    only_entry "$plugin"
    make install >>"$folder/$example.log"

    "$prefix/bin/bakplane" plugin info "$name" >"$folder/$example.info" ||
        fail "$example cannot be loaded"
    grep -q "^$kind plugin $name 1.0 (ABI 1.0" "$folder/$example.info" ||
        fail "$example: unexpected:" "$(cat "$folder/$example.info")"
    cmp -s "$plugin" "$prefix/lib/bakplane/plugins/$plugin" || fail "$example was not installed"
    make clean >>"$folder/$example.log"
    test ! -e "$plugin" || fail "$example: make clean leaves $plugin"
    echo "$example: built with CMake and make, loaded"
done

for example in "$@"; do
    python3 -B "$here/readme.py" "$prefix/bin/bakplane" "$examples/$example" "${example#*-}"
done
