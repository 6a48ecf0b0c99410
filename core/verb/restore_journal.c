/* SPDX-License-Identifier: Apache-2.0
 *
 * See restore_journal.h.  One JSON object per line: {"event":…}; appended and fsynced.
 */
#include "core/verb/restore_journal.h"

#include <bakplane/abi.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/verb/restore_runs.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "restore"

struct bp_restore_journal {
    pthread_mutex_t lock; /* orders appends; guards fd, pending and leftovers */
    char *path;
    int fd;               /* -1: a look, nothing is written */
    GHashTable *ours;     /* target -> identity, from dead runs */
    GHashTable *finished; /* target -> bp_restore_finished*, from dead runs */
    GHashTable *pending;  /* target -> identity: prepared but not done */
    GPtrArray *leftovers; /* bp_leftover* of dead runs, and uploads of ours that are not over */
    bool staging;         /* some staging is not swept, or an upload not aborted */
    bool any_done;        /* some target is on record as complete */
    bool failed;          /* some other one is not */
};

/* A line that got there in part would swallow the next one: it is cut off again. */
static bool
append_line(bp_restore_journal *journal, json_t *take_line, GError **error)
{
    g_autofree char *text = bp_json_line(take_line);
    json_decref(take_line);
    if (journal->fd < 0) {
        return true;
    }
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    gsize n = strlen(line);
    off_t end = lseek(journal->fd, 0, SEEK_END);
    ssize_t written = end >= 0 ? write(journal->fd, line, n) : -1;
    if (written == (ssize_t)n && fdatasync(journal->fd) == 0) {
        return true;
    }
    int problem = written >= 0 && written < (ssize_t)n ? ENOSPC : errno;
    if (written > 0 && ftruncate(journal->fd, end) != 0) {
        BP_WARN("half a line stays in a journal of restores", "path", journal->path);
    }
    bp_set_error_errno(error, problem, "restore journal %s", journal->path);
    return false;
}

static json_t *
event(const char *name)
{
    return json_pack("{s:s}", "event", name);
}

static bool
check_live(const bp_restore_run *run, const char *const *targets, GError **error)
{
    for (const char *const *target = targets; *target != NULL; target++) {
        if (g_hash_table_contains(run->targets, *target)) {
            bp_set_error(error, BP_ERR_EXISTS,
                         "%s is being restored by another run right now (from backup %s)", *target,
                         run->backup);
            return false;
        }
    }
    return true;
}

static bool
write_done(bp_restore_journal *journal, const char *target, const bp_restore_finished *done,
           GError **error)
{
    journal->any_done = true;
    json_t *line = event("done");
    bp_json_set_text(line, "target", target);
    bp_json_set_text(line, "identity", done->identity);
    bp_json_set_u64(line, "found", done->found);
    return append_line(journal, line, error);
}

static bool
inherit_leftovers(bp_restore_journal *journal, const bp_restore_run *run, GError **error)
{
    for (guint i = 0; i < run->leftovers->len; i++) {
        const bp_leftover *from = g_ptr_array_index(run->leftovers, i);
        if (from->upload != NULL) {
            if (!bp_restore_journal_upload(journal, from, false, error)) {
                return false;
            }
            continue;
        }
        bp_leftover_add(journal->leftovers, from->ref, from->key, NULL);
        if (!bp_restore_journal_staging(journal, from->ref, from->key, error)) {
            return false;
        }
    }
    return true;
}

static bool
inherit_targets(bp_restore_journal *journal, const bp_restore_run *run, GError **error)
{
    GHashTableIter iter;
    gpointer target = NULL;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, run->prepared);
    while (g_hash_table_iter_next(&iter, &target, &value)) {
        g_hash_table_insert(journal->ours, g_strdup(target), g_strdup(value));
        if (!bp_restore_journal_prepared(journal, target, value, error)) {
            return false;
        }
    }
    g_hash_table_iter_init(&iter, run->finished);
    while (g_hash_table_iter_next(&iter, &target, &value)) {
        const bp_restore_finished *done = value;
        g_hash_table_insert(journal->finished, g_strdup(target),
                            bp_restore_finished_new(done->identity, done->found));
        if (!write_done(journal, target, done, error)) {
            return false;
        }
    }
    return true;
}

/* What a dead run left becomes ours, in our own file first; then its file can go. */
static bool
inherit(bp_restore_journal *journal, bp_restore_run *run, const char *wanted, GError **error)
{
    if (!g_str_equal(run->wanted, wanted)) {
        g_hash_table_remove_all(run->finished); /* complete, but as something else */
    }
    if (!inherit_leftovers(journal, run, error) || !inherit_targets(journal, run, error)) {
        return false;
    }
    if (journal->fd >= 0 && unlink(run->path) != 0 && errno != ENOENT) {
        bp_set_error_errno(error, errno, "restore journal %s", run->path);
        return false;
    }
    return true;
}

static bool
take_over_dead_runs(bp_restore_journal *journal, GPtrArray *runs, const char *wanted,
                    GError **error)
{
    for (guint i = 0; i < runs->len; i++) {
        bp_restore_run *run = g_ptr_array_index(runs, i);
        if (!run->live && !inherit(journal, run, wanted, error)) {
            return false;
        }
    }
    return true;
}

static GPtrArray *
read_others(const char *dir, const char *address)
{
    GPtrArray *runs = g_ptr_array_new_with_free_func((GDestroyNotify)bp_restore_run_free);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name = NULL;
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        if (g_str_has_suffix(name, ".jsonl")) {
            g_autofree char *path = g_build_filename(dir, name, NULL);
            bp_restore_run *run = bp_restore_run_read(path, address);
            if (run != NULL) {
                g_ptr_array_add(runs, run);
            }
        }
    }
    return runs;
}

/* The name of a new file is on disk only once its directory is. */
static bool
sync_directory(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return synced;
}

static bool
create_file(bp_restore_journal *journal, const char *dir, json_t *take_begin, GError **error)
{
    journal->fd = open(journal->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (journal->fd < 0 || flock(journal->fd, LOCK_EX | LOCK_NB) != 0 || !sync_directory(dir)) {
        json_decref(take_begin);
        bp_set_error_errno(error, errno, "restore journal %s", journal->path);
        return false;
    }
    return append_line(journal, take_begin, error);
}

static json_t *
begin_line(const bp_restore_journal_params *params)
{
    json_t *list = json_array();
    for (const char *const *target = params->targets; *target != NULL; target++) {
        json_array_append_new(list, json_string(*target));
    }
    json_t *line = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:o}", "event", "begin", "address",
                             params->address, "run", params->run_id, "backup", params->backup,
                             "wanted", params->wanted, "pid", (int)getpid(), "targets", list);
    bp_json_set_text(line, "job", params->job);
    return line;
}

/* Nobody else works on our targets.  Returns: (transfer full) (nullable) bp_restore_run* */
static GPtrArray *
check_others(const char *dir, const bp_restore_journal_params *params, GError **error)
{
    g_autoptr(GPtrArray) others = read_others(dir, params->address);
    for (guint i = 0; i < others->len; i++) {
        const bp_restore_run *run = g_ptr_array_index(others, i);
        if (run->live && !check_live(run, params->targets, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&others);
}

/* Under the registration lock: nobody else registers while we look and write. */
static bool
register_run(bp_restore_journal *journal, const char *dir, const bp_restore_journal_params *params,
             GError **error)
{
    g_autoptr(GPtrArray) others = check_others(dir, params, error);
    return others != NULL && create_file(journal, dir, begin_line(params), error) &&
           take_over_dead_runs(journal, others, params->wanted, error);
}

static bp_restore_journal *
journal_new(const char *dir, const char *run_id)
{
    bp_restore_journal *journal = g_new0(bp_restore_journal, 1);
    pthread_mutex_init(&journal->lock, NULL);
    journal->path = g_strdup_printf("%s/%s.jsonl", dir, run_id);
    journal->fd = -1;
    journal->ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    journal->finished =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bp_restore_finished_free);
    journal->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    journal->leftovers = g_ptr_array_new_with_free_func(bp_leftover_free);
    return journal;
}

bp_restore_journal *
bp_restore_journal_open(const bp_restore_journal_params *params, GError **error)
{
    g_autofree char *dir = g_build_filename(params->state_dir, "restore", NULL);
    g_autofree char *lock_path = g_build_filename(dir, "lock", NULL);
    if (g_mkdir_with_parents(dir, 0700) != 0) {
        bp_set_error_errno(error, errno, "state directory %s", dir);
        bp_error_add_hint(error, "set state_dir");
        return NULL;
    }
    int guard = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (guard < 0 || flock(guard, LOCK_EX) != 0) {
        bp_set_error_errno(error, errno, "lock file %s", lock_path);
        if (guard >= 0) {
            close(guard);
        }
        return NULL;
    }
    g_autoptr(bp_restore_journal) journal = journal_new(dir, params->run_id);
    bool fine = register_run(journal, dir, params, error);
    close(guard);
    return fine ? g_steal_pointer(&journal) : NULL;
}

bp_restore_journal *
bp_restore_journal_look(const bp_restore_journal_params *params, GError **error)
{
    g_autofree char *dir = g_build_filename(params->state_dir, "restore", NULL);
    g_autofree char *lock_path = g_build_filename(dir, "lock", NULL);
    g_autoptr(bp_restore_journal) journal = journal_new(dir, params->run_id);
    int guard = open(lock_path, O_RDONLY | O_CLOEXEC);
    if (guard < 0 && errno == ENOENT) { /* there never was a run */
        return g_steal_pointer(&journal);
    }
    if (guard < 0 || flock(guard, LOCK_SH) != 0) { /* a file that is being made looks dead */
        bp_set_error_errno(error, errno, "lock file %s", lock_path);
        if (guard >= 0) {
            close(guard);
        }
        return NULL;
    }
    g_autoptr(GPtrArray) others = check_others(dir, params, error);
    bool fine = others != NULL && take_over_dead_runs(journal, others, params->wanted, error);
    close(guard);
    return fine ? g_steal_pointer(&journal) : NULL;
}

void
bp_restore_journal_free(bp_restore_journal *journal)
{
    if (journal == NULL) {
        return;
    }
    if (journal->fd >= 0) {
        bool resumed = journal->failed && journal->any_done; /* by the same command */
        if (g_hash_table_size(journal->pending) == 0 && !journal->staging && !resumed) {
            (void)unlink(journal->path); /* a file that stays is read and found finished */
        }
        close(journal->fd);
    }
    g_free(journal->path);
    g_hash_table_unref(journal->ours);
    g_hash_table_unref(journal->finished);
    g_hash_table_unref(journal->pending);
    g_ptr_array_unref(journal->leftovers);
    pthread_mutex_destroy(&journal->lock);
    g_free(journal);
}

const char *
bp_restore_journal_ours(const bp_restore_journal *journal, const char *target)
{
    return g_hash_table_lookup(journal->ours, target);
}

const char *
bp_restore_journal_finished(const bp_restore_journal *journal, const char *target, guint64 *found)
{
    const bp_restore_finished *done = g_hash_table_lookup(journal->finished, target);
    bool known = done != NULL && *done->identity != '\0';
    *found = known ? done->found : 0;
    return known ? done->identity : NULL;
}

const GPtrArray *
bp_restore_journal_leftovers(const bp_restore_journal *journal)
{
    return journal->leftovers;
}

bool
bp_restore_journal_staging(bp_restore_journal *journal, const char *ref, const char *prefix,
                           GError **error)
{
    json_t *line = event("staging");
    bp_json_set_text(line, "ref", ref);
    bp_json_set_text(line, "prefix", prefix);
    BP_LOCK_GUARD(&journal->lock);
    journal->staging = true;
    return append_line(journal, line, error);
}

bool
bp_restore_journal_upload(bp_restore_journal *journal, const bp_leftover *upload, bool over,
                          GError **error)
{
    json_t *line = event(over ? "uploaded" : "upload");
    bp_json_set_text(line, "ref", upload->ref);
    bp_json_set_text(line, "key", upload->key);
    bp_json_set_text(line, "upload", upload->upload);
    BP_LOCK_GUARD(&journal->lock);
    journal->staging = true;
    if (over) {
        bp_leftover_forget(journal->leftovers, upload->key, upload->upload);
    } else {
        bp_leftover_add(journal->leftovers, upload->ref, upload->key, upload->upload);
    }
    return append_line(journal, line, error);
}

void
bp_restore_journal_failed(bp_restore_journal *journal)
{
    BP_LOCK_GUARD(&journal->lock);
    journal->failed = true;
}

bool
bp_restore_journal_swept(bp_restore_journal *journal, GError **error)
{
    BP_LOCK_GUARD(&journal->lock);
    journal->staging = false;
    return append_line(journal, event("swept"), error);
}

bool
bp_restore_journal_prepared(bp_restore_journal *journal, const char *target, const char *identity,
                            GError **error)
{
    json_t *line = event("prepared");
    bp_json_set_text(line, "target", target);
    bp_json_set_text(line, "identity", identity);
    BP_LOCK_GUARD(&journal->lock);
    g_hash_table_insert(journal->pending, g_strdup(target), g_strdup(identity));
    return append_line(journal, line, error);
}

bool
bp_restore_journal_done(bp_restore_journal *journal, const char *target, guint64 found,
                        GError **error)
{
    BP_LOCK_GUARD(&journal->lock);
    const bp_restore_finished done = {g_hash_table_lookup(journal->pending, target), found};
    bool written = write_done(journal, target, &done, error);
    g_hash_table_remove(journal->pending, target);
    return written;
}
