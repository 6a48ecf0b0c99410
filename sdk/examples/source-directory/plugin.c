/* SPDX-License-Identifier: Apache-2.0
 *
 * source-directory: descriptor, settings, and what can be said without a run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "directory.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

const struct tree *
source_tree(const struct bp_source *source, const char *name)
{
    for (size_t i = 0; i < source->n_trees; i++) {
        if (strcmp(source->trees[i].name, name) == 0) {
            return &source->trees[i];
        }
    }
    return NULL;
}

static void
source_close(struct bp_source *source)
{
    for (size_t i = 0; i < source->n_trees; i++) {
        free(source->trees[i].path);
    }
    free(source->trees);
    free(source->scratch);
    free(source);
}

/* Names stand in keys, in filters and in rename rules. */
static bool
name_is_fine(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '-') {
            return false;
        }
    }
    return n > 0 && n < TREE_CAP;
}

static bool
lies_in(const char *inner, const char *outer)
{
    size_t n = strlen(outer);
    return strncmp(inner, outer, n) == 0 &&
           (inner[n] == '\0' || inner[n] == '/' || outer[n - 1] == '/');
}

/* "name=/path" */
static bp_status
add_tree(struct bp_source *source, const char *text, struct bp_error *error)
{
    const char *path = strchr(text, '=');
    if (path == NULL || !name_is_fine(text, (size_t)(path - text)) || path[1] != '/') {
        return bp_fail(error, BP_ERR_INVALID,
                       "trees: \"%s\" is not name=/path with a name of A-Z, a-z, 0-9, '-' and '_'",
                       text);
    }
    struct tree *tree = &source->trees[source->n_trees];
    (void)snprintf(tree->name, sizeof(tree->name), "%.*s", (int)(path - text), text);
    for (size_t i = 0; i < source->n_trees; i++) {
        const struct tree *other = &source->trees[i];
        if (strcmp(other->name, tree->name) == 0 || lies_in(path + 1, other->path) ||
            lies_in(other->path, path + 1)) {
            return bp_fail(error, BP_ERR_INVALID,
                           "trees: \"%s\" has the name of \"%s=%s\", or one lies in the other",
                           text, other->name, other->path);
        }
    }
    tree->path = strdup(path + 1);
    if (tree->path == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for tree %s", tree->name);
    }
    source->n_trees++;
    return BP_OK;
}

static bp_status
source_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
            struct bp_source **out, struct bp_error *error)
{
    (void)op;
    size_t n = host->config_count(config, "trees");
    const char *scratch = bp_setting_text(host, config, "scratch");
    if (n == 0) {
        return bp_fail(error, BP_ERR_INVALID, "trees: no directory is named");
    }
    struct bp_source *source = calloc(1, sizeof(*source));
    if (source != NULL) {
        source->host = host;
        source->trees = calloc(n, sizeof(*source->trees));
        source->scratch = strdup(scratch != NULL ? scratch : "/var/tmp");
    }
    if (source == NULL || source->trees == NULL || source->scratch == NULL) {
        if (source != NULL) {
            source_close(source);
        }
        return bp_fail(error, BP_ERR_NOMEM, "no memory for %zu trees", n);
    }
    for (size_t i = 0; i < n; i++) {
        bp_status status = add_tree(source, host->config_at(config, "trees", i), error);
        if (status != BP_OK) {
            source_close(source);
            return status;
        }
    }
    *out = source;
    return BP_OK;
}

static bp_status
source_info(struct bp_source *source, struct bp_source_info *out, struct bp_error *error)
{
    size_t n = 0;
    (void)error;
    out->features = BP_SOURCE_CONCURRENT_UNITS;
    (void)snprintf(out->item_kind, sizeof(out->item_kind), "tree");
    (void)snprintf(out->proof_what, sizeof(out->proof_what), "entries");
    (void)snprintf(out->server_version, sizeof(out->server_version), "%s", source->kernel);
    (void)snprintf(out->commit_document, sizeof(out->commit_document), "%s", COMMIT_DOCUMENT);
    for (size_t i = 0; i < source->n_trees && n < sizeof(out->address); i++) {
        int more = snprintf(out->address + n, sizeof(out->address) - n, "%s%s", i > 0 ? "," : "",
                            source->trees[i].path);
        n += more > 0 ? (size_t)more : 0;
    }
    return BP_OK;
}

static bp_status
source_probe(struct bp_source *source, const struct bp_op *op, const struct bp_note_sink *notes,
             struct bp_error *error)
{
    (void)op;
    (void)notes;
    for (size_t i = 0; i < source->n_trees; i++) {
        const struct tree *tree = &source->trees[i];
        int fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
            return bp_fail_errno(error, errno, "tree %s: %s", tree->name, tree->path);
        }
        (void)close(fd); /* opened for reading */
    }
    if (access(source->scratch, W_OK | X_OK) != 0) {
        return bp_fail_errno(error, errno, "setting scratch: %s", source->scratch);
    }
    struct utsname kernel;
    if (uname(&kernel) == 0) {
        (void)snprintf(source->kernel, sizeof(source->kernel), "%.20s %.40s", kernel.sysname,
                       kernel.release);
    }
    return BP_OK;
}

static bp_status
source_plan(struct bp_source *source, const struct bp_op *op, const struct bp_unit_filter *filter,
            const struct bp_unit_sink *sink, struct bp_error *error)
{
    (void)op;
    for (size_t i = 0; i < source->n_trees; i++) {
        const char *name = source->trees[i].name;
        const struct bp_unit unit = {.struct_size = sizeof(unit),
                                     .id = name,
                                     .kind = "tree",
                                     .name = name,
                                     .bytes = BP_UNKNOWN,
                                     .objects = BP_UNKNOWN};
        if (filter != NULL && filter->wants(filter->ctx, &unit) == 0) {
            continue;
        }
        if (sink->unit(sink->ctx, &unit) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "the plan was stopped");
        }
    }
    return BP_OK;
}

static const struct bp_config_key keys[] = {
    {.name = "trees",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED | BP_CONFIG_LIST,
     .help = "directories to capture, each as name=/path"},
    {.name = "scratch",
     .type = BP_CONFIG_PATH,
     .def = "/var/tmp",
     .help = "directory for indexes during a capture, about 100 bytes for each file"},
};

static const struct bp_config_key restore_keys[] = {
    {.name = "into",
     .type = BP_CONFIG_PATH,
     .help = "directory in which trees are made under their names, instead of where they were"},
    {.name = "overwrite",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "also into directories that are not empty: what has the same name is replaced, the "
             "rest stays"},
};

static const struct bp_source_ops ops = {
    .struct_size = sizeof(ops),
    .key_stride = sizeof(struct bp_config_key),
    .restore_keys = restore_keys,
    .n_restore_keys = sizeof(restore_keys) / sizeof(restore_keys[0]),
    .open = source_open,
    .close = source_close,
    .info = source_info,
    .probe = source_probe,
    .plan = source_plan,
    .run_begin = run_begin,
    .run_end = run_end,
    .unit_begin = unit_begin,
    .unit_items = unit_items,
    .unit_refresh = unit_begin, /* looking again is the same as looking */
    .unit_end = unit_end,
    .unit_prove = unit_prove,
    .item_open = item_open,
    .item_read = item_read,
    .item_close = item_close,
    .documents = documents,
    .restore_begin = restore_begin,
    .target_prepare = target_prepare,
    .target_place = target_place,
    .target_step = target_step,
    .job_poll = job_poll,
    .target_prove = target_prove,
    .target_finish = target_finish,
    .restore_end = restore_end,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "directory",
    .version = "1.0",
    .summary = "plain directory trees: files, modes, times, symbolic links",
    .license = "Apache-2.0",
    .keys = keys,
    .key_stride = sizeof(keys[0]),
    .n_keys = sizeof(keys) / sizeof(keys[0]),
    .source = &ops,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    *out = &plugin;
    return BP_OK;
}
