/* SPDX-License-Identifier: Apache-2.0
 *
 * What the supervisor sees in the job directory, and what it does about jobs that nobody runs.
 */
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/jobs/supervisor_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "jobs"

/* What a job looked like when it was last looked at. */
typedef struct {
    char *files; /* as looks_of */
    char *said;  /* why it could not be taken up, or NULL; only changes are said */
    bool undone; /* nobody runs it, and it could not be taken up yet */
} seen_job;

void
bp_supervisor__seen_free(gpointer data)
{
    seen_job *seen = data;
    g_free(seen->files);
    g_free(seen->said);
    g_free(seen);
}

static char *
looks_of(const char *path)
{
    static const char *const names[] = {BP_JOB_RECORD, BP_JOB_PROGRESS, BP_JOB_CANCEL};
    GString *looks = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(path, names[i], NULL);
        struct stat found;
        if (stat(file, &found) == 0) { /* each is replaced whole, so it has another inode */
            g_string_append_printf(looks, "%lu.%ld.%ld ", (unsigned long)found.st_ino,
                                   (long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
        }
    }
    g_string_append_printf(looks, "%d", (int)bp_jobs__lock_state(path, BP_JOB_LOCK));
    return g_string_free(looks, FALSE);
}

/* As often as it was started, it ended without a word. */
static void
give_up(const bp_supervisor *s, bp_ticket *ticket)
{
    g_autoptr(GError) why = NULL;
    const json_t *record = bp_ticket_record(ticket);
    if (json_object_get(record, "started") != NULL) {
        bp_set_error(&why, BP_ERR_PERMANENT,
                     "its process was killed again and again; what is proven stays");
    } else {
        bp_set_error(&why, BP_ERR_PERMANENT,
                     "its worker was started %d times, and each time ended before it began",
                     BP_SUPERVISOR_ATTEMPTS + 1);
        bp_error_add_hint(&why,
                          "%s is what was started: see whether it runs here, and as this user",
                          s->spawn.program);
    }
    bp_supervisor__end(ticket, "failed", why);
}

static void
go_on_with(bp_supervisor *s, bp_ticket *take_ticket)
{
    g_autoptr(bp_ticket) ticket = take_ticket;
    g_autoptr(GError) why = NULL;
    if (bp_ticket_is_cancelled(ticket)) {
        bp_set_error(&why, BP_ERR_CANCELLED, "cancelled when its process was gone");
        bp_supervisor__end(ticket, "cancelled", why);
    } else if (bp_json_u64(bp_ticket_record(ticket), "starts", 0) > BP_SUPERVISOR_ATTEMPTS) {
        give_up(s, ticket);
    } else {
        BP_INFO("a job is taken up again", "job", bp_ticket_id(ticket));
        bp_supervisor__enqueue(s, g_steal_pointer(&ticket));
    }
}

/* Its process is gone, and it has not said how it ended.  false: to be looked at once more. */
static bool
take_up(bp_supervisor *s, const char *id, seen_job *seen)
{
    g_autoptr(GError) error = NULL;
    bp_ticket *ticket = bp_ticket_revive(s->jobs, id, &error);
    if (ticket != NULL) {
        go_on_with(s, ticket);
        g_clear_pointer(&seen->said, g_free);
        return true;
    }
    bool over = bp_error_is(error, BP_ERR_INVALID);
    if (!over && !bp_error_is(error, BP_ERR_EXISTS) && g_strcmp0(seen->said, error->message) != 0) {
        BP_WARN("a job cannot be taken up again", "job", id, "reason", error->message);
        g_free(seen->said);
        seen->said = g_strdup(error->message);
    }
    return over;
}

/* Left by a worker of ours, which may have been stopped together with us; and not cancelled since.
 */
static bool
rests(const bp_supervisor *s, const char *id, const char *path, const json_t *record)
{
    g_autofree char *mark = g_build_filename(path, BP_JOB_CANCEL, NULL);
    return json_object_get(record, "left") != NULL && !g_file_test(mark, G_FILE_TEST_EXISTS) &&
           (g_hash_table_contains(s->workers, id) || g_hash_table_contains(s->ended, id));
}

/* Nobody runs it: it is taken up, if it is for us to do.  false: to be looked at once more. */
static bool
look_after(bp_supervisor *s, const char *id, const char *path, seen_job *seen)
{
    if (bp_jobs__lock_state(path, BP_JOB_LOCK) != BP_LOCK_FREE) {
        return true;
    }
    g_autoptr(json_t) record = bp_jobs__record(s->jobs, id, NULL);
    if (record == NULL || !bp_jobs__is_supervised(record) ||
        bp_jobs_is_over(bp_json_text(record, "state", ""))) {
        return true;
    }
    return !rests(s, id, path, record) && take_up(s, id, seen);
}

static void
look_at(bp_supervisor *s, const char *id, seen_job *seen)
{
    g_autofree char *path = bp_jobs__path(s->jobs, id);
    g_autofree char *files = looks_of(path);
    bool changed = g_strcmp0(files, seen->files) != 0;
    if (changed) {
        g_free(seen->files);
        seen->files = g_steal_pointer(&files);
    }
    if (changed || seen->undone) {
        seen->undone = !look_after(s, id, path, seen);
    }
    if (changed && s->params.changed != NULL) {
        s->params.changed(s->params.ctx, id);
    }
}

/* Ended ones cost a look at a few files; those that are removed are forgotten. */
void
bp_supervisor__look_at_all(bp_supervisor *s)
{
    g_autoptr(GPtrArray) ids = bp_jobs__ids(s->jobs, NULL);
    if (ids == NULL) {
        return; /* whoever wants to be let in is told why */
    }
    GHashTable *now =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bp_supervisor__seen_free);
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        gpointer key = NULL;
        gpointer seen = NULL;
        if (!g_hash_table_steal_extended(s->seen, id, &key, &seen)) {
            key = g_strdup(id);
            seen = g_new0(seen_job, 1);
        }
        look_at(s, id, seen);
        g_hash_table_insert(now, key, seen);
    }
    g_hash_table_unref(s->seen);
    s->seen = now;
}
