/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may write a backup.  The lease is one object, created exclusively and renewed by a thread
 * of its own every 30 s.  It is stale when it did not change over several renewals by the
 * observer's monotonic clock; clocks of two machines are never compared.  A holder on this very
 * host and boot whose process is gone is stale at once.
 *
 * Storages without exclusive creation: refused, unless advisory locking was configured (write a
 * claim, settle, list claims, lowest run id wins).
 */
#ifndef BP_CORE_CATALOG_LEASE_H
#define BP_CORE_CATALOG_LEASE_H

#include "core/base/clock.h"
#include "core/catalog/catalog.h"

typedef struct bp_lease bp_lease;

/** How often a lease is renewed, outside of tests. */
#define BP_LEASE_RENEW_NS (30 * BP_NS_PER_S)

typedef struct bp_lease_params {
    const bp_catalog *catalog;
    const char *key; /* of the lease object: "<name>/bakplane/lease.json" */
    const char *run_id;
    const char *purpose; /* "create", "copy", "delete" …: for the message to others */
    bool advisory;       /* lock: advisory */
    bool wait_stale;     /* watch a lease that may be stale until it is proven so, or lives */
    gint64 renew_ns;     /* 30 s; shorter in tests */
    bp_cancel *on_loss;  /* triggered when the lease was lost to somebody else, or NULL */
} bp_lease_params;

/**
 * EXISTS names the holder (host, pid, since, purpose) and says how to go on.  An outcome that is
 * unknown is answered by reading: our run id = ours.
 */
bp_lease *bp_lease_take(const bp_lease_params *params, GError **error);
/** false (STALE) when somebody else holds it now or renewals have failed for too long. */
bool bp_lease_check(const bp_lease *lease, GError **error);
/**
 * Of work that ended while the lease was lost: makes `error` (not NULL) say so.  What the loss
 * alone has stopped gets its reason; a reason of its own stays, and the loss is its hint.
 * @user: the cancel that is not the loss's.  Returns: the lease is still held, nothing was changed.
 */
bool bp_lease_blame(const bp_lease *lease, const bp_cancel *user, GError **error);
/** Removes the object and stops the renewals. */
void bp_lease_free(bp_lease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_lease, bp_lease_free)

typedef enum { BP_LEASE_NONE, BP_LEASE_LIVE, BP_LEASE_DEAD, BP_LEASE_UNKNOWN } bp_lease_state;
/** One look, no waiting: DEAD only when the holder was on this host and boot and is gone. */
bool bp_lease_look(const bp_catalog *catalog, const char *key, bp_lease_state *state, char **holder,
                   GError **error);

#endif
