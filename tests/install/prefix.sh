#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# prefix.sh CMAKE BUILD CC: install into a clean prefix, look at what is there, and build the
# example plugin against it by both roads, without the source tree in sight.

set -eu

cmake=$1 build=$2 cc=$3
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

"$cmake" --install "$build" --prefix "$prefix" >"$scratch/install.log"

# component NAME FILE NOT: what it brings, and what belongs to another one.
component() {
    "$cmake" --install "$build" --prefix "$scratch/$1" --component "$1" >>"$scratch/install.log"
    test -f "$scratch/$1/$2" || { echo "the component $1 lacks $2" && exit 1; }
    test ! -e "$scratch/$1/$3" || { echo "the component $1 brings $3" && exit 1; }
}
component runtime bin/bakplane include
component runtime bin/bakplane-server include/bakplane
component runtime lib/bakplane/plugins/bakplane-storage-local.so lib/libbakplane-sdk.a
component runtime share/man/man1/bakplane-plugin.1 share/man/man1/bakplane-plugin-test.1
component sdk include/bakplane/plugin.h bin/bakplane
component sdk share/man/man1/bakplane-plugin-test.1 share/man/man1/bakplane-plugin.1
component runtime lib/systemd/system/bakplane-server.service lib/pkgconfig
component doc share/doc/bakplane/docs/architecture.md bin

for file in bin/bakplane bin/bakplane-server lib/libbakplane-sdk.a lib/pkgconfig/bakplane-sdk.pc \
    lib/libbakplane-http.a include/bakplane-sdk/sdk/http/client.h \
    lib/libbakplane-xml.a include/bakplane-sdk/sdk/http/xml.h \
    lib/cmake/bakplane/bakplaneConfig.cmake include/bakplane/plugin.h \
    include/bakplane-sdk/sdk/lib/errors.h lib/bakplane/plugins/bakplane-storage-local.so \
    lib/bakplane/plugins/bakplane-storage-s3.so lib/bakplane/plugins/bakplane-source-milvus.so \
    share/man/man1/bakplane.1 share/man/man1/bakplane-server.1 share/bash-completion/completions/bakplane \
    share/bash-completion/completions/milvus-backup; do
    test -f "$prefix/$file" || { echo "not installed: $file" && exit 1; }
done

# asks INSTALLED WANTED: whether find_package(bakplane WANTED) takes an SDK of that version.
asks() {
    ours=$("$prefix/bin/bakplane" version | awk '{ print $2; exit }')
    sed "s/$ours/$1/g" "$prefix/lib/cmake/bakplane/bakplaneConfigVersion.cmake" \
        >"$scratch/version.cmake"
    # shellcheck disable=SC2016 # CMake expands them
    printf '%s\n' "set(PACKAGE_FIND_VERSION $2)" "set(PACKAGE_FIND_VERSION_MAJOR ${2%%.*})" \
        "include($scratch/version.cmake)" \
        'message("${PACKAGE_VERSION} is compatible: ${PACKAGE_VERSION_COMPATIBLE}")' \
        >"$scratch/ask.cmake"
    "$cmake" -P "$scratch/ask.cmake" 2>&1
}
# What was written for 0.x builds with 1.0, and not the other way round.
test "$(asks 1.0.0 0.1)" = "1.0.0 is compatible: TRUE" ||
    { echo "find_package(bakplane 0.1) refuses 1.0" && exit 1; }
test "$(asks 0.1.0 1.0)" = "0.1.0 is compatible: FALSE" ||
    { echo "find_package(bakplane 1.0) takes 0.1" && exit 1; }

# only_entry PLUGIN
only_entry() {
    test "$(nm -D --defined-only "$1" | awk '{ print $3 }')" = bp_plugin_entry_v1 ||
        { echo "$1 exports more than its entry" && exit 1; }
}

cp -R "$here/example" "$scratch/example"
cd "$scratch/example"

PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # lists of flags
"$cc" -std=c11 -pedantic -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared null.c \
    $(pkg-config --cflags --libs bakplane-sdk) -o "$scratch/bakplane-storage-null.so"
only_entry "$scratch/bakplane-storage-null.so"

# shellcheck disable=SC2046
"$cc" -std=c11 -pedantic -Wall -Wextra -Werror web.c \
    $(pkg-config --cflags --libs bakplane-http bakplane-xml) -o "$scratch/web"
"$scratch/web"

# From C++, too, where all helpers have to be declared as what they are.
if command -v c++ >/dev/null; then
    (cd "$prefix/include/bakplane-sdk" && ls sdk/lib/*.h) | grep -v /ban.h |
        sed 's/.*/#include "&"/' >"$scratch/helpers.cc"
    cat >>"$scratch/helpers.cc" <<'END'
int main()
{
    bp_error error;
    bp_error_init(&error);
    bool failed = bp_fail(&error, BP_ERR_INVALID, "%d", 1) == BP_ERR_INVALID;
    return failed ? bp_key_check("a", nullptr) : 1;
}
END
    # shellcheck disable=SC2046
    c++ -std=c++17 -pedantic -Wall -Wextra -Werror "$scratch/helpers.cc" \
        $(pkg-config --cflags --libs bakplane-sdk) -o "$scratch/helpers"
    "$scratch/helpers"
fi

"$cmake" -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" >"$scratch/cmake.log"
"$cmake" --build build >>"$scratch/cmake.log"
only_entry build/bakplane-storage-null.so
build/web

# What `plugin new` writes, by both roads and with every warning. MAKEFLAGS would come from outside.
# The folder is one that a group may write to, in which bakplane loads nothing.
unset MAKEFLAGS
umask 002
mkdir "$scratch/new"
cd "$scratch/new"
PATH=$prefix/bin:$PATH
bakplane plugin new storage cold-2
make -C bakplane-storage-cold-2 CC="$cc" CFLAGS="-O1 -Wall -Wextra -Wshadow -Wconversion -Werror" \
    check install >"$scratch/make.log" || { cat "$scratch/make.log" && exit 1; }
grep -q '^# 0 of .* checks failed' "$scratch/make.log" ||
    { echo "the conformance suite did not run" && exit 1; }
only_entry bakplane-storage-cold-2/bakplane-storage-cold-2.so
! make -C bakplane-storage-cold-2 PKG_CONFIG=false install >>"$scratch/make.log" 2>&1 ||
    { echo "make install does not notice that it knows no folder for plugins" && exit 1; }
"$cmake" -S bakplane-storage-cold-2 -B build -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_INSTALL_PREFIX="$prefix" >>"$scratch/cmake.log"
"$cmake" --build build >>"$scratch/cmake.log"
(cd build && ctest >"$scratch/ctest.log") || { cat "$scratch/ctest.log" && exit 1; }
only_entry build/bakplane-storage-cold-2.so
rm "$prefix/lib/bakplane/plugins/bakplane-storage-cold-2.so"
umask 022
"$cmake" --install build >>"$scratch/cmake.log"
test -f "$(pkg-config --variable=docdir bakplane-sdk)/plugin-tutorial.md" ||
    { echo "the tutorial is not where the new plugin's README says" && exit 1; }
cd "$scratch/example"

# The installed program finds its own plugins, and the new one among them.
cp build/bakplane-storage-null.so "$(pkg-config --variable=plugindir bakplane-sdk)/"
"$prefix/bin/bakplane" version
"$prefix/bin/bakplane-server" --version
listed=$("$prefix/bin/bakplane" plugin list)
for plugin in local s3 milvus null cold-2; do
    echo "$listed" | grep -qw "$plugin" || { echo "plugin list has no $plugin:" "$listed" && exit 1; }
done
echo "installed, and extended by a plugin from outside of the tree"
