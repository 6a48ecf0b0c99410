/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptors of all services, by the names that reflection is asked for.  Only for core/grpc.
 */
#ifndef BP_CORE_GRPC_REFLECTION_H
#define BP_CORE_GRPC_REFLECTION_H

#include <glib.h>
#include <jansson.h>

typedef struct bp_grpc_names {
    GHashTable *files;   /* name -> file in base64; both char* */
    GHashTable *symbols; /* "package.Message", "package.Service.Method" -> file in base64 */
    json_t *services;    /* [{"name": …}] */
} bp_grpc_names;

/** Of what the build has embedded; aborts when that is broken.  Read-only: any thread may look.
 * Returns: (transfer full) */
bp_grpc_names *bp_grpc_names_new(void);
void bp_grpc_names_free(bp_grpc_names *names);

#endif
