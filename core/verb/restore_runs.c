/* SPDX-License-Identifier: Apache-2.0
 *
 * See restore_runs.h.
 */
#include "core/verb/restore_runs.h"

#include <bakplane/abi.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/json.h"

#include "sdk/lib/ban.h"

void
bp_restore_finished_free(gpointer data)
{
    bp_restore_finished *done = data;
    g_free(done->identity);
    g_free(done);
}

bp_restore_finished *
bp_restore_finished_new(const char *identity, guint64 found)
{
    bp_restore_finished *done = g_new0(bp_restore_finished, 1);
    done->identity = g_strdup(identity);
    done->found = found;
    return done;
}

void
bp_leftover_free(gpointer data)
{
    bp_leftover *leftover = data;
    g_free(leftover->ref);
    g_free(leftover->key);
    g_free(leftover->upload);
    g_free(leftover);
}

void
bp_leftover_add(GPtrArray *leftovers, const char *ref, const char *key, const char *upload)
{
    bp_leftover *leftover = g_new0(bp_leftover, 1);
    leftover->ref = g_strdup(ref);
    leftover->key = g_strdup(key);
    leftover->upload = g_strdup(upload);
    g_ptr_array_add(leftovers, leftover);
}

/* One of them: others of that key may have begun unheard. */
void
bp_leftover_forget(GPtrArray *leftovers, const char *key, const char *upload)
{
    for (guint i = leftovers->len; i > 0; i--) {
        const bp_leftover *leftover = g_ptr_array_index(leftovers, i - 1);
        if (g_strcmp0(leftover->upload, upload) == 0 && g_str_equal(leftover->key, key)) {
            g_ptr_array_remove_index(leftovers, i - 1);
            return;
        }
    }
}

void
bp_restore_run_free(bp_restore_run *run)
{
    g_free(run->path);
    g_free(run->backup);
    g_free(run->wanted);
    g_free(run->job);
    g_hash_table_unref(run->targets);
    g_hash_table_unref(run->prepared);
    g_hash_table_unref(run->finished);
    g_ptr_array_unref(run->leftovers);
    g_free(run);
}

static void
apply_line(bp_restore_run *run, const json_t *line)
{
    const char *name = bp_json_text(line, "event", "");
    const char *target = bp_json_text(line, "target", "");
    if (g_str_equal(name, "prepared")) {
        g_hash_table_remove(run->finished, target);
        g_hash_table_insert(run->prepared, g_strdup(target),
                            g_strdup(bp_json_text(line, "identity", "")));
    } else if (g_str_equal(name, "done")) {
        g_hash_table_remove(run->prepared, target);
        g_hash_table_insert(run->finished, g_strdup(target),
                            bp_restore_finished_new(bp_json_text(line, "identity", ""),
                                                    bp_json_u64(line, "found", BP_UNKNOWN)));
    } else if (g_str_equal(name, "staging")) {
        bp_leftover_add(run->leftovers, bp_json_text(line, "ref", ""),
                        bp_json_text(line, "prefix", ""), NULL);
    } else if (g_str_equal(name, "upload")) {
        bp_leftover_add(run->leftovers, bp_json_text(line, "ref", ""),
                        bp_json_text(line, "key", ""), bp_json_text(line, "upload", ""));
    } else if (g_str_equal(name, "uploaded")) {
        bp_leftover_forget(run->leftovers, bp_json_text(line, "key", ""),
                           bp_json_text(line, "upload", ""));
    } else if (g_str_equal(name, "swept")) {
        g_ptr_array_set_size(run->leftovers, 0);
    }
}

static bool
apply_begin(bp_restore_run *run, const json_t *line, const char *address)
{
    if (!g_str_equal(bp_json_text(line, "event", ""), "begin") ||
        (address != NULL && !g_str_equal(bp_json_text(line, "address", ""), address))) {
        return false;
    }
    run->job = g_strdup(bp_json_text(line, "job", ""));
    run->backup = g_strdup(bp_json_text(line, "backup", ""));
    run->wanted = g_strdup(bp_json_text(line, "wanted", ""));
    const json_t *targets = json_object_get(line, "targets");
    for (gsize i = 0; i < json_array_size(targets); i++) {
        const char *target = json_string_value(json_array_get(targets, i));
        g_hash_table_add(run->targets, g_strdup(target != NULL ? target : ""));
    }
    return true;
}

static void
apply_lines(bp_restore_run *run, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++) {
        g_autoptr(json_t) line = bp_json_parse(lines[i], strlen(lines[i]), run->path, NULL);
        if (line != NULL) { /* the last one may be torn */
            apply_line(run, line);
        }
    }
}

/*
 * NULL for a file that is gone, of another source, or says nothing.  Whether its run lives is asked
 * before it is read: else one that ends in between would look dead with its targets half made.
 */
bp_restore_run *
bp_restore_run_read(const char *path, const char *address)
{
    g_autoptr(bp_restore_run) run = g_new0(bp_restore_run, 1);
    run->path = g_strdup(path);
    run->targets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    run->prepared = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    run->finished =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bp_restore_finished_free);
    run->leftovers = g_ptr_array_new_with_free_func(bp_leftover_free);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    run->live = flock(fd, LOCK_SH | LOCK_NB) != 0;
    g_autofree char *text = NULL;
    bool readable = g_file_get_contents(path, &text, NULL, NULL);
    close(fd);
    if (!readable) {
        return NULL;
    }
    const char *first_end = strchrnul(text, '\n');
    g_autoptr(json_t) first = bp_json_parse(text, (gsize)(first_end - text), path, NULL);
    if (first == NULL || !apply_begin(run, first, address)) {
        return NULL;
    }
    apply_lines(run, text);
    return g_steal_pointer(&run);
}
