/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of jobs, and which of them are removed.
 */
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/jobs/store_internal.h"

#include "sdk/lib/ban.h"

#define STAMP_LENGTH 15 /* "20261126-014500" */
#define TAIL_LENGTH 6   /* milliseconds and chance, in hex */

char *
bp_jobs__new_id(gint64 wall_ns)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(wall_ns / BP_NS_PER_S);
    g_autofree char *stamp = g_date_time_format(at, "%Y%m%d-%H%M%S");
    g_autofree char *chance = bp_text_uuid();
    guint ms = (guint)(wall_ns % BP_NS_PER_S / BP_NS_PER_MS);
    return g_strdup_printf("%s-%03x%.3s", stamp, ms, chance);
}

static bool
has_form(const char *id)
{
    for (gsize i = 0; i < STAMP_LENGTH; i++) {
        if (i == 8 ? id[i] != '-' : !g_ascii_isdigit(id[i])) {
            return false;
        }
    }
    return id[STAMP_LENGTH] == '-';
}

gint64
bp_jobs__id_ns(const char *id)
{
    if (strlen(id) != STAMP_LENGTH + 1 + TAIL_LENGTH || !has_form(id) ||
        strspn(id + STAMP_LENGTH + 1, "0123456789abcdef") != TAIL_LENGTH) {
        return 0;
    }
    g_autofree char *text = g_strdup_printf("%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.000Z", id, id + 4,
                                            id + 6, id + 9, id + 11, id + 13);
    return bp_clock_parse(text);
}

/* One that waits for its server, which is down, has a lock that nobody holds. */
static bool
has_ended(const bp_jobs *jobs, const char *id, const char *path)
{
    bp_lock_state lock = bp_jobs__lock_state(path, BP_JOB_LOCK);
    if (lock != BP_LOCK_FREE) {
        return lock == BP_LOCK_GONE;
    }
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, NULL);
    return record == NULL || !bp_jobs__is_supervised(record) ||
           bp_jobs_is_over(bp_json_text(record, "state", ""));
}

void
bp_jobs__remove(const char *path)
{
    static const char *const names[] = {BP_JOB_RECORD,
                                        BP_JOB_PROGRESS,
                                        BP_JOB_STATS,
                                        BP_JOB_RESULT,
                                        BP_JOB_LOG,
                                        BP_JOB_OLD_LOG,
                                        BP_JOB_LOCK,
                                        BP_JOB_CANCEL,
                                        BP_JOB_RECORD ".part",
                                        BP_JOB_PROGRESS ".part",
                                        BP_JOB_STATS ".part",
                                        BP_JOB_RESULT ".part"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(path, names[i], NULL);
        (void)unlink(file); /* most are not there */
    }
    (void)rmdir(path); /* tried again with the next job */
}

void
bp_jobs__remove_old(const bp_jobs *jobs, guint keep, gint64 now_ns)
{
    gint64 oldest_ns = now_ns - (gint64)BP_JOBS_DAYS * 86400 * BP_NS_PER_S;
    g_autoptr(GPtrArray) ids = bp_jobs__ids(jobs, NULL);
    guint left = ids != NULL ? ids->len : 0;
    guint aged = 0;
    for (guint i = 0; ids != NULL && i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        bool too_many = left > keep;
        if (!too_many && (aged == BP_JOBS_AGED_AT_ONCE || bp_jobs__id_ns(id) >= oldest_ns)) {
            break; /* all that follow are younger */
        }
        g_autofree char *path = bp_jobs__path(jobs, id);
        if (has_ended(jobs, id, path)) {
            bp_jobs__remove(path);
            left--;
            aged += !too_many;
        }
    }
}
