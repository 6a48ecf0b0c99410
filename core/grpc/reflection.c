/* SPDX-License-Identifier: Apache-2.0
 *
 * grpc.reflection.v1 and v1alpha: the .proto files as the build has compiled them, so that generic
 * clients can make calls.  A file comes without those that it imports: who needs them asks.
 */
#include "core/grpc/reflection.h"

#include <grpc/status.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/grpc/descriptors.h"
#include "core/grpc/internal.h"
#include "core/grpc/messages.h"
#include "core/grpc/wire.h"

#include "sdk/lib/ban.h"

static void
add_symbol(bp_grpc_names *names, const char *scope, const char *name, const char *file)
{
    char *full = *scope != '\0' ? g_strdup_printf("%s.%s", scope, name) : g_strdup(name);
    (void)g_hash_table_replace(names->symbols, full, (gpointer)file);
}

/* Each with a name; what lies in them is theirs. */
static void
add_symbols(bp_grpc_names *names, const json_t *list, const char *scope, const char *file)
{
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *name = bp_json_text(one, "name", "");
        g_autofree char *inner = g_strdup_printf("%s.%s", scope, name);
        add_symbol(names, scope, name, file);
        add_symbols(names, json_object_get(one, "nested_type"), inner, file);
        add_symbols(names, json_object_get(one, "enum_type"), inner, file);
        add_symbols(names, json_object_get(one, "method"), inner, file);
    }
}

static void
add_file(bp_grpc_names *names, const char *base64)
{
    gsize n = 0;
    g_autofree guchar *bytes = g_base64_decode(base64, &n);
    g_autoptr(json_t) file = bp_wire_read(&bp_grpc_file, bytes, n, NULL);
    g_assert(file != NULL); /* ours: a test reads it, too */
    const char *package = bp_json_text(file, "package", "");
    const json_t *services = json_object_get(file, "service");
    char *kept = g_strdup(base64);
    (void)g_hash_table_replace(names->files, g_strdup(bp_json_text(file, "name", "")), kept);
    add_symbols(names, json_object_get(file, "message_type"), package, kept);
    add_symbols(names, json_object_get(file, "enum_type"), package, kept);
    add_symbols(names, services, package, kept);
    for (gsize i = 0; i < json_array_size(services); i++) {
        const char *name = bp_json_text(json_array_get(services, i), "name", "");
        g_autofree char *full = g_strdup_printf("%s.%s", package, name);
        json_array_append_new(names->services, json_pack("{s:s}", "name", full));
    }
}

bp_grpc_names *
bp_grpc_names_new(void)
{
    bp_grpc_names *names = g_new0(bp_grpc_names, 1);
    names->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    names->symbols = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    names->services = json_array();
    g_autoptr(json_t) set =
        bp_wire_read(&bp_grpc_file_set, bp_grpc_descriptors, bp_grpc_n_descriptors, NULL);
    const json_t *files = json_object_get(set, "file");
    g_assert(files != NULL);
    for (gsize i = 0; i < json_array_size(files); i++) {
        add_file(names, json_string_value(json_array_get(files, i)));
    }
    return names;
}

void
bp_grpc_names_free(bp_grpc_names *names)
{
    if (names != NULL) {
        g_hash_table_unref(names->symbols);
        g_hash_table_unref(names->files);
        json_decref(names->services);
        g_free(names);
    }
}

static json_t *
not_found(const char *what)
{
    g_autofree char *text = g_strdup_printf("there is no %s", what);
    return json_pack("{s:{s:i,s:s}}", "error_response", "error_code", GRPC_STATUS_NOT_FOUND,
                     "error_message", text);
}

static json_t *
file_of(GHashTable *table, const char *name, const char *what)
{
    const char *base64 = g_hash_table_lookup(table, name);
    return base64 != NULL ? json_pack("{s:{s:[s]}}", "file_descriptor_response",
                                      "file_descriptor_proto", base64)
                          : not_found(what);
}

static json_t *
answer_to(const bp_grpc_names *names, const json_t *request)
{
    const char *name = NULL;
    if ((name = bp_json_text(request, "file_by_filename", NULL)) != NULL) {
        return file_of(names->files, name, "such file");
    }
    if ((name = bp_json_text(request, "file_containing_symbol", NULL)) != NULL) {
        return file_of(names->symbols, name, "such symbol");
    }
    if (json_object_get(request, "list_services") != NULL) {
        return json_pack("{s:{s:O}}", "list_services_response", "service", names->services);
    }
    if (json_object_get(request, "file_containing_extension") != NULL) {
        return not_found("extension of anything");
    }
    name = bp_json_text(request, "all_extension_numbers_of_type", NULL);
    if (name != NULL && g_hash_table_contains(names->symbols, name)) {
        return json_pack("{s:{s:s}}", "all_extension_numbers_response", "base_type_name", name);
    }
    return name != NULL
               ? not_found("such type")
               : json_pack("{s:{s:i,s:s}}", "error_response", "error_code",
                           GRPC_STATUS_INVALID_ARGUMENT, "error_message", "nothing is asked");
}

static bool
info(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    (void)error;
    out->answer = answer_to(ask->grpc->names, ask->request);
    json_object_set_new(out->answer, "valid_host",
                        json_string(bp_json_text(ask->request, "host", "")));
    json_object_set(out->answer, "original_request", (json_t *)ask->request);
    return true;
}

#define REFLECTION(version)                                                               \
    {                                                                                     \
        .path = "/grpc.reflection." version ".ServerReflection/ServerReflectionInfo",     \
        .request = &bp_grpc_reflection_request, .response = &bp_grpc_reflection_response, \
        .role = BP_ROLE_READ, .kind = BP_GRPC_CHAT, .lane = BP_GRPC_QUICK, .answer = info \
    }

const bp_grpc_method bp_grpc_reflection_methods[] = {
    REFLECTION("v1"),
    REFLECTION("v1alpha"),
};
const gsize bp_grpc_reflection_n_methods = G_N_ELEMENTS(bp_grpc_reflection_methods);
