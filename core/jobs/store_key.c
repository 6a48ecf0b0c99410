/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding a job by the key that came with its request.
 */
#include <string.h>

#include "core/base/json.h"
#include "core/jobs/store_internal.h"

#include "sdk/lib/ban.h"

/* Most jobs have none, which is seen without parsing.  Returns: (transfer full) (nullable) */
static json_t *
record_with_key(const bp_jobs *jobs, const char *id, const char *key)
{
    g_autofree char *path = bp_jobs__path(jobs, id);
    g_autofree char *text = bp_jobs__read(path, BP_JOB_RECORD, NULL);
    if (text == NULL || strstr(text, "\"key\"") == NULL) {
        return NULL;
    }
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, NULL);
    bool is_it = record != NULL && g_strcmp0(bp_json_text(record, "key", NULL), key) == 0;
    return is_it ? g_steal_pointer(&record) : NULL;
}

json_t *
bp_jobs__find_key(const bp_jobs *jobs, const char *key)
{
    g_autoptr(GPtrArray) ids = bp_jobs__ids(jobs, NULL);
    json_t *found = NULL;
    for (guint i = ids != NULL ? ids->len : 0; i > 0 && found == NULL; i--) {
        found = record_with_key(jobs, g_ptr_array_index(ids, i - 1), key);
    }
    return found;
}

char *
bp_jobs_find_key(bp_jobs *jobs, const char *key)
{
    g_autoptr(json_t) record = bp_jobs__find_key(jobs, key);
    return record != NULL ? g_strdup(bp_json_text(record, "id", NULL)) : NULL;
}
