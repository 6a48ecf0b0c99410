/* SPDX-License-Identifier: Apache-2.0
 *
 * The source plugin "files": descriptor, plan and capture.  See source_files.h.  Nothing but the
 * number of objects of each unit is kept, so memory does not grow with the number of items.
 */
#include "tests/harness/source_files.h"

#include <pthread.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/result.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

#define PAGE_ITEMS 1000
#define COMMIT_DOCUMENT "meta/files.json"

typedef struct {
    guint64 named; /* items of the current generation */
} files_unit;

struct bp_run {
    struct bp_source *source;
    guint32 flags;
    pthread_mutex_t lock; /* guards units */
    GTree *units;         /* name -> files_unit */
};

typedef struct {
    files_visit visit;
    void *ctx;
    struct bp_error *error;
    bp_status status;
    char *next;
} walk;

static int32_t
walk_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    walk *self = ctx;
    self->status = self->visit(self->ctx, key, meta, self->error);
    return self->status != BP_OK;
}

static int32_t
walk_prefix(void *ctx, const char *prefix)
{
    walk *self = ctx;
    self->status = self->visit(self->ctx, prefix, NULL, self->error);
    return self->status != BP_OK;
}

static int32_t
walk_next(void *ctx, const char *token)
{
    walk *self = ctx;
    g_free(self->next);
    self->next = g_strdup(token);
    return 0;
}

/* One page; an error of the visitor goes before the one that its stop causes. */
static bp_status
list_page(struct bp_source *self, const struct bp_op *op, const char *ref,
          const struct bp_list_args *args, walk *state)
{
    struct bp_error raw;
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = state,
                                .entry = walk_entry,
                                .prefix = walk_prefix,
                                .next = walk_next};
    bp_error_init(&raw);
    bp_status status = self->host->storage_list(op, ref, args, &sink, &raw);
    if (state->status == BP_OK && status != BP_OK) {
        bp_result_copy(state->error, &raw);
        state->status = status;
    }
    return state->status;
}

static bp_status
list_all(struct bp_source *self, const struct bp_op *op, const char *ref, struct bp_list_args *args,
         walk *state)
{
    g_autofree char *token = NULL;
    do {
        g_free(token);
        token = g_steal_pointer(&state->next);
        args->token = token;
    } while (list_page(self, op, ref, args, state) == BP_OK && state->next != NULL);
    g_clear_pointer(&state->next, g_free);
    return state->status;
}

bp_status
files_each(struct bp_source *self, const struct bp_op *op, const char *ref, const char *prefix,
           files_visit visit, void *ctx, struct bp_error *error)
{
    struct bp_list_args args = {.struct_size = sizeof args, .prefix = prefix, .max = PAGE_ITEMS};
    walk state = {.visit = visit, .ctx = ctx, .error = error};
    return list_all(self, op, ref, &args, &state);
}

static bp_status
count_one(void *ctx, const char *key, const struct bp_object_meta *meta, struct bp_error *error)
{
    (void)key;
    (void)meta;
    (void)error;
    ++*(guint64 *)ctx;
    return BP_OK;
}

bp_status
files_count(struct bp_source *self, const struct bp_op *op, const char *ref, const char *prefix,
            guint64 *n, struct bp_error *error)
{
    *n = 0;
    return files_each(self, op, ref, prefix, count_one, n, error);
}

static bp_status
files_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
           struct bp_source **out, struct bp_error *error)
{
    (void)op;
    const char *storage = bp_setting_text(host, config, "storage");
    if (storage == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "setting \"storage\" is missing");
    }
    struct bp_source *self = g_new0(struct bp_source, 1);
    self->host = host;
    self->storage = g_strdup(storage);
    self->databases = bp_setting_bool(host, config, "databases", false);
    *out = self;
    return BP_OK;
}

static void
files_close(struct bp_source *self)
{
    g_free(self->storage);
    g_free(self);
}

static bp_status
files_info(struct bp_source *self, struct bp_source_info *out, struct bp_error *error)
{
    (void)error;
    out->features = BP_SOURCE_CONCURRENT_UNITS;
    g_strlcpy(out->item_kind, "directory", sizeof out->item_kind);
    if (self->databases) {
        g_strlcpy(out->parent_kind, FILES_PARENT, sizeof out->parent_kind);
        g_strlcpy(out->default_parent, "default", sizeof out->default_parent);
    }
    g_strlcpy(out->proof_what, "objects", sizeof out->proof_what);
    g_strlcpy(out->server_version, "1.0", sizeof out->server_version);
    g_strlcpy(out->address, self->storage, sizeof out->address);
    g_strlcpy(out->commit_document, COMMIT_DOCUMENT, sizeof out->commit_document);
    return BP_OK;
}

static bp_status
files_probe(struct bp_source *self, const struct bp_op *op, const struct bp_note_sink *notes,
            struct bp_error *error)
{
    struct bp_storage_view view = {.struct_size = sizeof view};
    (void)notes;
    return self->host->storage_info(op, self->storage, &view, error);
}

typedef struct {
    struct bp_source *source;
    const struct bp_op *op;
    const struct bp_unit_filter *filter;
    const struct bp_unit_sink *sink;
    char *parent; /* whose directories these are, or NULL */
} planning;

static bp_status list_directories(planning *self, const char *prefix, struct bp_error *error);

static bp_status
plan_directory(void *ctx, const char *key, const struct bp_object_meta *meta,
               struct bp_error *error)
{
    planning *self = ctx;
    if (meta != NULL || strcmp(key, FILES_RESTORED) == 0 || g_str_has_prefix(key, FILES_STAGING)) {
        return BP_OK; /* an object beside the directories, or what a restore made */
    }
    bool is_parent = self->source->databases && self->parent == NULL;
    g_autofree char *id = g_strndup(key, strlen(key) - 1);
    struct bp_unit unit = {.struct_size = sizeof unit,
                           .id = id,
                           .parent = self->parent,
                           .kind = is_parent ? FILES_PARENT : "directory",
                           .name = self->parent != NULL ? strchr(id, '/') + 1 : id,
                           .bytes = BP_UNKNOWN,
                           .objects = BP_UNKNOWN};
    if (self->filter != NULL && self->filter->wants(self->filter->ctx, &unit) == 0) {
        return BP_OK;
    }
    if (self->sink->unit(self->sink->ctx, &unit) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the plan was stopped");
    }
    planning below = *self;
    below.parent = id;
    return is_parent ? list_directories(&below, key, error) : BP_OK;
}

static bp_status
list_directories(planning *self, const char *prefix, struct bp_error *error)
{
    struct bp_list_args args = {
        .struct_size = sizeof args, .prefix = prefix, .max = PAGE_ITEMS, .delimiter = '/'};
    walk state = {.visit = plan_directory, .ctx = self, .error = error};
    return list_all(self->source, self->op, self->source->storage, &args, &state);
}

static bp_status
files_plan(struct bp_source *self, const struct bp_op *op, const struct bp_unit_filter *filter,
           const struct bp_unit_sink *sink, struct bp_error *error)
{
    planning planned = {.source = self, .op = op, .filter = filter, .sink = sink};
    return list_directories(&planned, "", error);
}

static gint
by_name(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void)unused;
    return strcmp(a, b);
}

static bp_status
files_run_begin(struct bp_source *self, const struct bp_op *op, const struct bp_run_args *args,
                struct bp_run_info *info, struct bp_run **out, struct bp_error *error)
{
    (void)op;
    if ((args->flags & ~(BP_RUN_DRY | BP_RUN_WITHOUT_ITEMS)) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "unknown flags of a run: %u", args->flags);
    }
    struct bp_run *run = g_new0(struct bp_run, 1);
    run->source = self;
    run->flags = args->flags;
    pthread_mutex_init(&run->lock, NULL);
    run->units = g_tree_new_full(by_name, NULL, g_free, g_free);
    info->keepalive_ms = 0;
    *out = run;
    return BP_OK;
}

static bp_status
files_run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome, struct bp_error *error)
{
    (void)op;
    (void)outcome;
    (void)error;
    g_tree_unref(run->units);
    pthread_mutex_destroy(&run->lock);
    g_free(run);
    return BP_OK;
}

/* Nothing to flush: the unit only begins to be counted. */
static bp_status
files_unit_begin(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                 struct bp_error *error)
{
    (void)op;
    if (args->flags != 0) {
        return bp_fail(error, BP_ERR_INVALID, "unknown flags of a unit: %u", args->flags);
    }
    pthread_mutex_lock(&run->lock);
    g_tree_replace(run->units, g_strdup(args->unit_id), g_new0(files_unit, 1));
    pthread_mutex_unlock(&run->lock);
    return BP_OK;
}

static files_unit *
find_unit(struct bp_run *run, const char *unit_id, struct bp_error *error)
{
    pthread_mutex_lock(&run->lock);
    files_unit *unit = g_tree_lookup(run->units, unit_id);
    pthread_mutex_unlock(&run->lock);
    if (unit == NULL) {
        (void)bp_fail(error, BP_ERR_INVALID, "unit %s did not begin", unit_id);
    }
    return unit;
}

typedef struct {
    struct bp_run *run;
    files_unit *unit;
    const struct bp_item_sink *sink;
} naming;

static bp_status
name_item(void *ctx, const char *key, const struct bp_object_meta *meta, struct bp_error *error)
{
    naming *self = ctx;
    char item_key[BP_KEY_MAX + 1];
    if (bp_key_join(item_key, sizeof item_key, FILES_ITEMS, key) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "key %s is too long for a backup", key);
    }
    struct bp_item item = {.struct_size = sizeof item,
                           .kind = BP_ITEM_REF,
                           .id = key,
                           .key = item_key,
                           .ref = self->run->source->storage,
                           .ref_key = key,
                           .etag = meta->etag[0] != '\0' ? meta->etag : NULL,
                           .size = meta->size};
    self->unit->named++;
    return self->sink->item(self->sink->ctx, &item) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "the items were stopped");
}

static bp_status
files_unit_items(struct bp_run *run, const struct bp_op *op, const char *unit_id, const char *token,
                 const struct bp_item_sink *sink, struct bp_error *error)
{
    files_unit *unit = find_unit(run, unit_id, error);
    if (unit == NULL) {
        return error->cls;
    }
    if ((run->flags & BP_RUN_WITHOUT_ITEMS) != 0) {
        return BP_OK;
    }
    if (token == NULL) {
        unit->named = 0;
    }
    g_autofree char *prefix = g_strconcat(unit_id, "/", NULL);
    struct bp_list_args args = {
        .struct_size = sizeof args, .prefix = prefix, .token = token, .max = PAGE_ITEMS};
    naming names = {run, unit, sink};
    walk state = {.visit = name_item, .ctx = &names, .error = error};
    bp_status status = list_page(run->source, op, run->source->storage, &args, &state);
    if (status == BP_OK && state.next != NULL && sink->next(sink->ctx, state.next) != 0) {
        status = bp_fail(error, BP_ERR_CANCELLED, "the items were stopped");
    }
    g_free(state.next);
    return status;
}

/* The listing is asked again as a whole: the directory is its own latest generation. */
static bp_status
files_unit_refresh(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                   struct bp_error *error)
{
    (void)op;
    return find_unit(run, args->unit_id, error) != NULL ? BP_OK : error->cls;
}

static bp_status
files_unit_end(struct bp_run *run, const struct bp_op *op, const char *unit_id, int32_t outcome,
               struct bp_error *error)
{
    (void)op;
    (void)outcome;
    return find_unit(run, unit_id, error) != NULL ? BP_OK : error->cls;
}

static bp_status
files_unit_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                 struct bp_proof *out, struct bp_error *error)
{
    (void)op;
    const files_unit *unit = find_unit(run, unit_id, error);
    if (unit == NULL) {
        return error->cls;
    }
    out->low = out->high = out->found = unit->named;
    g_strlcpy(out->note, "objects listed", sizeof out->note);
    return BP_OK;
}

typedef struct {
    GString *text;
    bool first;
} writing;

static gboolean
write_unit(gpointer key, gpointer value, gpointer ctx)
{
    writing *self = ctx;
    const files_unit *unit = value;
    g_string_append(self->text, self->first ? "\n" : ",\n");
    g_string_append(self->text, "  {\"name\": \"");
    for (const char *c = key; *c != '\0'; c++) { /* keys hold no control bytes */
        g_string_append_printf(self->text, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    g_string_append_printf(self->text, "\", \"objects\": %" G_GUINT64_FORMAT "}", unit->named);
    self->first = false;
    return FALSE;
}

static bp_status
files_documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
                struct bp_error *error)
{
    (void)op;
    writing self = {.text = g_string_new("{\"units\": ["), .first = true};
    pthread_mutex_lock(&run->lock);
    g_tree_foreach(run->units, write_unit, &self);
    pthread_mutex_unlock(&run->lock);
    g_string_append(self.text, "\n]}\n");
    bool taken = sink->begin(sink->ctx, COMMIT_DOCUMENT, BP_DOCUMENT_COMMIT) == 0 &&
                 sink->write(sink->ctx, self.text->str, self.text->len) == 0 &&
                 sink->end(sink->ctx) == 0;
    g_string_free(self.text, TRUE);
    return taken ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "the documents were stopped");
}

static const struct bp_config_key files_keys[] = {
    {.name = "storage",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .help = "storage whose first-level directories are the units"},
    {.name = "databases",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "first-level directories are parents, and those below them the units"},
};

static const struct bp_source_ops files_source = {
    .struct_size = sizeof files_source,
    .key_stride = sizeof(struct bp_config_key),
    .restore_keys = files_restore_keys,
    .n_restore_keys = G_N_ELEMENTS(files_restore_keys),
    .open = files_open,
    .close = files_close,
    .info = files_info,
    .probe = files_probe,
    .plan = files_plan,
    .run_begin = files_run_begin,
    .run_end = files_run_end,
    .unit_begin = files_unit_begin,
    .unit_items = files_unit_items,
    .unit_refresh = files_unit_refresh,
    .unit_end = files_unit_end,
    .unit_prove = files_unit_prove,
    .documents = files_documents,
    .restore_begin = files_restore_begin,
    .target_prepare = files_target_prepare,
    .target_place = files_target_place,
    .target_step = files_target_step,
    .job_poll = files_job_poll,
    .target_prove = files_target_prove,
    .target_finish = files_target_finish,
    .restore_end = files_restore_end,
};

static const struct bp_plugin files_plugin = {
    .struct_size = sizeof files_plugin,
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "files",
    .version = "1.0",
    .summary = "the objects of a storage, for tests and the bench",
    .license = "Apache-2.0",
    .keys = files_keys,
    .key_stride = sizeof files_keys[0],
    .n_keys = G_N_ELEMENTS(files_keys),
    .source = &files_source,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    *out = &files_plugin;
    return BP_OK;
}
