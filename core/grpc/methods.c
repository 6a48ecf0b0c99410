/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of methods; those of core/server/v1.h are in it as they are there.
 */
#include "core/grpc/method.h"

#include <string.h>

#include "sdk/lib/ban.h"

static bool
answer_v1(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    (void)error; /* failures are in the answer */
    bp_v1_call call = {.request = ask->request,
                       .request_id = ask->request_id,
                       .origin = "grpc",
                       .stopping = ask->stopping};
    out->answer = ask->method->operation->run(ask->service, &call);
    return true;
}

static void
method_free(gpointer element)
{
    bp_grpc_method *method = element;
    g_free((char *)method->path);
    g_free(method);
}

static void
add(GHashTable *table, const bp_grpc_method *method)
{
    bp_grpc_method *kept = g_memdup2(method, sizeof *method);
    kept->path = g_strdup(method->path);
    (void)g_hash_table_replace(table, (gpointer)kept->path, kept);
}

static void
add_all(GHashTable *table, const bp_grpc_method *methods, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        add(table, &methods[i]);
    }
}

GHashTable *
bp_grpc_methods_new(void)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, method_free);
    for (gsize i = 0; i < bp_v1_n_operations; i++) {
        const bp_v1_operation *operation = &bp_v1_operations[i];
        if (!operation->in_service) {
            continue;
        }
        g_autofree char *path = g_strconcat("/" BP_V1_SERVICE "/", operation->name, NULL);
        bp_grpc_method method = {.path = path,
                                 .request = operation->request,
                                 .response = operation->response,
                                 .role = operation->role,
                                 .kind = BP_GRPC_ONE,
                                 .lane = operation->role == BP_ROLE_OPERATE ? BP_GRPC_WAITING
                                                                            : BP_GRPC_STORAGE,
                                 .answer = answer_v1,
                                 .operation = operation};
        add(table, &method);
    }
    add_all(table, bp_grpc_jobs_methods, bp_grpc_jobs_n_methods);
    add_all(table, bp_grpc_health_methods, bp_grpc_health_n_methods);
    add_all(table, bp_grpc_reflection_methods, bp_grpc_reflection_n_methods);
    return table;
}
