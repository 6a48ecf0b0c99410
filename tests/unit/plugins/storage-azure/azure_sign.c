/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads requests as JSON, one a line, and prints the signature of each: the other side of
 * tests/integration/test_azure_sign.py.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "plugins/storage-azure/sign.h"

static const char *
text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value == NULL ? "" : value;
}

/* [["name", "value"], …] */
static GArray *
pairs(const json_t *object, const char *name)
{
    size_t i;
    json_t *pair;
    GArray *out = bp_azure_pairs_new();
    json_array_foreach(json_object_get(object, name), i, pair)
    {
        bp_azure_pairs_add(out, json_string_value(json_array_get(pair, 0)),
                           g_strdup(json_string_value(json_array_get(pair, 1))));
    }
    return out;
}

static char *
shared_key(const json_t *request, const bp_secret *key)
{
    g_autoptr(GArray) headers = pairs(request, "headers");
    g_autoptr(GArray) query = pairs(request, "query");
    const struct bp_azure_signable what = {
        .method = text(request, "method"),
        .account = text(request, "account"),
        .path = text(request, "path"),
        .headers = headers,
        .query = query,
        .content_length = (uint64_t)json_integer_value(json_object_get(request, "length")),
    };
    g_autofree char *to_sign = bp_azure_string_to_sign(&what);
    return bp_azure_signature(key, to_sign);
}

static char *
sas(const json_t *request, const bp_secret *key)
{
    const json_t *member = json_object_get(request, "delegation");
    struct bp_azure_delegation delegation = {
        .oid = (char *)text(member, "oid"),
        .tid = (char *)text(member, "tid"),
        .start = (char *)text(member, "start"),
        .expiry = (char *)text(member, "expiry"),
        .service = (char *)text(member, "service"),
        .version = (char *)text(member, "version"),
        .value = bp_secret_new(text(member, "value")),
    };
    const struct bp_azure_sas_params params = {
        .account = text(request, "account"),
        .container = text(request, "container"),
        .blob = text(request, "blob"),
        .permissions = text(request, "permissions"),
        .start = (time_t)json_integer_value(json_object_get(request, "start")),
        .expiry = (time_t)json_integer_value(json_object_get(request, "expiry")),
        .protocol = text(request, "protocol"),
        .key = key,
        .delegation = member == NULL ? NULL : &delegation,
    };
    char *query = bp_azure_sas(&params);
    bp_secret_free(delegation.value);
    return query;
}

int
main(void)
{
    char line[65536];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        json_t *request = json_loads(line, 0, NULL);
        bp_secret *key = bp_secret_new(text(request, "key"));
        g_autofree char *answer = strcmp(text(request, "kind"), "sas") == 0
                                      ? sas(request, key)
                                      : shared_key(request, key);
        puts(answer);
        bp_secret_free(key);
        json_decref(request);
    }
    return 0;
}
