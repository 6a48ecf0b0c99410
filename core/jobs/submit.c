/* SPDX-License-Identifier: Apache-2.0
 *
 * Letting jobs of a server in.
 */
#include <bakplane/error.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/jobs/claims.h"
#include "core/jobs/request.h"
#include "core/jobs/supervisor_internal.h"

#include "sdk/lib/ban.h"

static bool
check_key(const char *key, GError **error)
{
    gsize n = key != NULL ? strlen(key) : 1;
    bool fine = n > 0 && n <= BP_SUBMIT_KEY_BYTES;
    for (const char *at = key; fine && at != NULL && *at != '\0'; at++) {
        fine = g_ascii_isprint(*at);
    }
    if (!fine) {
        bp_set_error(error, BP_ERR_INVALID, "a request's key has 1 to %d printable characters",
                     BP_SUBMIT_KEY_BYTES);
    }
    return fine;
}

/* A worker does what is on record: it must be all of it, and must not be a secret. */
static bool
check_secrets(const bp_submit_params *params, GError **error)
{
    g_autoptr(json_t) clean = bp_json_redact(params->request);
    g_autofree char *clean_key = params->key != NULL ? bp_log_redact(params->key) : NULL;
    const char *member = g_strcmp0(clean_key, params->key) != 0 ? "key" : NULL;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(clean, name, value)
    {
        if (!json_equal(value, json_object_get(params->request, name))) {
            member = name;
        }
    }
    if (member != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' of this request holds a secret", member);
        bp_error_add_hint(error,
                          "a request is kept on disk; secrets belong into the configuration");
    }
    return member == NULL;
}

/* Equal for equal requests, in whatever order their members came. */
static char *
digest_of(const json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    free(text);
    return digest;
}

/* NULL without an error: nobody asked with that key before. */
static char *
asked_before(const bp_supervisor *s, const char *key, const char *asked, GError **error)
{
    g_autoptr(json_t) record = key != NULL ? bp_jobs__find_key(s->jobs, key) : NULL;
    if (record == NULL) {
        return NULL;
    }
    const char *id = bp_json_text(record, "id", "?");
    if (strcmp(bp_json_text(record, "asked", ""), asked) != 0) {
        bp_set_error(error, BP_ERR_EXISTS, "the key belongs to job %s, which is another request",
                     id);
        bp_error_add_hint(error, "a key is for one request only, and for asking for it again");
        return NULL;
    }
    return g_strdup(id);
}

/* One at a time: they share the workspace.  Nobody waits for long in a server's thread. */
static bool
begin_letting_in(bp_supervisor *s, gint64 until_ns)
{
    BP_LOCK_GUARD(&s->guard);
    while (s->letting_in) {
        if (!bp_cond_wait_until(&s->let_in, &s->guard, until_ns) && s->letting_in) {
            return false;
        }
    }
    s->letting_in = true;
    return true;
}

static void
end_letting_in(bp_supervisor *s)
{
    BP_LOCK_GUARD(&s->guard);
    s->letting_in = false;
    pthread_cond_signal(&s->let_in);
}

/* Whoever asks again a moment later is let in. */
static void
set_busy(const char *why, GError **error)
{
    struct bp_error busy = {
        .struct_size = sizeof busy, .cls = BP_ERR_RETRYABLE, .retry_after_ms = BP_SUBMIT_RETRY_MS};
    g_strlcpy(busy.message, why, sizeof busy.message);
    bp_set_error_from_plugin(error, &busy);
}

/* Returns: (transfer full) (nullable) */
static bp_ticket *
take_ticket(bp_supervisor *s, const bp_submit_params *params, const char *asked, gint64 until_ns,
            GError **error)
{
    g_autoptr(json_t) named = bp_request_complete(params->request);
    if (!bp_request_check_early(s->params.workspace, named, error)) {
        return NULL;
    }
    g_autoptr(json_t) claims = bp_claims_of(s->params.workspace, named);
    bp_ticket_params wanted = {.jobs = s->jobs,
                               .request = named,
                               .claims = claims,
                               .origin = params->origin != NULL ? params->origin : "server",
                               .hold = true,
                               .key = params->key,
                               .asked = params->key != NULL ? asked : NULL,
                               .limit_ns = MAX(until_ns - bp_clock_mono_ns(), 1)};
    g_autoptr(GError) problem = NULL;
    bp_ticket *ticket = bp_ticket_take(&wanted, &problem);
    if (bp_error_is(problem, BP_ERR_RETRYABLE)) {
        set_busy(problem->message, error);
    } else if (ticket == NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return ticket;
}

static bool
has_room(bp_supervisor *s, GError **error)
{
    BP_LOCK_GUARD(&s->guard);
    if (s->queue->len >= BP_SUPERVISOR_QUEUE_MAX) {
        g_autofree char *why = g_strdup_printf("%u jobs wait already", s->queue->len);
        set_busy(why, error);
        return false;
    }
    return true;
}

static char *
let_in(bp_supervisor *s, const bp_submit_params *params, gint64 until_ns, GError **error)
{
    g_autoptr(GError) other = NULL;
    g_autofree char *asked = digest_of(params->request);
    const char *key = params->takes_key ? NULL : params->key;
    char *before = asked_before(s, key, asked, &other);
    if (before != NULL || other != NULL) {
        if (other != NULL) {
            g_propagate_error(error, g_steal_pointer(&other));
        }
        return before;
    }
    bp_ticket *ticket = has_room(s, error) ? take_ticket(s, params, asked, until_ns, error) : NULL;
    if (ticket == NULL) {
        return NULL;
    }
    char *id = g_strdup(bp_ticket_id(ticket)); /* once it is in the queue it may end at any time */
    bp_supervisor__enqueue(s, ticket);
    return id;
}

char *
bp_supervisor_submit(bp_supervisor *s, const bp_submit_params *params, GError **error)
{
    gint64 until_ns = bp_clock_mono_ns() + BP_SUBMIT_NS;
    if (!bp_request_check(params->request, error) || !check_key(params->key, error) ||
        !check_secrets(params, error)) {
        return NULL;
    }
    if (!begin_letting_in(s, until_ns)) {
        set_busy("too many jobs are being let in at this moment", error);
        return NULL;
    }
    char *id = let_in(s, params, until_ns, error);
    end_letting_in(s);
    return id;
}
