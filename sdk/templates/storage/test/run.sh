#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh CHECK PLUGIN: the program CHECK, then what bakplane and its test kit say of the plugin.
set -eu

check=$1
plugin=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# bakplane loads what nobody else can write to. This folder may be open to a group (umask 002), so
# a copy is tested.
mkdir -m 755 "$scratch/plugins"
install -m 755 "$plugin" "$scratch/plugins/"
plugin=$scratch/plugins/$(basename "$plugin")

mkdir "$scratch/objects" "$scratch/second"
"$check" "$plugin" "$scratch/objects"

exported=$(nm -D --defined-only "$plugin" | awk '{ print $3 }')
if [ "$exported" != bp_plugin_entry_v1 ]; then
    echo "it has to export bp_plugin_entry_v1 and nothing else, not: $exported"
    exit 1
fi

if command -v bakplane >/dev/null; then
    bakplane --set "plugins.dirs=$(dirname "$plugin")" plugin info @NAME@ >"$scratch/info"
    grep -q '^sha256 [0-9a-f]' "$scratch/info" || { cat "$scratch/info" && exit 1; }
    echo "bakplane: loads it"
else
    echo "bakplane: skipped, it is not installed"
fi

kit=$(pkg-config --variable=plugintest bakplane-sdk || true)
if [ -x "$kit" ]; then
    # Hooks are what some checks need of you; bakplane-plugin-test(1) explains them. Not set here:
    #   full: {root: …}    a file system with less than 256 MiB
    #   many: 100000       which takes minutes
    # and what only servers have: other_login, expired, server.
    cat >"$scratch/settings.yaml" <<END
storage: {root: $scratch/objects}
hooks:
  second: {root: $scratch/second}
  denied: {root: $scratch/missing}
  unreachable: {root: $scratch/missing}
  bad_values: {root: $(printf '/%01100d' 0)}
END
    "$kit" "$plugin" --config "$scratch/settings.yaml" --trust "$(dirname "$plugin")"
else
    echo "bakplane-plugin-test: skipped, it is not installed"
fi
