/* SPDX-License-Identifier: Apache-2.0
 *
 * See restore_settle.h.
 */
#include "core/verb/restore_settle.h"

#include <bakplane/abi.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/verb/restore_runs.h"
#include "core/verb/restore_sweep.h"

#include "sdk/lib/ban.h"

#define SWEPT "{\"event\":\"swept\"}\n"

/* Returns: (transfer full) (nullable) */
static bp_restore_run *
find_run(const char *dir, const char *job)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *file = NULL;
    while (entries != NULL && (file = g_dir_read_name(entries)) != NULL) {
        if (!g_str_has_suffix(file, ".jsonl")) {
            continue;
        }
        g_autofree char *path = g_build_filename(dir, file, NULL);
        g_autoptr(bp_restore_run) run = bp_restore_run_read(path, NULL);
        if (run != NULL && strcmp(run->job, job) == 0) {
            return g_steal_pointer(&run);
        }
    }
    return NULL;
}

/*
 * The file is locked while we are at it, as if its run lived: a restore that begins meanwhile must
 * not stage where we sweep.  Returns: the descriptor, or -1 with an error, or -1 without for none
 */
static int
take_run(const char *dir, const char *job, bp_restore_run **run, GError **error)
{
    g_autofree char *lock_path = g_build_filename(dir, "lock", NULL);
    int guard = open(lock_path, O_RDONLY | O_CLOEXEC);
    if (guard < 0 || flock(guard, LOCK_EX) != 0) {
        if (guard >= 0 || errno != ENOENT) {
            bp_set_error_errno(error, errno, "lock file %s", lock_path);
        }
        if (guard >= 0) {
            close(guard);
        }
        return -1;
    }
    *run = find_run(dir, job);
    int fd = *run != NULL ? open((*run)->path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (*run != NULL && (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)) {
        bool live = fd >= 0 && errno == EWOULDBLOCK;
        bp_set_error(error, live ? BP_ERR_EXISTS : BP_ERR_PERMANENT, "restore journal %s: %s",
                     (*run)->path, live ? "its run lives" : g_strerror(errno));
        if (fd >= 0) {
            close(fd);
            fd = -1;
        }
    }
    close(guard);
    return fd;
}

static bool
sweep(const bp_verb *verb, const bp_restore_run *run, GError **error)
{
    const bp_call *call = bp_workspace_call(verb->workspace);
    for (guint i = 0; i < run->leftovers->len; i++) {
        const bp_leftover *left = g_ptr_array_index(run->leftovers, i);
        if (left->upload != NULL && !bp_sweep_upload(verb->workspace, call, left)) {
            bp_set_error(error, BP_ERR_PERMANENT, "an upload of %s could not be aborted",
                         left->key);
            return false;
        }
        if (left->upload == NULL &&
            !bp_sweep_prefix(verb->workspace, call, left->ref, left->key, error)) {
            return false;
        }
    }
    return true;
}

/* true: nothing is left of it on the storages. */
static bool
sweep_and_say(const bp_verb *verb, const bp_restore_run *run, int fd)
{
    g_autoptr(GError) error = NULL;
    if (run->leftovers->len == 0) {
        return true;
    }
    bp_monitor_begin(verb->monitor, "sweep", NULL, NULL);
    bool swept = sweep(verb, run, &error);
    bp_monitor_end(verb->monitor);
    if (swept &&
        (write(fd, SWEPT, strlen(SWEPT)) != (ssize_t)strlen(SWEPT) || fdatasync(fd) != 0)) {
        bp_set_error_errno(&error, errno, "restore journal %s", run->path);
    }
    if (error != NULL) {
        bp_monitor_note(verb->monitor, BP_NOTE_WARN, "staging", error->message);
    }
    return error == NULL;
}

static int
by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

/* As of a restore, without what only its backup tells. */
static json_t *
targets_of(const bp_restore_run *run, GString *complete, GString *incomplete)
{
    json_t *list = json_array();
    GList *names = g_list_sort(g_hash_table_get_keys(run->targets), by_text);
    for (const GList *at = names; at != NULL; at = at->next) {
        const char *name = at->data;
        const bp_restore_finished *done = g_hash_table_lookup(run->finished, name);
        bool begun = g_hash_table_contains(run->prepared, name);
        json_t *one = json_object();
        bp_json_set_text(one, "to", name);
        bp_json_set_text(one, "state", done != NULL ? "complete" : begun ? "failed" : "untouched");
        if (done != NULL) {
            bp_json_set_u64(one, "found", done->found);
        } else if (begun) {
            bp_json_set_text(one, "error", "begun by a process that was killed");
        }
        GString *out = done != NULL ? complete : incomplete;
        g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", name);
        json_array_append_new(list, one);
    }
    g_list_free(names);
    return list;
}

/* Counted as the restore would have: what could not be proven is no success. */
static bp_verb_outcome
outcome_of(const bp_restore_run *run)
{
    bp_verb_outcome outcome = g_hash_table_size(run->targets) > 0 ? BP_VERB_OK : BP_VERB_FAILED;
    GHashTableIter iter;
    gpointer name = NULL;
    g_hash_table_iter_init(&iter, run->targets);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        const bp_restore_finished *done = g_hash_table_lookup(run->finished, name);
        if (done == NULL) {
            return BP_VERB_FAILED;
        }
        outcome = done->found == BP_UNKNOWN ? BP_VERB_DIFFERENT : outcome;
    }
    return outcome;
}

static bp_verb_outcome
report(const bp_verb *verb, const bp_restore_run *run, GError **error)
{
    g_autoptr(GString) complete = g_string_new(NULL);
    g_autoptr(GString) incomplete = g_string_new(NULL);
    bp_verb_outcome outcome = outcome_of(run);
    bool touched = g_hash_table_size(run->prepared) + g_hash_table_size(run->finished) > 0;
    json_object_set_new(verb->result, "targets", targets_of(run, complete, incomplete));
    json_object_set_new(verb->result, "touched", json_boolean(touched));
    if (outcome == BP_VERB_FAILED) {
        bp_set_error(error, BP_ERR_PERMANENT, "it was killed; complete: %s; incomplete: %s",
                     complete->len > 0 ? complete->str : "none",
                     incomplete->len > 0 ? incomplete->str : "none");
        bp_error_add_hint(error, "the same restore again replaces what is incomplete and keeps "
                                 "what is complete");
    }
    return outcome;
}

static bp_verb_outcome
settle(const bp_verb *verb, const bp_restore_run *run, int fd, GError **error)
{
    bool swept = sweep_and_say(verb, run, fd);
    bp_verb_outcome outcome = report(verb, run, error);
    if (swept && outcome != BP_VERB_FAILED) {
        (void)unlink(run->path); /* one that stays is read and found finished */
    }
    return outcome;
}

bp_verb_outcome
bp_verb_restore_settle(const bp_verb *verb, const char *name, GError **error)
{
    GError *problem = NULL;
    g_autoptr(bp_restore_run) run = NULL;
    bp_verb_outcome outcome = BP_VERB_FAILED;
    bp_json_set_text(verb->result, "job", "restore");
    bp_json_set_text(verb->result, "name", name);
    const bp_catalog *catalog = NULL; /* opened for how small calls are retried */
    g_autofree char *state_dir = bp_workspace_state_dir(verb->workspace, error);
    if (state_dir == NULL || !bp_workspace_catalog(verb->workspace, &catalog, error)) {
        return BP_VERB_FAILED;
    }
    g_autofree char *dir = g_build_filename(state_dir, "restore", NULL);
    int fd = take_run(dir, verb->id, &run, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
    } else if (fd < 0) {
        json_object_set_new(verb->result, "touched", json_false());
        bp_set_error(error, BP_ERR_PERMANENT, "it was killed before it changed anything");
        bp_error_add_hint(error, "start it again");
    } else {
        outcome = settle(verb, run, fd, error);
        close(fd);
    }
    return outcome;
}
