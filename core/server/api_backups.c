/* SPDX-License-Identifier: Apache-2.0
 *
 * See api_backups.h.  What is looked at is looked at in a borrowed workspace; what is to be done is
 * a job's.
 */
#include "core/server/api_backups.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/server/api.h"
#include "core/verb/verb.h"

#include "sdk/lib/ban.h"

#define HERE BP_API_HERE "/backups"
#define THIS HERE "/{name}"

/* A verb that only looks. */
typedef bp_verb_outcome (*look_fn)(const bp_verb *verb, const bp_http_request *request,
                                   GError **error);

/*
 * What went wrong between us and the storage.  It is not the client's login that was refused, nor
 * its request that was bad.
 */
static bp_reply *
storage_problem(const GError *error)
{
    switch (bp_error_class(error)) {
    case BP_ERR_RETRYABLE:
    case BP_ERR_THROTTLED:
    case BP_ERR_CANCELLED:
        return bp_reply_error(error);
    case BP_ERR_TIMEOUT:
        return bp_reply_error_as(504, error);
    case BP_ERR_INVALID: /* the configuration */
    case BP_ERR_NOMEM:
        return bp_reply_error_as(500, error);
    default:
        return bp_reply_error_as(502, error);
    }
}

/* Keeps those that come after the cursor, a name, and have the status; as many as are asked for.
 * They are sorted by name, so that a page is the same whatever comes and goes before it. */
static void
cut_page(json_t *result, const bp_http_request *request, gsize limit)
{
    const char *cursor = bp_http_target_parameter(request->target, "cursor");
    const char *status = bp_http_target_parameter(request->target, "status");
    const json_t *all = json_object_get(result, "backups");
    json_t *page = json_array();
    const char *next = NULL;
    for (gsize i = 0; i < json_array_size(all) && next == NULL; i++) {
        json_t *one = json_array_get(all, i);
        const char *name = bp_json_text(one, "name", "");
        bool is_before = cursor != NULL && strcmp(name, cursor) <= 0;
        if (is_before || (status != NULL && strcmp(bp_json_text(one, "status", ""), status) != 0)) {
            continue;
        }
        if (json_array_size(page) < limit) {
            json_array_append(page, one);
        } else {
            next = bp_json_text(json_array_get(page, limit - 1), "name", "");
        }
    }
    bp_json_set_text(result, "next", next);
    json_object_set_new(result, "backups", page); /* `next` was copied */
}

static bool
check_status(const char *status, GError **error)
{
    static const char *const known[] = {
        "success",    "running", "running (stale)",    "failed", "deleting",
        "incomplete", "foreign", "foreign (unusable)", NULL};
    if (status == NULL || g_strv_contains(known, status)) {
        return true;
    }
    g_autofree char *all = g_strjoinv(", ", (char **)known);
    bp_set_error(error, BP_ERR_INVALID, "there is no status '%s'", status);
    bp_error_add_hint(error, "there are %s", all);
    return false;
}

static const bp_api_number limits = {"limit", 1, BP_API_MAX_PAGE, BP_API_PAGE};

static bp_verb_outcome
list(const bp_verb *verb, const bp_http_request *request, GError **error)
{
    guint64 limit = 0;
    if (!bp_api__number(request, &limits, &limit, error)) {
        return BP_VERB_FAILED;
    }
    bp_verb_outcome outcome = bp_verb_list(verb, NULL, error);
    if (outcome != BP_VERB_FAILED) {
        cut_page(verb->result, request, limit);
    }
    return outcome;
}

static bp_verb_outcome
get(const bp_verb *verb, const bp_http_request *request, GError **error)
{
    bool detail = false;
    if (!bp_api__switch(request, "detail", &detail, error)) {
        return BP_VERB_FAILED;
    }
    return bp_verb_get(verb, bp_http_part(request, "name"), detail, error);
}

static bp_reply *
look_on(bp_workspace *workspace, const bp_http_request *request, look_fn look)
{
    const char *storage = bp_http_target_parameter(request->target, "storage");
    const bp_config_tree *config = bp_workspace_config(workspace);
    g_autoptr(GError) error = NULL;
    if (!bp_workspace_choose(workspace, storage, &error)) {
        return bp_reply_error(error);
    }
    g_autoptr(bp_monitor) monitor = bp_monitor_new();
    g_autoptr(json_t) result = json_object();
    bp_verb verb = {.workspace = workspace, .monitor = monitor, .result = result};
    bp_json_set_text(result, "storage",
                     storage != NULL ? storage : bp_config_peek(config, "backup.storage"));
    bp_verb_outcome outcome = look(&verb, request, &error);
    (void)bp_workspace_choose(workspace, NULL, NULL); /* always known */
    if (outcome == BP_VERB_FAILED) {
        bool is_none = look == get && bp_error_is(error, BP_ERR_NOT_FOUND) &&
                       json_object_get(result, "name") == NULL;
        return is_none ? bp_reply_error(error) : storage_problem(error);
    }
    json_object_del(result, "job");
    return bp_reply_json(200, g_steal_pointer(&result));
}

static bp_reply *
look(bp_service *service, const bp_http_request *request, look_fn verb)
{
    g_autoptr(GError) error = NULL;
    bp_workspace *workspace = bp_service_borrow(service, &error);
    if (workspace == NULL) {
        return bp_reply_error(error);
    }
    bp_reply *answer = look_on(workspace, request, verb);
    bp_service_give_back(service, workspace);
    return answer;
}

static bp_reply *
list_backups(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {"storage", "status", "limit", "cursor", NULL};
    g_autoptr(GError) error = NULL;
    guint64 limit = 0;
    if (!bp_api__check_parameters(request, known, &error) ||
        !check_status(bp_http_target_parameter(request->target, "status"), &error) ||
        !bp_api__number(request, &limits, &limit, &error)) {
        return bp_reply_error(error);
    }
    return look(ctx, request, list);
}

static bp_reply *
show_backup(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {"storage", "detail", NULL};
    g_autoptr(GError) error = NULL;
    bool detail = false;
    if (!bp_api__check_parameters(request, known, &error) ||
        !bp_api__switch(request, "detail", &detail, &error)) {
        return bp_reply_error(error);
    }
    return look(ctx, request, get);
}

/* The body as a job's request, without what the address says.  Returns: (transfer full) (nullable)
 */
static json_t *
read_thin(const bp_http_request *request, const char *verb, const char *name, GError **error)
{
    static const char *const none[] = {NULL};
    g_autoptr(json_t) wanted = bp_api__check_parameters(request, none, error)
                                   ? bp_api__optional_body(request, error)
                                   : NULL;
    if (wanted == NULL) {
        return NULL;
    }
    const char *said = json_object_get(wanted, "verb") != NULL                   ? "verb"
                       : name != NULL && json_object_get(wanted, "name") != NULL ? "name"
                                                                                 : NULL;
    if (said != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' is said by the address, not in the body", said);
        return NULL;
    }
    json_object_set_new(wanted, "verb", json_string(verb));
    if (name != NULL) {
        json_object_set_new(wanted, "name", json_string(name));
    }
    return g_steal_pointer(&wanted);
}

static bp_reply *
start(bp_service *service, const bp_http_request *request, const char *verb, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) wanted = read_thin(request, verb, name, &error);
    return wanted != NULL ? bp_api__start(service, request, wanted) : bp_reply_error(error);
}

static bp_reply *
create_backup(void *ctx, const bp_http_request *request)
{
    return start(ctx, request, "create", NULL);
}

static bp_reply *
restore_backup(void *ctx, const bp_http_request *request)
{
    return start(ctx, request, "restore", bp_http_part(request, "name"));
}

static bp_reply *
verify_backup(void *ctx, const bp_http_request *request)
{
    return start(ctx, request, "verify", bp_http_part(request, "name"));
}

static bp_reply *
copy_backup(void *ctx, const bp_http_request *request)
{
    return start(ctx, request, "copy", bp_http_part(request, "name"));
}

/* Its members are parameters: many clients and proxies drop the body of a DELETE. */
static bp_reply *
delete_backup(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {"storage", "force", NULL};
    g_autoptr(GError) error = NULL;
    bool force = false;
    if (!bp_api__check_parameters(request, known, &error) ||
        !bp_api__switch(request, "force", &force, &error) ||
        !bp_api__check_no_body(request, &error)) {
        return bp_reply_error(error);
    }
    g_autoptr(json_t) wanted = json_object();
    bp_json_set_text(wanted, "verb", "delete");
    bp_json_set_text(wanted, "name", bp_http_part(request, "name"));
    bp_json_set_text(wanted, "storage", bp_http_target_parameter(request->target, "storage"));
    if (force) {
        json_object_set_new(wanted, "force", json_true());
    }
    return bp_api__start(ctx, request, wanted);
}

const bp_route bp_api_backups_routes[] = {
    {.method = "GET", .path = HERE, .role = BP_ROLE_READ, .answer = list_backups},
    {.method = "POST", .path = HERE, .role = BP_ROLE_OPERATE, .answer = create_backup},
    {.method = "GET", .path = THIS, .role = BP_ROLE_READ, .answer = show_backup},
    {.method = "DELETE", .path = THIS, .role = BP_ROLE_OPERATE, .answer = delete_backup},
    {.method = "POST", .path = THIS "/restore", .role = BP_ROLE_OPERATE, .answer = restore_backup},
    {.method = "POST", .path = THIS "/verify", .role = BP_ROLE_OPERATE, .answer = verify_backup},
    {.method = "POST", .path = THIS "/copy", .role = BP_ROLE_OPERATE, .answer = copy_backup},
};
const gsize bp_api_backups_n_routes = G_N_ELEMENTS(bp_api_backups_routes);
