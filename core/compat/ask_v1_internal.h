/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps from a request of milvus-backup's to one of ours, for ask_v1*.c only.  Their errors do not
 * name the field: the caller does.
 */
#ifndef BP_CORE_COMPAT_ASK_V1_INTERNAL_H
#define BP_CORE_COMPAT_ASK_V1_INTERNAL_H

#include <jansson.h>

#include "core/config/config.h"

typedef struct bp_v1_refusal {
    const char *field, *why;
} bp_v1_refusal;

/** UNSUPPORTED, naming the field, when one of them is said. */
bool bp_v1__refuse(const json_t *message, const bp_v1_refusal *refusals, gsize n, GError **error);
/** Warns about those that are said beside another one that comes first.  @fields: up to NULL. */
void bp_v1__keep_first(const json_t *message, const char *const *fields);
/** NULL for what is empty. */
const char *bp_v1__text(const json_t *message, const char *field);

bool bp_v1__take_storage(json_t *request, const bp_config_tree *config, const char *bucket,
                         const char *path, GError **error);
/** A list of names as a comma list in that member. */
bool bp_v1__take_names(json_t *request, const char *member, const json_t *names, GError **error);
/** {"db": {"colls": […]}} as `filter`. */
bool bp_v1__take_filter(json_t *request, const json_t *filter, GError **error);
/** {"db": […]}, or that as a text.  NULL is empty.  Returns: (transfer full) (nullable) */
json_t *bp_v1__databases(const json_t *value, GError **error);
/** The same as `database_collections`, or as `filter`. */
bool bp_v1__take_databases(json_t *request, const json_t *value, GError **error);
bool bp_v1__take_databases_as_filter(json_t *request, const json_t *value, GError **error);
/** "key=value". */
void bp_v1__add_setting(json_t *request, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
