/* SPDX-License-Identifier: Apache-2.0
 *
 * See tell_v1.h.
 */
#include "core/compat/tell_v1.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/compat/front.h"
#include "core/compat/means.h"
#include "core/compat/messages_v1.h"

#include "sdk/lib/ban.h"

#define WHOLE 100 /* percent */

const char bp_v1_document[] = BP_COMPAT_WHOLE_DOCUMENT;

bp_v1_state
bp_v1_state_of_job(const json_t *job)
{
    static const struct {
        const char *name;
        bp_v1_state state;
    } states[] = {
        {"queued", BP_V1_INITIAL}, {"running", BP_V1_EXECUTING}, {"cancelling", BP_V1_EXECUTING},
        {"succeeded", BP_V1_DONE}, {"different", BP_V1_DONE},
    };
    const char *state = bp_json_text(job, "state", "");
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i].name, state) == 0) {
            return states[i].state;
        }
    }
    /* A server's is taken up again at once. */
    bool goes_on =
        strcmp(state, "interrupted") == 0 && strcmp(bp_json_text(job, "origin", ""), "cli") != 0;
    return goes_on ? BP_V1_EXECUTING : BP_V1_FAILED;
}

/* A time of ours as a number there; 0 is left out. */
static void
set_time(json_t *out, const char *field, const json_t *from, const char *member, gint64 unit_ns)
{
    gint64 wall_ns = bp_clock_parse(bp_json_text(from, member, ""));
    if (wall_ns > 0) {
        json_object_set_new(out, field, json_integer(wall_ns / unit_ns));
    }
}

static void
set_number(json_t *out, const char *field, gint64 value)
{
    json_object_set_new(out, field, json_integer(value));
}

/* -- backups */

static void
tell_collections(json_t *collections, bool simple)
{
    for (gsize i = 0; i < json_array_size(collections); i++) {
        json_t *one = json_array_get(collections, i);
        set_number(one, "state_code", BP_V1_DONE);
        set_number(one, "progress", WHOLE);
        if (simple) {
            (void)json_object_del(one, "partition_backups");
            (void)json_object_del(one, "l0_segments");
        }
    }
}

/* Files of 0.5 say that the backup is still being made, those of 0.6 nothing about that. */
static void
complete(json_t *info, gsize n, const bp_v1_told *told)
{
    set_number(info, "state_code", BP_V1_DONE);
    set_number(info, "progress", WHOLE);
    set_number(info, "meta_size", (gint64)n);
    bp_json_set_text(info, "id", told->id);
    bp_json_set_text(info, "name", bp_json_text(told->entry, "name", NULL));
    if (json_object_get(info, "start_time") == NULL) {
        set_time(info, "start_time", told->entry, "started", BP_NS_PER_MS);
    }
    if (json_object_get(info, "end_time") == NULL) {
        set_time(info, "end_time", told->entry, "finished", BP_NS_PER_MS);
    }
    tell_collections(json_object_get(info, "collection_backups"), told->simple);
}

json_t *
bp_v1_tell_document(const char *text, gsize n, const bp_v1_told *told, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) document = bp_json_parse(text, n, bp_v1_document, error);
    if (document == NULL) {
        return NULL;
    }
    /* Through the tables: what comes from a storage is not sent on as it is. */
    g_autoptr(json_t) wrapped = json_pack("{s:O}", "data", document);
    g_autoptr(json_t) read = bp_message_read(&bp_v1_backup_info_response, wrapped, &problem);
    if (read == NULL) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s: %s", bp_v1_document, problem->message);
        return NULL;
    }
    json_t *info = json_incref(json_object_get(read, "data"));
    complete(info, n, told);
    return info;
}

json_t *
bp_v1_tell_entry(const bp_v1_told *told)
{
    json_t *info = json_object();
    const char *status = bp_json_text(told->entry, "status", "");
    bool runs = strcmp(status, "running") == 0;
    bool whole = strcmp(status, "success") == 0 || strcmp(status, "foreign") == 0;
    g_autofree char *what = g_strdup_printf("it is %s", status);
    bp_json_set_text(info, "id", told->id);
    set_number(info, "state_code", whole ? BP_V1_DONE : runs ? BP_V1_EXECUTING : BP_V1_FAILED);
    set_number(info, "progress", whole ? WHOLE : 0);
    bp_json_set_text(info, "name", bp_json_text(told->entry, "name", NULL));
    if (!runs && !whole) {
        bp_json_set_text(info, "errorMessage", bp_json_text(told->entry, "problem", what));
    }
    set_time(info, "start_time", told->entry, "started", BP_NS_PER_MS);
    set_time(info, "end_time", told->entry, "finished", BP_NS_PER_MS);
    set_number(info, "size", (gint64)bp_json_u64(told->entry, "bytes", 0));
    bp_json_set_text(info, "milvus_version", bp_json_text(told->entry, "server_version", NULL));
    return info;
}

/* Of bytes; less than whole until it is over. */
static gint64
percent_of(const json_t *job)
{
    const json_t *progress = json_object_get(job, "progress");
    guint64 total = bp_json_u64(progress, "bytes_total", 0);
    guint64 done = bp_json_u64(progress, "bytes_done", 0);
    double share = total > 0 ? (double)done / (double)total : 0;
    return MIN((gint64)(share * WHOLE), WHOLE - 1);
}

char *
bp_v1_tell_problem(const json_t *job)
{
    bp_v1_state state = bp_v1_state_of_job(job);
    const json_t *error = state == BP_V1_FAILED ? json_object_get(job, "error") : NULL;
    const char *message = bp_json_text(error, "message", NULL);
    const char *hint = bp_json_text(error, "hint", NULL);
    if (message != NULL) {
        return hint != NULL ? g_strdup_printf("%s (%s)", message, hint) : g_strdup(message);
    }
    const char *word = bp_json_text(job, "state", "");
    if (strcmp(word, "different") == 0) {
        return g_strdup("done, but not all of it can be proven");
    }
    return state == BP_V1_FAILED ? g_strdup(word) : NULL;
}

/* What is alike in tasks of both kinds. */
static json_t *
tell_job(const json_t *job, const char *id, gint64 unit_ns)
{
    json_t *out = json_object();
    bp_v1_state state = bp_v1_state_of_job(job);
    g_autofree char *problem = bp_v1_tell_problem(job);
    bp_json_set_text(out, "id", id);
    set_number(out, "state_code", state);
    bp_json_set_text(out, "errorMessage", problem);
    set_time(out, "start_time", job, "created", unit_ns);
    set_time(out, "end_time", job, "ended", unit_ns);
    gint64 percent = state == BP_V1_DONE ? WHOLE : state == BP_V1_EXECUTING ? percent_of(job) : 0;
    set_number(out, "progress", percent);
    return out;
}

json_t *
bp_v1_tell_create(const json_t *job)
{
    json_t *info = tell_job(job, bp_json_text(job, "id", NULL), BP_NS_PER_MS);
    const json_t *progress = json_object_get(job, "progress");
    bp_json_set_text(info, "name", bp_json_text(job, "name", NULL));
    set_number(info, "size", (gint64)bp_json_u64(progress, "bytes_done", 0));
    return info;
}

/* -- restores */

/* "database.collection"; without a point it is in none.  Times are those of the whole restore. */
static json_t *
tell_target(const json_t *target, const json_t *task, gsize number)
{
    json_t *out = json_object();
    const char *id = bp_json_text(task, "id", "");
    const char *path = bp_json_text(target, "to", "");
    const char *state = bp_json_text(target, "state", "");
    const char *point = strchr(path, '.');
    g_autofree char *own_id = g_strdup_printf("%s_%zu", id, number);
    g_autofree char *database = point != NULL ? g_strndup(path, (gsize)(point - path)) : NULL;
    bool complete = strcmp(state, "complete") == 0 || strcmp(state, "unprovable") == 0;
    bool untouched = strcmp(state, "untouched") == 0;
    bp_json_set_text(out, "id", own_id);
    set_number(out, "state_code", complete ? BP_V1_DONE : untouched ? BP_V1_INITIAL : BP_V1_FAILED);
    set_number(out, "progress", complete ? WHOLE : 0);
    json_object_set(out, "start_time", json_object_get(task, "start_time"));
    json_object_set(out, "end_time", json_object_get(task, "end_time"));
    bp_json_set_text(out, "errorMessage", bp_json_text(target, "error", NULL));
    bp_json_set_text(out, "target_db_name", database);
    bp_json_set_text(out, "target_collection_name", point != NULL ? point + 1 : path);
    return out;
}

json_t *
bp_v1_tell_restore(const json_t *job, const char *id)
{
    json_t *task = tell_job(job, id, BP_NS_PER_S);
    const json_t *targets = json_object_get(json_object_get(job, "result"), "targets");
    json_t *tasks = json_array();
    for (gsize i = 0; i < json_array_size(targets); i++) {
        json_array_append_new(tasks, tell_target(json_array_get(targets, i), task, i + 1));
    }
    json_object_set_new(task, "collection_restore_tasks", tasks);
    bool runs = json_integer_value(json_object_get(task, "state_code")) <= BP_V1_EXECUTING;
    if (runs && json_integer_value(json_object_get(task, "progress")) == 0) {
        set_number(task, "progress", 1); /* as there */
    }
    return task;
}

/* -- check */

char *
bp_v1_tell_check(const json_t *result, const bp_config_tree *config, bool done)
{
    bp_front_call call = {.command = "check"};
    bp_front_result shown = {.call = &call, .json = result, .config = config, .done = done};
    return bp_compat_front.show(&shown);
}
