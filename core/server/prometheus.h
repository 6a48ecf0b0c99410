/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing metrics in Prometheus' text format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats).  Pure; any thread.
 */
#ifndef BP_CORE_SERVER_PROMETHEUS_H
#define BP_CORE_SERVER_PROMETHEUS_H

#include <glib.h>

#define BP_PROM_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef enum { BP_PROM_COUNTER, BP_PROM_GAUGE, BP_PROM_HISTOGRAM } bp_prom_kind;

/** What samples of one name have in common; they follow it, without another's between them. */
typedef struct bp_prom_family {
    const char *name;
    bp_prom_kind kind;
    const char *help; /* one sentence */
} bp_prom_family;
void bp_prom_begin(GString *out, const bp_prom_family *family);

/** @labels: name, value, name, value, … NULL, or NULL; values may hold anything. */
void bp_prom_sample(GString *out, const bp_prom_family *family, const char *const *labels,
                    double value);

/** A histogram's samples. */
typedef struct bp_prom_buckets {
    const guint64 *bounds; /* upper ends, in units */
    const guint64 *counts; /* of each bucket by itself, one more than bounds: beyond the last */
    gsize n;               /* bounds */
    double per_unit;       /* to multiply bounds and sum with, so that they are seconds or bytes */
    guint64 sum;           /* in units */
} bp_prom_buckets;
void bp_prom_histogram(GString *out, const bp_prom_family *family, const char *const *labels,
                       const bp_prom_buckets *buckets);

#endif
