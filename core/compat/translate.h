/* SPDX-License-Identifier: Apache-2.0
 *
 * The two dialects, and what both translate alike.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_TRANSLATE_H
#define BP_CORE_COMPAT_TRANSLATE_H

#include "core/compat/stores.h"

typedef struct bp_translation {
    bp_said *said;
    const bp_config_foreign *in;
    bp_node *out;
} bp_translation;

extern const bp_said_table bp_v1_table, bp_v2_table;
/** Problems go to t->said. */
void bp_v1_translate(const bp_translation *t);
void bp_v2_translate(const bp_translation *t);

/** What a key of the first dialect is called in the second, or NULL.  Returns: (transfer full) */
char *bp_v2_successor(const char *name);

/** What the first dialect says in the keys of the second, all of it; origins as there.  @t: `said`
 * of the first, `out` is to be filled.  Problems go to t->said. */
void bp_migrate__second_tree(const bp_translation *t);

/** minio.* or, where that says something, minio.backup*.  false = no such provider. */
bool bp_v1_read_store(const bp_translation *t, bool is_backup, bp_compat_store *s);

/** What configVersion says; NULL = nothing, which means v1. */
const bp_node *bp_translation_version(const bp_node *root);

/* An empty text in these files means "not set". */
void bp_translation_put(const bp_translation *t, const char *path, const bp_said_value *value);
void bp_translation_put_said(const bp_translation *t, const char *path, const char *name);
/** That tool's paths start at the working directory. */
void bp_translation_put_path(const bp_translation *t, const char *path, const char *name);
/** host and port of the server, and what is always so. */
void bp_translation_put_source(const bp_translation *t, const char *host, const char *port);
void bp_translation_put_log(const bp_translation *t);

/** TLS to the server.  @mode: "0", "1" or "2".  @prefix: "milvus." or "milvus.grpc." */
void bp_translation_put_tls(const bp_translation *t, bp_said_value *mode, const char *prefix);

#endif
