/* SPDX-License-Identifier: Apache-2.0
 *
 * Version of the plugin ABI and the few rules every structure that crosses it obeys.
 *
 * Status: 1.0, which stays: later minors append to it, and change nothing that is here.
 *
 * - Each structure starts with `uint32_t struct_size`, set by whoever fills it to *its* sizeof.
 *   For results the caller sets it and the callee writes no further.  The rest of a result is zero
 *   when the call begins, but for the sizes of bp_object_meta and bp_space, which are BP_UNKNOWN:
 *   what is not known is left alone.  Whoever copies a structure copies the smaller of both sizes
 *   and sets struct_size to its own.
 * - Four have no size: bp_checksum, which others embed, never changes; bp_config_key, bp_part and
 *   bp_restore_pair lie in arrays, whose stride is compared where a struct_size would be.
 * - What is called `reserved` is written 0 and never looked at.
 * - After a failure each `*out` is ignored, a handle too: nothing is closed or ended, so whoever
 *   fails leaves nothing open.
 * - New members and operations are only ever appended.  A missing one is either NULL or beyond
 *   struct_size: ask BP_HAS before using any that is newer than minor 0.
 * - Unknown capability bits are ignored; unknown bits in a request's `flags` are refused with
 *   BP_ERR_INVALID, so that a newer caller learns of it and falls back.  In the `flags` of what a
 *   plugin tells (keys, units, documents, proofs) there are only bits that host->abi_minor defines:
 *   others are refused, since they may change the meaning of all the rest.  In the `flags` of
 *   bp_op, bp_error and bp_storage_view unknown bits are ignored.
 * - Pointers passed in are valid for the call only.  Nothing changes owner: results go into the
 *   caller's structures or into sinks that copy.
 * - A sink has all its functions of minor 0; the host checks those that a plugin hands in.  They
 *   are called one at a time, by any thread, and not after the operation has returned.  One that
 *   answers non-zero wants no more: the operation ends with BP_ERR_CANCELLED.
 * - Neither a C++ exception nor a panic nor a longjmp leaves a function of either side.
 * - `error` is never NULL, in operations as in functions of the host.
 * - Text is UTF-8, NUL-terminated.  Sizes are bytes, times nanoseconds unless the name says else.
 *   Where a text of a result names something (identity, etag, root, key, prefix, parent) it is
 *   whole or "", never cut; one that fills its array counts as cut.
 * - The layout is promised for 64-bit systems (LP64).  The headers compile for 32-bit ones as well,
 *   but what their compilers make of them is not kept.
 */
#ifndef BAKPLANE_ABI_H
#define BAKPLANE_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define BP_BEGIN_DECLS extern "C" {
#define BP_END_DECLS }
#else
#define BP_BEGIN_DECLS
#define BP_END_DECLS
#endif

/** Major and minor of these headers.  A plugin stamps both into its descriptor. */
#define BP_ABI_MAJOR 1
#define BP_ABI_MINOR 0

/** The operations and data of `*p` reach as far as member `f`. */
#define BP_COVERS(p, T, f) ((p) != NULL && (p)->struct_size >= offsetof(T, f) + sizeof((p)->f))

/** `*p` has the pointer or operation `f`: within its size, and not NULL. */
#define BP_HAS(p, T, f) (BP_COVERS(p, T, f) && (p)->f != NULL)

/** A size or count that is not known. */
#define BP_UNKNOWN UINT64_MAX

/** Longest object key, and longest opaque token of any kind, in bytes without the NUL. */
#define BP_KEY_MAX 1024
#define BP_TOKEN_MAX 4096

/** BP_OK or one of the classes of enum bp_err_class. */
typedef int32_t bp_status;

#endif
