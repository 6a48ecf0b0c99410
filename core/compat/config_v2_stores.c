/* SPDX-License-Identifier: Apache-2.0
 *
 * See config_v2_stores.h.  What that tool refuses in a store is refused here, too.
 */
#include "core/compat/config_v2_stores.h"

#include <string.h>

#include "core/base/error.h"
#include "core/compat/stores.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

typedef struct {
    const bp_translation *t;
    const char *section; /* "milvus" or "backup" */
    bool is_backup;
    bp_compat_store *out;
} store_reading;

/* What the backup's store does not say is as with the other, but for where it is. */
static void
get(const store_reading *r, const char *name, bool inherits, bp_said_value *out)
{
    g_autofree char *own = g_strdup_printf("%s.storage.%s", r->section, name);
    bp_said_get(r->t->said, own, out);
    if (r->is_backup && inherits && out->text == NULL) {
        bp_said_value_clear(out);
        g_autofree char *primary = g_strdup_printf("milvus.storage.%s", name);
        bp_said_get(r->t->said, primary, out);
    }
}

/* A credential that the type does not use must not be given in this very store. */
static void
refuse_unused(const store_reading *r, const char *name, bool is_used, const char *type)
{
    g_autofree char *key = g_strdup_printf("%s.storage.%s", r->section, name);
    g_auto(bp_said_value) value = {0};
    bp_said_get(r->t->said, key, &value);
    if (!is_used && value.given && bp_said_is_text(&value)) {
        bp_said_problem(r->t->said, BP_ERR_INVALID, "%s: auth type %s does not use it",
                        value.origin, type);
    }
}

static void
need(const store_reading *r, const char *name, const bp_said_value *value, const char *who)
{
    if (!bp_said_is_text(value)) {
        bp_said_problem(r->t->said, BP_ERR_INVALID, "%s.storage.%s is missing: %s needs it",
                        r->section, name, who);
    }
}

static bool
has_type(const char *const *types, const char *type)
{
    for (; *types != NULL; types++) {
        if (g_ascii_strcasecmp(*types, type) == 0) {
            return true;
        }
    }
    return false;
}

/* @type: what was said, or the default of the provider. */
static void
take_auth(const store_reading *r, bp_said_value *type)
{
    static const char *const azure_types[] = {"sharedKey", "default", NULL};
    static const char *const s3_types[] = {"static", "iam", "default", NULL};
    bool azure = r->out->provider->family == BP_FAMILY_AZURE;
    if (!bp_said_is_text(type)) {
        g_free(type->text);
        type->text = g_strdup(azure ? "sharedKey" : "static");
    }
    if (!has_type(azure ? azure_types : s3_types, type->text)) {
        bp_said_problem(r->t->said, BP_ERR_INVALID,
                        "%s: %s has no auth type \"%s\"\nhint: there are %s", type->origin,
                        r->out->provider->name, type->text,
                        azure ? "sharedKey and default" : "static, iam and default");
        return;
    }
    bool keys = g_ascii_strcasecmp(type->text, "static") == 0;
    bool shared = g_ascii_strcasecmp(type->text, "sharedKey") == 0;
    bool iam = g_ascii_strcasecmp(type->text, "iam") == 0;
    r->out->auth = keys || shared ? BP_AUTH_KEYS : iam ? BP_AUTH_IAM : BP_AUTH_DEFAULT;
    if (keys) {
        need(r, "auth.accessKeyID", &r->out->access_key, "auth type static");
        need(r, "auth.secretAccessKey", &r->out->secret_key, "auth type static");
    }
    if (shared) {
        need(r, "auth.accountKey", &r->out->account_key, "auth type sharedKey");
    }
    refuse_unused(r, "auth.accessKeyID", keys, type->text);
    refuse_unused(r, "auth.secretAccessKey", keys, type->text);
    refuse_unused(r, "auth.sessionToken", keys, type->text);
    refuse_unused(r, "auth.accountKey", shared, type->text);
    refuse_unused(r, "auth.credentialsFile", false, type->text);
    refuse_unused(r, "auth.endpoint", iam, type->text);
}

static void
check_place(const store_reading *r)
{
    bool local = r->out->provider->family == BP_FAMILY_LOCAL;
    g_auto(bp_said_value) host = {0};
    g_auto(bp_said_value) port = {0};
    get(r, "milvusAddress", false, &host);
    get(r, "milvusPort", false, &port);
    if (!local && bp_said_is_text(&r->out->server_root)) {
        bp_said_problem(r->t->said, BP_ERR_INVALID, "%s: is for the provider local",
                        r->out->server_root.origin);
    }
    if (bp_said_is_text(&host) && (local || strpbrk(host.text, "/:") != NULL)) {
        bp_said_problem(r->t->said, BP_ERR_INVALID, "%s: %s", host.origin,
                        local ? "is not for the provider local" : "is the name of a host alone");
    }
    if (bp_said_is_text(&port) && !bp_said_is_text(&host)) {
        bp_said_problem(r->t->said, BP_ERR_INVALID, "%s: needs milvusAddress", port.origin);
    }
    if (bp_said_is_text(&host)) {
        bp_said_warn(r->t->said, "%s: has no effect: it is for backups of the snapshot format",
                     host.origin);
    }
}

static void
check_account(const store_reading *r)
{
    bool azure = r->out->provider->family == BP_FAMILY_AZURE;
    g_autofree char *key = g_strdup_printf("%s.storage.accountName", r->section);
    g_auto(bp_said_value) own = {0};
    bp_said_get(r->t->said, key, &own);
    if (azure) {
        need(r, "accountName", &r->out->account, "azure");
    } else if (bp_said_is_text(&own)) {
        bp_said_problem(r->t->said, BP_ERR_INVALID, "%s: is for azure", own.origin);
    }
}

static void
read_store(const store_reading *r)
{
    bp_compat_store *s = r->out;
    const struct {
        const char *name;
        bp_said_value *value;
        bool inherits;
    } members[] = {
        {"address", &s->address, true},
        {"port", &s->port, true},
        {"region", &s->region, true},
        {"bucketName", &s->bucket, true},
        {"rootPath", &s->root, false},
        {"localPath", &s->server_root, false},
        {"accountName", &s->account, true},
        {"auth.accessKeyID", &s->access_key, true},
        {"auth.secretAccessKey", &s->secret_key, true},
        {"auth.sessionToken", &s->session_token, true},
        {"auth.accountKey", &s->account_key, true},
        {"auth.endpoint", &s->iam_endpoint, true},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        get(r, members[i].name, members[i].inherits, members[i].value);
    }
}

void
bp_v2_put_store(const bp_translation *t, bool is_backup)
{
    g_auto(bp_said_value) provider = {0};
    g_auto(bp_said_value) tls = {0};
    g_auto(bp_said_value) type = {0};
    g_auto(bp_compat_store)
        s = {.name = is_backup ? BP_COMPAT_BACKUP_STORE : BP_COMPAT_MILVUS_STORE};
    store_reading r = {
        .t = t, .section = is_backup ? "backup" : "milvus", .is_backup = is_backup, .out = &s};
    get(&r, "provider", true, &provider);
    get(&r, "useSSL", true, &tls);
    get(&r, "auth.type", true, &type);
    s.provider_origin = g_strdup(provider.origin);
    s.provider = bp_compat_provider_find(t->said, &provider);
    if (s.provider == NULL) {
        return;
    }
    g_autofree char *port = g_strdup_printf("%s.storage.port", r.section);
    bp_v2_check_port(t, port);
    if (bp_said_is_text(&tls)) { /* what is no boolean was found when everything was read */
        (void)bp_parse_bool(tls.text, &s.use_tls);
    }
    read_store(&r);
    check_place(&r);
    check_account(&r);
    if (s.provider->family != BP_FAMILY_LOCAL) {
        take_auth(&r, &type);
    }
    bp_compat_store_put(t->said, &s, t->out);
}
