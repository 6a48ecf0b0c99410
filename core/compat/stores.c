/* SPDX-License-Identifier: Apache-2.0
 *
 * See stores.h.
 */
#include "core/compat/stores.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"

#include "sdk/lib/ban.h"

static const bp_compat_provider providers[] = {
    {"local", "local", BP_FAMILY_LOCAL},  {"minio", "minio", BP_FAMILY_S3},
    {"s3", "s3", BP_FAMILY_S3},           {"aws", "aws", BP_FAMILY_S3},
    {"gcp", "gcp", BP_FAMILY_S3},         {"aliyun", "aliyun", BP_FAMILY_S3},
    {"ali", "aliyun", BP_FAMILY_S3},      {"alibaba", "aliyun", BP_FAMILY_S3},
    {"alicloud", "aliyun", BP_FAMILY_S3}, {"tencent", "tencent", BP_FAMILY_S3},
    {"tc", "tencent", BP_FAMILY_S3},      {"hwc", "hwc", BP_FAMILY_S3},
    {"azure", "azure", BP_FAMILY_AZURE},
};

const bp_compat_provider *
bp_compat_provider_find(bp_said *said, const bp_said_value *value)
{
    const char *names[G_N_ELEMENTS(providers)];
    for (gsize i = 0; i < G_N_ELEMENTS(providers); i++) {
        if (g_ascii_strcasecmp(providers[i].alias, value->text) == 0) {
            return &providers[i];
        }
        names[i] = providers[i].alias;
    }
    if (g_ascii_strcasecmp(value->text, "gcpnative") == 0) {
        bp_said_problem(said, BP_ERR_UNSUPPORTED,
                        "%s: bakplane does not speak Google's JSON API\n"
                        "hint: use storageType gcp with interoperability (HMAC) keys",
                        value->origin);
        return NULL;
    }
    const char *nearest = bp_text_nearest(value->text, names, G_N_ELEMENTS(names));
    g_autofree char *hint =
        nearest != NULL
            ? g_strdup_printf("did you mean \"%s\"?", nearest)
            : g_strdup("known are local, minio, s3, aws, gcp, azure, aliyun, tencent, hwc");
    bp_said_problem(said, BP_ERR_INVALID, "%s: unknown storage type \"%s\"\nhint: %s",
                    value->origin, value->text, hint);
    return NULL;
}

char *
bp_compat_join_address(const char *host, const char *port)
{
    bool bare_v6 = strchr(host, ':') != strrchr(host, ':') && host[0] != '[';
    const char *after = strchr(host, ']') != NULL ? strchr(host, ']') : host;
    if (port == NULL || *port == '\0' || (!bare_v6 && strchr(after, ':') != NULL)) {
        return g_strdup(host); /* has its port already */
    }
    return g_strdup_printf(bare_v6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void
put_text(const bp_compat_store *s, bp_node *out, const char *key, const char *text,
         const char *origin)
{
    if (text != NULL && *text != '\0') {
        g_autofree char *path = g_strdup_printf("storages.%s.%s", s->name, key);
        bp_node_put(out, path, text, origin);
    }
}

static void
put(const bp_compat_store *s, bp_node *out, const char *key, const bp_said_value *value)
{
    put_text(s, out, key, value->text, value->origin);
}

/* The root path as a path of this machine, absolute: cutting off its '/' loses all data. */
static void
put_local(bp_said *said, const bp_compat_store *s, bp_node *out)
{
    if (!s->root.given || !bp_said_is_text(&s->root)) {
        bp_said_problem(said, BP_ERR_INVALID,
                        "%s: storage type local needs a rootPath\n"
                        "hint: set it to the directory that Milvus keeps its data in",
                        s->provider_origin);
        return;
    }
    g_autofree char *absolute = g_canonicalize_filename(s->root.text, NULL);
    if (!g_path_is_absolute(s->root.text)) {
        bp_said_warn(said, "%s: the path \"%s\" is relative and taken as %s", s->root.origin,
                     s->root.text, absolute);
    }
    put_text(s, out, "root", absolute, s->root.origin);
    if (bp_said_is_text(&s->server_root)) {
        put(s, out, "server_root", &s->server_root);
    } else {
        put_text(s, out, "server_root", absolute, s->root.origin);
    }
}

/* In a bucket the root path is a prefix: without '/' at its ends. */
static void
put_prefix(const bp_compat_store *s, bp_node *out)
{
    const char *text = s->root.text != NULL ? s->root.text : "";
    const char *start = text + strspn(text, "/");
    gsize n = strlen(start);
    while (n > 0 && start[n - 1] == '/') {
        n--;
    }
    g_autofree char *prefix = g_strndup(start, n);
    put_text(s, out, "prefix", prefix, s->root.origin);
}

static void
put_s3(const bp_compat_store *s, bp_node *out)
{
    g_autofree char *address = bp_compat_join_address(s->address.text, s->port.text);
    g_autofree char *endpoint = g_strdup_printf("%s://%s", s->use_tls ? "https" : "http", address);
    put_text(s, out, "provider", s->provider->name, s->provider_origin);
    put_text(s, out, "endpoint", endpoint, s->address.origin);
    put(s, out, "region", &s->region);
    put(s, out, "bucket", &s->bucket);
    put_prefix(s, out);
    if (s->auth == BP_AUTH_IAM) {
        put_text(s, out, "credentials", "iam", s->provider_origin);
        put(s, out, "iam_endpoint", &s->iam_endpoint);
    } else if (s->auth == BP_AUTH_KEYS) {
        put(s, out, "access_key", &s->access_key);
        put(s, out, "secret_key", &s->secret_key);
        put(s, out, "session_token", &s->session_token);
    }
}

static void
put_azure(const bp_compat_store *s, bp_node *out)
{
    put(s, out, "endpoint_suffix", &s->address);
    put(s, out, "account", &s->account);
    put(s, out, "container", &s->bucket);
    put_prefix(s, out);
    if (s->auth == BP_AUTH_KEYS) { /* else the plugin takes what this machine has */
        put(s, out, "account_key", &s->account_key);
    }
}

void
bp_compat_store_put(bp_said *said, const bp_compat_store *s, bp_node *out)
{
    static const char *const plugins[] = {
        [BP_FAMILY_LOCAL] = "local", [BP_FAMILY_S3] = "s3", [BP_FAMILY_AZURE] = "azure"};
    bool makes_bucket = strcmp(s->name, BP_COMPAT_BACKUP_STORE) == 0;
    put_text(s, out, "plugin", plugins[s->provider->family], s->provider_origin);
    switch (s->provider->family) {
    case BP_FAMILY_LOCAL:
        put_local(said, s, out);
        return;
    case BP_FAMILY_S3:
        put_s3(s, out);
        break;
    case BP_FAMILY_AZURE:
        put_azure(s, out);
        break;
    }
    if (makes_bucket) { /* that tool makes the bucket of the backups when it is missing */
        put_text(s, out,
                 s->provider->family == BP_FAMILY_AZURE ? "create_container" : "create_bucket",
                 "true", "as milvus-backup does");
    }
}

void
bp_compat_store_clear(bp_compat_store *s)
{
    bp_said_value *const values[] = {
        &s->address,       &s->port,        &s->region,      &s->bucket,
        &s->root,          &s->server_root, &s->access_key,  &s->secret_key,
        &s->session_token, &s->account,     &s->account_key, &s->iam_endpoint,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        bp_said_value_clear(values[i]);
    }
    g_clear_pointer(&s->provider_origin, g_free);
}
