/* SPDX-License-Identifier: Apache-2.0
 *
 * Import jobs: started in order, deletes of L0 segments only after all data, and counted.
 */
#include <inttypes.h>
#include <string.h>

#include "restore.h"
#include "restore_state.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

/* Segments of a finished import may take moments to be listed. */
#define SETTLE_FIRST_NS UINT64_C(50000000)
#define SETTLE_MAX_NS UINT64_C(1600000000)

#define NS_PER_S UINT64_C(1000000000)
#define US_PER_MS 1000

static GArray *
import_options(const struct milvus_task *task)
{
    GArray *options = milvus_kv_list_new();
    milvus_kv_add(options, task->is_l0 ? "l0_import" : "backup", "true");
    milvus_kv_add(options, "skip_disk_quota_check", "true");
    if (task->storage_version > 0) {
        g_autofree char *version = g_strdup_printf("%" PRId64, task->storage_version);
        milvus_kv_add(options, "storage_version", version);
    }
    return options;
}

/* Servers before 2.4 want exactly two paths, later ones take one or two. */
static void
fill_files(const struct bp_restore *restore, const struct milvus_task *task, const char *files[3])
{
    bool is_pair = !milvus_api_can(restore->api, MILVUS_CAN_IMPORT_ONE_PATH);
    const struct milvus_dirs *dirs = task->dirs->pdata[0];
    guint n = 0;
    if (dirs->inserts != NULL) {
        files[n++] = dirs->inserts;
    }
    if (dirs->deltas != NULL) {
        files[n++] = dirs->deltas;
    } else if (is_pair) {
        files[n++] = "";
    }
}

static bp_status
start_import(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
             struct milvus_task *task, struct bp_error *error)
{
    g_autoptr(GArray) options = import_options(task);
    if (restore->rest != NULL) {
        const struct milvus_rest_import import = {.db = target->db,
                                                  .collection = target->name,
                                                  .partition = task->partition,
                                                  .dirs = task->dirs,
                                                  .options = options};
        return milvus_rest_import(restore->rest, op, &import, &task->job, error);
    }
    const char *files[3] = {NULL};
    fill_files(restore, task, files);
    const struct milvus_import import = {.db = target->db,
                                         .collection = target->name,
                                         .partition = task->partition,
                                         .files = files,
                                         .options = options};
    return milvus_api_import(restore->api, op, &import, &task->job, error);
}

static bp_status
start_task(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
           struct milvus_task *task, struct bp_error *error)
{
    bp_status status = start_import(restore, op, target, task, error);
    if (status != BP_OK && (error->flags & BP_ERROR_OUTCOME_UNKNOWN) != 0) {
        /* Asking again could import the same rows twice. */
        g_autofree char *why = g_strdup(error->message);
        status = bp_fail(error, BP_ERR_PERMANENT,
                         "collection %s.%s: it is not known whether the server began an import; "
                         "restore the collection again: %s",
                         target->db, target->name, why);
    }
    task->moved_at_us = g_get_monotonic_time();
    return status;
}

/*
 * A server that is asked for too much at once takes the job later.  Core calls target_step again
 * after a pause; only a refusal that does not end is an error.
 */
static bool
is_put_off(const struct bp_restore *restore, struct milvus_target *target, bp_status status)
{
    int64_t now_us = g_get_monotonic_time();
    if (status != BP_ERR_THROTTLED) {
        target->refused_at_us = 0;
        return false;
    }
    if (target->refused_at_us == 0) {
        target->refused_at_us = now_us;
    }
    uint64_t refused_ms = (uint64_t)(now_us - target->refused_at_us) / US_PER_MS;
    return refused_ms < restore->options.stall_timeout_ms;
}

/* Deletes apply to rows that are there: they wait for all data. */
static bool
must_wait(const struct milvus_target *target, const struct milvus_task *task)
{
    for (guint i = 0; task->is_l0 && i < target->tasks->len; i++) {
        const struct milvus_task *other = target->tasks->pdata[i];
        if (!other->is_l0 && !other->is_done) {
            return true;
        }
    }
    return false;
}

bp_status
milvus_target_step(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
                   const struct bp_job_sink *sink, struct bp_step_state *out,
                   struct bp_error *error)
{
    uint32_t free_jobs = sink->free_jobs;
    struct milvus_target *target = restore->targets->pdata[number];
    while (free_jobs > 0 && target->n_started < target->tasks->len) {
        struct milvus_task *task = target->tasks->pdata[target->n_started];
        if (must_wait(target, task)) {
            break;
        }
        bp_status status = start_task(restore, op, target, task, error);
        if (is_put_off(restore, target, status)) {
            break;
        }
        if (status != BP_OK) {
            return status;
        }
        target->n_started++;
        free_jobs--;
        g_autofree char *token = g_strdup_printf("%" PRId64 "/%s", task->job, task->partition);
        if (sink->job(sink->ctx, token, MAX(1, task->bytes)) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
        }
    }
    out->all_started = target->n_started == target->tasks->len;
    return BP_OK;
}

static struct milvus_task *
task_of_token(const struct milvus_target *target, const char *token)
{
    g_autofree char *digits = g_strndup(token, strcspn(token, "/"));
    int64_t job = 0;
    if (bp_parse_i64(digits, &job) != 0 || target->tasks == NULL) {
        return NULL;
    }
    for (guint i = 0; i < target->n_started; i++) {
        struct milvus_task *task = target->tasks->pdata[i];
        if (task->job == job) {
            return task;
        }
    }
    return NULL;
}

static void fail_job(struct bp_job_state *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
fail_job(struct bp_job_state *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)g_vsnprintf(out->reason, sizeof out->reason, format, args); /* cut is fine */
    va_end(args);
    out->phase = BP_JOB_FAILED;
}

/* For messages. */
static const char *
first_dir(const struct milvus_task *task)
{
    const struct milvus_dirs *dirs = task->dirs->pdata[0];
    return dirs->inserts != NULL ? dirs->inserts : dirs->deltas;
}

/* A path that the server cannot see lists as empty there, and the job completes. */
static void
finish_task(const struct bp_restore *restore, struct milvus_task *task,
            const struct milvus_import_state *state, struct bp_job_state *out)
{
    bool wants_rows = !task->is_l0 && !task->is_uncounted && task->rows > task->deleted;
    task->is_done = true;
    task->found = task->is_l0 ? 0 : state->rows;
    out->phase = BP_JOB_DONE;
    out->done = out->total;
    if (wants_rows && state->rows == 0) {
        fail_job(out,
                 "the server at %s says it completed the import, but with 0 of %" PRId64
                 " rows: it sees nothing in %s (is that the path as the server sees it, readable "
                 "for its user? Check server_root of the storage)",
                 milvus_api_address(restore->api), task->rows, first_dir(task));
    }
}

static void
watch_progress(const struct bp_restore *restore, struct milvus_task *task,
               const struct milvus_import_state *state, struct bp_job_state *out)
{
    int64_t now_us = g_get_monotonic_time();
    int64_t mark = (int64_t)state->phase * 1000 + state->percent;
    if (state->rows != task->seen_rows || mark != task->seen_mark) {
        task->seen_rows = state->rows;
        task->seen_mark = mark;
        task->moved_at_us = now_us;
    }
    out->phase = BP_JOB_RUNNING;
    out->done = state->percent > 0 ? out->total * (uint64_t)MIN(state->percent, 100) / 100 : 0;
    uint64_t idle_ms = (uint64_t)(now_us - task->moved_at_us) / US_PER_MS;
    if (idle_ms > restore->options.stall_timeout_ms) {
        fail_job(out, "the import made no progress for %" PRIu64 " s (at %" PRId32 " %%)",
                 idle_ms / 1000, state->percent);
    }
}

bp_status
milvus_job_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
                const char *token, struct bp_job_state *out, struct bp_error *error)
{
    struct milvus_target *target = restore->targets->pdata[number];
    struct milvus_task *task = task_of_token(target, token);
    if (task == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "job %s is not one of collection %s.%s", token,
                       target->db, target->name);
    }
    struct milvus_import_state state = {0};
    bp_status status =
        restore->rest != NULL
            ? milvus_rest_import_state(restore->rest, op, target->db, task->job, &state, error)
            : milvus_api_import_state(restore->api, op, task->job, &state, error);
    if (status != BP_OK) {
        return status;
    }
    out->total = MAX(1, task->bytes);
    if (state.phase == MILVUS_IMPORT_COMPLETED) {
        finish_task(restore, task, &state, out);
    } else if (state.phase == MILVUS_IMPORT_FAILED ||
               state.phase == MILVUS_IMPORT_FAILED_AND_CLEANED) {
        fail_job(out, "the server failed to import %s into partition %s: %s", first_dir(task),
                 task->partition, state.reason[0] != '\0' ? state.reason : "it gave no reason");
    } else {
        watch_progress(restore, task, &state, out);
    }
    return BP_OK;
}

/* --- proof ---------------------------------------------------------------------------------- */

/* Rows of the segments that came with this restore. */
static bp_status
count_segments(struct bp_restore *restore, const struct bp_op *op,
               const struct milvus_target *target, uint64_t *rows, struct bp_error *error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    bp_status status =
        milvus_api_list_segments(restore->api, op, target->db, target->name, list, error);
    *rows = 0;
    for (guint i = 0; i < list->len && status == BP_OK; i++) {
        const struct milvus_segment_info *info =
            &g_array_index(list, struct milvus_segment_info, i);
        bool is_gone = info->state == MILVUS_SEGMENT_DROPPED || info->state <= 1;
        bool is_old = target->earlier != NULL && g_hash_table_contains(target->earlier, &info->id);
        if (!is_gone && !is_old && info->level != MILVUS_LEVEL_L0) {
            *rows += (uint64_t)info->num_rows;
        }
    }
    return status;
}

static bp_status
await_segments(struct bp_restore *restore, const struct bp_op *op,
               const struct milvus_target *target, uint64_t imported, uint64_t *held,
               struct bp_error *error)
{
    bp_status status = count_segments(restore, op, target, held, error);
    for (uint64_t pause = SETTLE_FIRST_NS;
         status == BP_OK && *held != imported && pause <= SETTLE_MAX_NS; pause *= 2) {
        status = restore->host->sleep(op, pause);
        if (status != BP_OK) {
            return bp_fail(error, status, "counting the rows of %s.%s was interrupted", target->db,
                           target->name);
        }
        status = count_segments(restore, op, target, held, error);
    }
    return status;
}

static void
note_proof(const struct bp_restore *restore, const struct milvus_target *target, uint64_t imported,
           struct bp_proof *out)
{
    bool loses = !milvus_api_can(restore->api, MILVUS_CAN_REINSERT);
    if (imported == 0 && target->low > 0) {
        (void)g_snprintf(out->note, sizeof out->note,
                         "the server imported nothing: check that it sees the backup's files, "
                         "under the path that server_root names and readable for its user");
    } else if (imported < target->low && loses) {
        (void)g_snprintf(out->note, sizeof out->note,
                         "rows that the imports reported; Milvus %s loses keys that were deleted "
                         "and inserted again in the original when it imports a backup: restore "
                         "into 2.3 or later",
                         milvus_api_version(restore->api));
    } else {
        (void)g_snprintf(out->note, sizeof out->note,
                         "rows that the imports reported and the new segments hold");
    }
}

bp_status
milvus_target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
                    struct bp_proof *out, struct bp_error *error)
{
    struct milvus_target *target = restore->targets->pdata[number];
    out->low = target->low;
    out->high = target->high;
    if (restore->without_items) {
        out->flags = BP_PROOF_UNPROVABLE;
        (void)g_strlcpy(out->note, "no rows were to be restored", sizeof out->note);
        return BP_OK;
    }
    uint64_t imported = 0;
    uint64_t held = 0;
    for (guint i = 0; i < target->tasks->len; i++) {
        const struct milvus_task *task = target->tasks->pdata[i];
        imported += (uint64_t)task->found;
        if (!task->is_done) {
            return bp_fail(error, BP_ERR_PERMANENT,
                           "collection %s.%s: import job %" PRId64 " has not finished", target->db,
                           target->name, task->job);
        }
    }
    bp_status status = await_segments(restore, op, target, imported, &held, error);
    if (status != BP_OK) {
        return status;
    }
    /* Others may write into a collection that was there before: more rows say nothing then. */
    bool is_shared = target->earlier != NULL && held > imported;
    if (held != imported && !is_shared) {
        return bp_fail(error, BP_ERR_CORRUPT,
                       "collection %s.%s: the server reported %" PRIu64
                       " imported rows, but its segments hold %" PRIu64,
                       target->db, target->name, imported, held);
    }
    out->found = imported;
    note_proof(restore, target, imported, out);
    return BP_OK;
}
