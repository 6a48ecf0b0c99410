/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures.
 */
#include "plugins/storage-azure/sign.h"

#include <inttypes.h>
#include <string.h>

#include "plugins/storage-azure/text.h"

#include "sdk/lib/ban.h"

static void
clear_pair(gpointer data)
{
    struct bp_azure_pair *pair = data;
    g_free(pair->name);
    g_free(pair->value);
}

GArray *
bp_azure_pairs_new(void)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(struct bp_azure_pair));
    g_array_set_clear_func(pairs, clear_pair);
    return pairs;
}

void
bp_azure_pairs_add(GArray *pairs, const char *name, char *take_value)
{
    struct bp_azure_pair pair = {g_strdup(name), take_value};
    g_array_append_val(pairs, pair);
}

static const struct bp_azure_pair *
pair_at(const GArray *pairs, guint i)
{
    return &g_array_index(pairs, struct bp_azure_pair, i);
}

/* One line: the header's value, or nothing. */
static void
add_standard_header(GString *out, const GArray *headers, const char *name)
{
    for (guint i = 0; i < headers->len; i++) {
        if (g_ascii_strcasecmp(pair_at(headers, i)->name, name) == 0) {
            g_string_append(out, pair_at(headers, i)->value);
        }
    }
    g_string_append_c(out, '\n');
}

static int
compare_lines(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static void
add_sorted(GString *out, GPtrArray *lines)
{
    g_ptr_array_sort(lines, compare_lines);
    for (guint i = 0; i < lines->len; i++) {
        g_string_append(out, g_ptr_array_index(lines, i));
    }
}

/* The reference sorts by name alone; ours differ in their names, and ':' sorts behind '-', so that
 * the separator is written as a byte below all others until the lines are in order. */
static void
add_own_headers(GString *out, const GArray *headers)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < headers->len; i++) {
        if (g_ascii_strncasecmp(pair_at(headers, i)->name, "x-ms-", 5) == 0) {
            g_autofree char *name = g_ascii_strdown(pair_at(headers, i)->name, -1);
            g_autofree char *value = g_strstrip(g_strdup(pair_at(headers, i)->value));
            g_ptr_array_add(lines, g_strdup_printf("%s\001%s\n", name, value));
        }
    }
    gsize from = out->len;
    add_sorted(out, lines);
    for (gsize i = from; i < out->len; i++) {
        if (out->str[i] == '\001') {
            out->str[i] = ':';
        }
    }
}

static void
add_resource(GString *out, const struct bp_azure_signable *what)
{
    g_string_append_printf(out, "/%s%s", what->account, what->path);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < what->query->len; i++) {
        g_autofree char *name = g_ascii_strdown(pair_at(what->query, i)->name, -1);
        g_ptr_array_add(lines, g_strdup_printf("\n%s:%s", name, pair_at(what->query, i)->value));
    }
    add_sorted(out, lines);
}

char *
bp_azure_string_to_sign(const struct bp_azure_signable *what)
{
    static const char *const before_length[] = {"Content-Encoding", "Content-Language"};
    static const char *const behind_length[] = {
        "Content-MD5",   "Content-Type",        "Date", "If-Modified-Since", "If-Match",
        "If-None-Match", "If-Unmodified-Since", "Range"};
    GString *out = g_string_new(what->method);
    g_string_append_c(out, '\n');
    for (gsize i = 0; i < G_N_ELEMENTS(before_length); i++) {
        add_standard_header(out, what->headers, before_length[i]);
    }
    if (what->content_length > 0) { /* since 2015-02-21: nothing for 0 */
        g_string_append_printf(out, "%" PRIu64, what->content_length);
    }
    g_string_append_c(out, '\n');
    for (gsize i = 0; i < G_N_ELEMENTS(behind_length); i++) {
        add_standard_header(out, what->headers, behind_length[i]);
    }
    add_own_headers(out, what->headers);
    add_resource(out, what);
    return g_string_free(out, FALSE);
}

char *
bp_azure_signature(const bp_secret *key, const char *text)
{
    gsize key_size, digest_size = 32;
    guint8 digest[32];
    guchar *bytes = g_base64_decode(bp_secret_get(key), &key_size);
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, bytes, key_size);
    bp_secret_wipe(bytes, key_size);
    g_free(bytes);
    g_hmac_update(hmac, (const guchar *)text, -1);
    g_hmac_get_digest(hmac, digest, &digest_size);
    g_hmac_unref(hmac);
    return bp_azure_base64(digest, digest_size);
}

void
bp_azure_delegation_free(struct bp_azure_delegation *delegation)
{
    if (delegation != NULL) {
        g_free(delegation->oid);
        g_free(delegation->tid);
        g_free(delegation->start);
        g_free(delegation->expiry);
        g_free(delegation->service);
        g_free(delegation->version);
        bp_secret_free(delegation->value);
        g_free(delegation);
    }
}

/* The members of a delegation key that are signed, then three about the agent that we leave out. */
static void
add_delegation_lines(GString *out, const struct bp_azure_delegation *key)
{
    g_string_append_printf(out, "%s\n%s\n%s\n%s\n%s\n%s\n\n\n\n", key->oid, key->tid, key->start,
                           key->expiry, key->service, key->version);
}

static void
add_query(GString *out, const char *name, const char *value)
{
    g_autofree char *encoded = bp_azure_encode(value, false);
    g_string_append_printf(out, "%s%s=%s", out->len > 0 ? "&" : "", name, encoded);
}

static void
add_delegation_query(GString *out, const struct bp_azure_delegation *key)
{
    add_query(out, "skoid", key->oid);
    add_query(out, "sktid", key->tid);
    add_query(out, "skt", key->start);
    add_query(out, "ske", key->expiry);
    add_query(out, "sks", key->service);
    add_query(out, "skv", key->version);
}

char *
bp_azure_sas(const struct bp_azure_sas_params *params)
{
    char start[BP_AZURE_TIME], expiry[BP_AZURE_TIME];
    const struct bp_azure_delegation *delegation = params->delegation;
    bp_azure_iso_date(params->start, start);
    bp_azure_iso_date(params->expiry, expiry);

    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s\n%s\n%s\n/blob/%s/%s/%s\n", params->permissions, start, expiry,
                           params->account, params->container, params->blob);
    if (delegation != NULL) {
        add_delegation_lines(text, delegation);
    } else {
        g_string_append_c(text, '\n'); /* no stored policy */
    }
    /* No address; protocol, version, kind; no snapshot, no scope; no headers of the answer. */
    g_string_append_printf(text, "\n%s\n%s\nb\n\n\n\n\n\n\n", params->protocol, BP_AZURE_VERSION);
    g_autofree char *signature =
        bp_azure_signature(delegation != NULL ? delegation->value : params->key, text->str);

    GString *out = g_string_new(NULL);
    add_query(out, "sv", BP_AZURE_VERSION);
    add_query(out, "sr", "b");
    add_query(out, "sp", params->permissions);
    add_query(out, "st", start);
    add_query(out, "se", expiry);
    add_query(out, "spr", params->protocol);
    if (delegation != NULL) {
        add_delegation_query(out, delegation);
    }
    add_query(out, "sig", signature);
    return g_string_free(out, FALSE);
}
