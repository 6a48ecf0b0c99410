/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of a lease: its text and who is behind it (lease_record.c), single reads and writes
 * (lease_io.c), finding out whether it is stale (lease_watch.c), taking without exclusive
 * creation (lease_claim.c).  Taking, holding and renewing are in lease.c.
 */
#ifndef BP_CORE_CATALOG_LEASE_INTERNAL_H
#define BP_CORE_CATALOG_LEASE_INTERNAL_H

#include "core/catalog/lease.h"

/** What a lease object says. */
typedef struct bp_lease_record {
    bool readable; /* false: all else is empty */
    char *run_id, *purpose;
    char *host, *boot, *pid_space; /* together: where `pid` means something */
    gint64 pid;
    guint64 pid_start; /* clock ticks after boot: tells a pid that was given away again */
    gint64 since_ns;   /* wall clock, for people */
    guint64 renewals;
    gint64 renew_ns;
} bp_lease_record;

/** Of this process.  Returns: (transfer full) */
bp_lease_record *bp_lease_record_new(const char *run_id, const char *purpose, gint64 renew_ns);
void bp_lease_record_free(bp_lease_record *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_lease_record, bp_lease_record_free)
/** Returns: (transfer full) */
char *bp_lease_record_text(const bp_lease_record *record);
/** Never fails: what is no lease is one that is not readable.  Returns: (transfer full) */
bp_lease_record *bp_lease_record_parse(const char *text, gsize n);
/** "create on host db1, process 4711, since 2026-…".  Returns: (transfer full) */
char *bp_lease_record_describe(const bp_lease_record *record);
/** LIVE or DEAD where this machine can tell, else UNKNOWN. */
bp_lease_state bp_lease_record_judge(const bp_lease_record *record);

/** A lease object as it was read. */
typedef struct bp_lease_found {
    char *text; /* NULL = there is none */
    bp_lease_record *record;
    char etag[128];
} bp_lease_found;
void bp_lease_found_clear(bp_lease_found *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_lease_found, bp_lease_found_clear)
bool bp_lease_found_is(const bp_lease_found *found, const char *run_id);

/** One read, no retry.  A missing object is no error. */
bool bp_lease__read(bp_store *store, const bp_call *call, const char *key, bp_lease_found *out,
                    GError **error);
/** With the catalog's retries. */
bool bp_lease__get(const bp_catalog *catalog, const char *key, bp_lease_found *out, GError **error);

/** One write, no retry. */
typedef struct bp_lease_write {
    bp_store *store;
    const bp_call *call;
    const char *key;
    const bp_lease_record *record;
    bool exclusive;
    const char *if_match; /* or NULL */
} bp_lease_write;
/** @etag: (out) of the new version, 128 bytes, or NULL. */
bool bp_lease__write(const bp_lease_write *write, char *etag, GError **error);

/** What came of watching. */
typedef enum { BP_LEASE_WATCH_STALE, BP_LEASE_WATCH_ALIVE, BP_LEASE_WATCH_GONE } bp_lease_verdict;
/** Looks again and again until the lease changed or did not for too long. */
bool bp_lease__watch(const bp_lease_params *params, const bp_lease_found *first,
                     bp_lease_verdict *verdict, GError **error);

/** EXISTS: who holds it and how to go on. */
void bp_lease__set_held(const bp_lease_params *params, const bp_lease_found *found,
                        bp_lease_state state, GError **error);

/**
 * Without exclusive creation: true when our claim was the lowest, and we may write the lease.
 * The claim stays; bp_lease__drop_claim removes it.
 */
bool bp_lease__claim(const bp_lease_params *params, const bp_lease_record *record, GError **error);
void bp_lease__drop_claim(const bp_lease_params *params);

/** Time for others' writes to become visible. */
gint64 bp_lease__settle_ns(const bp_lease_params *params);

#endif
