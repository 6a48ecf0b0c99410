/* SPDX-License-Identifier: Apache-2.0
 *
 * Access to the source of a copy.
 */
#include "plugins/storage-azure/source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/text.h"
#include "plugins/storage-azure/token.h"
#include "sdk/http/xml.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define SAS_BACK_S (15 * 60)
#define SAS_AHEAD_S (60 * 60)
#define DELEGATION_S (24 * 60 * 60)
/* A key that ends before the SAS would end the SAS. */
#define DELEGATION_SPARE_S (SAS_AHEAD_S + 5 * 60)
#define MAX_ANSWER ((size_t)64 << 10)

static struct bp_azure_delegation *
copy_delegation(const struct bp_azure_delegation *key)
{
    struct bp_azure_delegation *copy = g_new0(struct bp_azure_delegation, 1);
    copy->oid = g_strdup(key->oid);
    copy->tid = g_strdup(key->tid);
    copy->start = g_strdup(key->start);
    copy->expiry = g_strdup(key->expiry);
    copy->service = g_strdup(key->service);
    copy->version = g_strdup(key->version);
    copy->value = bp_secret_new(bp_secret_get(key->value));
    return copy;
}

static struct bp_azure_delegation *
parse_delegation(const bp_xml *xml)
{
    const bp_xml_node *root = bp_xml_root(xml);
    const char *texts[] = {bp_xml_text(root, "SignedOid"),     bp_xml_text(root, "SignedTid"),
                           bp_xml_text(root, "SignedStart"),   bp_xml_text(root, "SignedExpiry"),
                           bp_xml_text(root, "SignedService"), bp_xml_text(root, "SignedVersion"),
                           bp_xml_text(root, "Value")};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (texts[i] == NULL || texts[i][0] == '\0') {
            return NULL;
        }
    }
    struct bp_azure_delegation *key = g_new0(struct bp_azure_delegation, 1);
    key->oid = g_strdup(texts[0]);
    key->tid = g_strdup(texts[1]);
    key->start = g_strdup(texts[2]);
    key->expiry = g_strdup(texts[3]);
    key->service = g_strdup(texts[4]);
    key->version = g_strdup(texts[5]);
    key->value = bp_secret_new(texts[6]);
    return key;
}

/* Get User Delegation Key. */
static bp_status
fetch_delegation(struct bp_storage *storage, const struct bp_op *op, time_t now,
                 struct bp_azure_delegation **out, struct bp_error *error)
{
    bp_xml *xml = NULL;
    struct bp_azure_exchange *x = NULL;
    struct bp_azure_request request;
    char start[BP_AZURE_TIME], expiry[BP_AZURE_TIME];
    bp_azure_iso_date(now - SAS_BACK_S, start);
    bp_azure_iso_date(now + DELEGATION_S, expiry);
    g_autofree char *body =
        g_strdup_printf("<?xml version=\"1.0\" encoding=\"utf-8\"?><KeyInfo><Start>%s</Start>"
                        "<Expiry>%s</Expiry></KeyInfo>",
                        start, expiry);
    bp_azure_request_init(&request, BP_AZURE_SERVICE, "POST", NULL, "get a user delegation key");
    bp_azure_add_query(&request, "restype", "service");
    bp_azure_add_query(&request, "comp", "userdelegationkey");
    bp_azure_add_header(&request, "Content-Type", "application/xml");
    request.body = body;
    request.body_size = strlen(body);
    bp_status status = bp_azure_begin(storage, op, &request, &x, error);
    bp_azure_request_clear(&request);
    if (status == BP_OK) {
        status = bp_azure_finish_xml(x, op, MAX_ANSWER, &xml, error);
    }
    if (status == BP_OK && (*out = parse_delegation(xml)) == NULL) {
        status = bp_fail(error, BP_ERR_PERMANENT,
                         "account %s: the answer is no user delegation key", storage->set.account);
    }
    bp_xml_free(xml);
    bp_azure_end(x);
    return status;
}

/* A copy of the instance's key; two threads may fetch one at the same time, which is harmless. */
static bp_status
get_delegation(struct bp_storage *storage, const struct bp_op *op, time_t now,
               struct bp_azure_delegation **out, struct bp_error *error)
{
    struct bp_azure_delegation *fresh = NULL;
    *out = NULL;
    pthread_mutex_lock(&storage->lock);
    if (storage->delegation != NULL && now < storage->delegation_until) {
        *out = copy_delegation(storage->delegation);
    }
    pthread_mutex_unlock(&storage->lock);
    if (*out != NULL) {
        return BP_OK;
    }
    bp_status status = fetch_delegation(storage, op, now, &fresh, error);
    if (status != BP_OK) {
        return status;
    }
    *out = copy_delegation(fresh);
    time_t end = bp_azure_parse_iso_date(fresh->expiry);
    pthread_mutex_lock(&storage->lock);
    struct bp_azure_delegation *old = storage->delegation;
    storage->delegation = fresh;
    storage->delegation_until = end - DELEGATION_SPARE_S;
    pthread_mutex_unlock(&storage->lock);
    bp_azure_delegation_free(old);
    return BP_OK;
}

static char *
signed_sas(const struct bp_storage *src, const char *key,
           const struct bp_azure_delegation *delegation, time_t now)
{
    g_autofree char *blob = g_strconcat(src->set.prefix, key, NULL);
    const struct bp_azure_sas_params params = {
        .account = src->set.account,
        .container = src->set.container,
        .blob = blob,
        .permissions = "r",
        .start = now - SAS_BACK_S,
        .expiry = now + SAS_AHEAD_S,
        .protocol = g_str_has_prefix(src->set.endpoint, "https:") ? "https" : "https,http",
        .key = src->set.key,
        .delegation = delegation,
    };
    return bp_azure_sas(&params);
}

/* No key may be had of the service: then its token, where the destination's service takes one. */
static bp_status
open_by_bearer(struct bp_azure_source *source, const struct bp_op *op, struct bp_error *error)
{
    uint64_t generation;
    bp_secret *token = NULL;
    if (atomic_load(&source->src->no_bearer) != 0) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "account %s: its token is not taken for a copy, nor may it sign a SAS",
                       source->src->set.account);
    }
    bp_status status = bp_azure_tokens_get(source->src->tokens, op, &token, &generation, error);
    if (status == BP_OK) {
        source->bearer = g_strdup_printf("Bearer %s", bp_secret_get(token));
    }
    bp_secret_free(token);
    return status;
}

static bp_status
open_by_identity(struct bp_azure_source *source, const struct bp_op *op, const char *key,
                 char **sas, struct bp_error *error)
{
    time_t now = time(NULL);
    struct bp_azure_delegation *delegation = NULL;
    bp_status status = get_delegation(source->src, op, now, &delegation, error);
    if (status == BP_OK) {
        *sas = signed_sas(source->src, key, delegation, now);
        bp_azure_delegation_free(delegation);
        return BP_OK;
    }
    if (status != BP_ERR_DENIED && status != BP_ERR_UNSUPPORTED && status != BP_ERR_INVALID) {
        return status;
    }
    bp_hostlog(source->src->host, op, BP_LOG_DEBUG, "copies are authorised by the token: %s",
               error->message);
    return open_by_bearer(source, op, error);
}

static void
wipe(char **text)
{
    if (*text != NULL) {
        bp_secret_wipe(*text, strlen(*text));
        g_clear_pointer(text, g_free);
    }
}

bp_status
bp_azure_source_open(struct bp_azure_source *source, struct bp_storage *dst, struct bp_storage *src,
                     const struct bp_op *op, const char *key, struct bp_error *error)
{
    char *sas = NULL;
    bp_status status = BP_OK;
    *source = (struct bp_azure_source){.dst = dst, .src = src};
    switch (src->set.login) {
    case BP_AZURE_KEY:
        sas = signed_sas(src, key, NULL, time(NULL));
        break;
    case BP_AZURE_SAS:
        sas = g_strdup(bp_secret_get(src->set.sas));
        break;
    default:
        status = open_by_identity(source, op, key, &sas, error);
    }
    if (status == BP_OK) {
        g_autofree char *blob = bp_azure_blob_url(src, key);
        source->url = sas == NULL ? g_strdup(blob) : g_strdup_printf("%s?%s", blob, sas);
    }
    wipe(&sas);
    return status;
}

void
bp_azure_source_add(const struct bp_azure_source *source, struct bp_azure_request *request)
{
    bp_azure_add_header(request, "x-ms-copy-source", "%s", source->url);
    if (source->bearer != NULL) {
        bp_azure_add_header(request, "x-ms-copy-source-authorization", "%s", source->bearer);
    }
}

static bp_status
as_unsupported(struct bp_error *error)
{
    error->cls = BP_ERR_UNSUPPORTED;
    return BP_ERR_UNSUPPORTED;
}

bp_status
bp_azure_source_judge(const struct bp_azure_source *source, bp_status status,
                      struct bp_error *error)
{
    bool about_source = strcmp(error->code, "CannotVerifyCopySource") == 0;
    switch (status) {
    case BP_ERR_DENIED:
    case BP_ERR_AUTH:
        /* Else it is the destination's login that was refused. */
        if (source->bearer != NULL && about_source) {
            atomic_store(&source->src->no_bearer, 1);
        }
        /* An expired login of the destination must not end direct copies for the whole job. */
        return about_source || status == BP_ERR_DENIED ? as_unsupported(error) : status;
    case BP_ERR_INVALID:
        /* A header that this server does not know, or a URL that it cannot reach. */
        return as_unsupported(error);
    default:
        return status;
    }
}

void
bp_azure_source_close(struct bp_azure_source *source)
{
    wipe(&source->url);
    wipe(&source->bearer);
}
