#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes gen/ from the .proto files: needs protoc (or PROTOC, a command), and on PATH
#
#   go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.6
#   go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1

set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
protos=${PROTOS:-$here/../../../core/grpc/proto}
module=example.org/bakplane-client
backup=Mbackup.proto=$module/gen/backup
jobs=Mbakplane/v1/jobs.proto=$module/gen/jobs

# shellcheck disable=SC2086 # a command with its words
exec ${PROTOC:-protoc} -I "$protos" --go_out="$here" --go-grpc_out="$here" \
    --go_opt="module=$module,$backup,$jobs" --go-grpc_opt="module=$module,$backup,$jobs" \
    backup.proto bakplane/v1/jobs.proto
