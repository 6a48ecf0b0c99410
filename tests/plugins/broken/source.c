/* SPDX-License-Identifier: Apache-2.0
 *
 * The source that can be broken: descriptor, tree and capture.
 */
#include "tests/plugins/broken/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "tests/plugins/broken/choose.h"

#include "sdk/lib/ban.h"

enum source_broken_as source_broken_as;
static struct table tables[TABLES_MAX];
static size_t n_tables;
static bool is_stuck; /* broken: a run that failed is still there */
static unsigned plans;

struct table *
source_table_at(size_t i)
{
    return i < n_tables ? &tables[i] : NULL;
}

struct table *
source_table(const char *name)
{
    for (size_t i = 0; i < n_tables; i++) {
        if (strcmp(tables[i].name, name) == 0) {
            return &tables[i];
        }
    }
    return NULL;
}

struct table *
source_make_table(const char *name)
{
    if (n_tables == TABLES_MAX) {
        abort();
    }
    struct table *table = &tables[n_tables++];
    memset(table, 0, sizeof *table);
    (void)snprintf(table->name, sizeof table->name, "%s", name);
    (void)snprintf(table->identity, sizeof table->identity, "table-%zu", n_tables);
    return table;
}

static void
fill(void)
{
    static const char *const names[] = {"items", "orders"};
    for (size_t i = 0; n_tables < 2; i++) {
        struct table *table = source_make_table(names[i]);
        table->n = 5;
        for (unsigned row = 0; row < table->n; row++) {
            memset(table->rows[row], (int)('a' + row), ROW_BYTES);
            table->rows[row][0] = (unsigned char)row;
        }
    }
}

bp_status
source_check_op(const struct bp_source *source, const struct bp_op *op, struct bp_error *error)
{
    if (source->host->cancelled(op) != 0) {
        if (IS_BROKEN(RUNS_ON)) {
            (void)usleep(900000);
            (void)usleep(900000);
            return BP_OK;
        }
        return bp_fail(error, BP_ERR_CANCELLED, "cancelled");
    }
    return BP_OK;
}

static bp_status
source_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
            struct bp_source **out, struct bp_error *error)
{
    (void)op;
    (void)config;
    if (IS_BROKEN(LEAKS_DESCRIPTOR_AT_OPEN) && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) {
        return bp_fail(error, BP_ERR_PERMANENT, "no /dev/null");
    }
    if (IS_BROKEN(CHANGES_DIRECTORY) && chdir("/dev") != 0) {
        return bp_fail(error, BP_ERR_PERMANENT, "no /dev");
    }
    fill();
    struct bp_source *source = calloc(1, sizeof *source);
    if (source == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for an instance");
    }
    source->host = host;
    *out = source;
    return BP_OK;
}

static void
source_close(struct bp_source *source)
{
    free(source);
}

static bp_status
source_info(struct bp_source *source, struct bp_source_info *out, struct bp_error *error)
{
    (void)source;
    (void)error;
    out->features = BP_SOURCE_PIN;
    (void)snprintf(out->item_kind, sizeof out->item_kind, "table");
    (void)snprintf(out->parent_kind, sizeof out->parent_kind, "database");
    (void)snprintf(out->default_parent, sizeof out->default_parent, DATABASE);
    (void)snprintf(out->proof_what, sizeof out->proof_what, "rows");
    (void)snprintf(out->server_version, sizeof out->server_version, "1.0");
    (void)snprintf(out->address, sizeof out->address, "this process");
    (void)snprintf(out->commit_document, sizeof out->commit_document, "%s",
                   IS_BROKEN(COMMIT_IS_OURS) ? "bakplane/tables.json" : COMMIT_DOCUMENT);
    return BP_OK;
}

static bp_status
source_probe(struct bp_source *source, const struct bp_op *op, const struct bp_note_sink *notes,
             struct bp_error *error)
{
    (void)notes;
    return source_check_op(source, op, error);
}

/* False: the sink wants no more. */
static bool
tell_unit(const struct bp_unit *unit, const struct bp_unit_filter *filter,
          const struct bp_unit_sink *sink)
{
    if (filter != NULL && filter->wants(filter->ctx, unit) == 0 && !IS_BROKEN(PLANS_ALL)) {
        return true;
    }
    return sink->unit(sink->ctx, unit) == 0 || IS_BROKEN(PLAN_GOES_ON);
}

static bp_status
source_plan(struct bp_source *source, const struct bp_op *op, const struct bp_unit_filter *filter,
            const struct bp_unit_sink *sink, struct bp_error *error)
{
    const struct bp_unit database = {
        .struct_size = sizeof database, .id = DATABASE, .kind = "database", .name = DATABASE};
    bp_status status = source_check_op(source, op, error);
    bool more = status == BP_OK;
    plans++;
    if (more && !IS_BROKEN(CHILD_BEFORE_PARENT)) {
        more = tell_unit(&database, filter, sink);
    }
    for (size_t i = 0; more && i < n_tables; i++) {
        char id[256];
        (void)snprintf(id, sizeof id, "%.200s%u", tables[i].name,
                       IS_BROKEN(IDS_CHANGE) ? plans : 0);
        struct bp_unit unit = {.struct_size = sizeof unit,
                               .flags = IS_BROKEN(UNIT_HAS_FLAGS) ? 1 : 0,
                               .id = IS_BROKEN(IDS_CHANGE) ? id : tables[i].name,
                               .parent = DATABASE,
                               .kind = "table",
                               .name = tables[i].name,
                               .bytes = BP_UNKNOWN,
                               .objects = tables[i].n};
        more = tell_unit(&unit, filter, sink);
    }
    if (more && IS_BROKEN(CHILD_BEFORE_PARENT)) {
        more = tell_unit(&database, filter, sink);
    }
    return more || status != BP_OK ? status : bp_fail(error, BP_ERR_CANCELLED, "the sink stopped");
}

/*
 * The file BROKEN_PIN stands for the server: it holds the pin while somebody has a lock on it,
 * which ends with the process, or, broken, while it says "pinned".  -1 also where there is no such
 * file.
 */
static int
pin(void)
{
    const char *path = getenv("BROKEN_PIN");
    int fd = path != NULL && !IS_BROKEN(PINS_NOTHING) ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0 &&
        (IS_BROKEN(PIN_OUTLIVES) ? write(fd, "pinned", 6) != 6 : flock(fd, LOCK_SH) != 0)) {
        abort();
    }
    return fd;
}

static void
unpin(int fd)
{
    if (fd >= 0 && (ftruncate(fd, 0) != 0 || close(fd) != 0)) {
        abort();
    }
}

static bp_status
source_run_begin(struct bp_source *source, const struct bp_op *op, const struct bp_run_args *args,
                 struct bp_run_info *info, struct bp_run **out, struct bp_error *error)
{
    bp_status status = source_check_op(source, op, error);
    if (status == BP_OK && (args->flags & ~(BP_RUN_DRY | BP_RUN_WITHOUT_ITEMS)) != 0 &&
        !IS_BROKEN(TAKES_ANY_RUN)) {
        status = bp_fail(error, BP_ERR_INVALID, "unknown flags of a run");
    }
    if (status == BP_OK && is_stuck) {
        status = bp_fail(error, BP_ERR_EXISTS, "there is a run already");
    }
    struct bp_run *run = status == BP_OK ? calloc(1, sizeof *run) : NULL;
    if (run == NULL) {
        return status != BP_OK ? status : bp_fail(error, BP_ERR_NOMEM, "no memory for a run");
    }
    run->source = source;
    run->pin = (args->flags & BP_RUN_DRY) == 0 ? pin() : -1;
    info->keepalive_ms = 1000;
    *out = run;
    return BP_OK;
}

static bp_status
source_keepalive(struct bp_run *run, const struct bp_op *op, struct bp_error *error)
{
    (void)run;
    (void)op;
    return IS_BROKEN(KEEPALIVE_FAILS) ? bp_fail(error, BP_ERR_PERMANENT, "too late") : BP_OK;
}

static bp_status
source_run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome, struct bp_error *error)
{
    (void)op;
    (void)error;
    is_stuck = IS_BROKEN(FAILED_RUN_STAYS) && outcome == BP_OUTCOME_FAILED;
    unpin(run->pin);
    free(run);
    return BP_OK;
}

static bp_status
find(const char *unit_id, struct table **out, struct bp_error *error)
{
    *out = source_table(unit_id);
    return *out != NULL || IS_BROKEN(IDS_CHANGE)
               ? BP_OK
               : bp_fail(error, BP_ERR_NOT_FOUND, "there is no table %s", unit_id);
}

static bp_status
source_unit_begin(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                  struct bp_error *error)
{
    struct table *table = NULL;
    if (IS_BROKEN(FLUSHES_ON) && run->source->host->cancelled(op) != 0) {
        (void)usleep(900000);
        (void)usleep(900000);
        return find(args->unit_id, &table, error);
    }
    bp_status status = source_check_op(run->source, op, error);
    if (status == BP_OK && args->flags != 0 && !IS_BROKEN(TAKES_ANY_UNIT_FLAG)) {
        status = bp_fail(error, BP_ERR_INVALID, "unknown flags of a unit");
    }
    return status == BP_OK ? find(args->unit_id, &table, error) : status;
}

static bp_status
source_items(struct bp_run *run, const struct bp_op *op, const char *unit_id, const char *token,
             const struct bp_item_sink *sink, struct bp_error *error)
{
    struct table *table = NULL;
    bp_status status = source_check_op(run->source, op, error);
    unsigned first = token != NULL ? (unsigned)strtoul(token, NULL, 10) : 0;
    status = status == BP_OK ? find(unit_id, &table, error) : status;
    if (status != BP_OK || table == NULL || IS_BROKEN(NAMES_NO_ITEMS)) {
        return status;
    }
    for (unsigned row = first; row < table->n && row < first + 2; row++) {
        char id[32], key[256];
        (void)snprintf(id, sizeof id, "row-%u", IS_BROKEN(ITEM_TWICE) && row == 3 ? 0 : row);
        (void)snprintf(key, sizeof key, "%srows/%s/%u",
                       IS_BROKEN(ITEM_KEY_IS_OURS) ? "bakplane/" : "", table->name, row);
        struct bp_item item = {.struct_size = sizeof item,
                               .kind = BP_ITEM_STREAM,
                               .id = id,
                               .key = key,
                               .etag = ROW_VERSION,
                               .size = ROW_BYTES + (IS_BROKEN(SIZE_TOO_LARGE) ? 1 : 0)};
        if (sink->item(sink->ctx, &item) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "the sink stopped");
        }
    }
    if (first + 2 < table->n) {
        char next[16];
        (void)snprintf(next, sizeof next, "%u", first + 2);
        status =
            sink->next(sink->ctx, next) == 0 ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "stopped");
    }
    return status;
}

static bp_status
source_unit_end(struct bp_run *run, const struct bp_op *op, const char *unit_id, int32_t outcome,
                struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)unit_id;
    (void)outcome;
    (void)error;
    return BP_OK;
}

static bp_status
source_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id, struct bp_proof *out,
             struct bp_error *error)
{
    struct table *table = NULL;
    bp_status status = source_check_op(run->source, op, error);
    status = status == BP_OK ? find(unit_id, &table, error) : status;
    if (status == BP_OK && table != NULL) {
        out->low = table->n + (IS_BROKEN(PROOF_CROSSED) ? 1 : 0);
        out->high = out->found = table->n;
    }
    return status;
}

static bp_status
source_item_open(struct bp_run *run, const struct bp_op *op, const struct bp_item_open_args *args,
                 struct bp_item_reader **out, struct bp_error *error)
{
    struct table *table = NULL;
    bp_status status = source_check_op(run->source, op, error);
    if (status == BP_OK && args->flags != 0 && !IS_BROKEN(TAKES_ANY_ITEM_FLAG)) {
        status = bp_fail(error, BP_ERR_INVALID, "unknown flags of an item");
    }
    status = status == BP_OK ? find(args->unit_id, &table, error) : status;
    if (status == BP_OK && args->etag != NULL && strcmp(args->etag, ROW_VERSION) != 0 &&
        !IS_BROKEN(READS_ANY_VERSION)) {
        status = bp_fail(error, BP_ERR_STALE, "item %s is another one by now", args->item_id);
    }
    unsigned row = (unsigned)strtoul(args->item_id + strlen("row-"), NULL, 10);
    struct bp_item_reader *reader =
        status == BP_OK && table != NULL ? calloc(1, sizeof *reader) : NULL;
    if (reader == NULL || row >= table->n || args->offset > ROW_BYTES) {
        free(reader);
        return status != BP_OK ? status : bp_fail(error, BP_ERR_STALE, "no item %s", args->item_id);
    }
    reader->bytes = table->rows[row];
    reader->at = IS_BROKEN(IGNORES_OFFSET) ? 0 : (size_t)args->offset;
    reader->end = ROW_BYTES;
    *out = reader;
    return BP_OK;
}

static bp_status
source_item_read(struct bp_item_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                 size_t *n, struct bp_error *error)
{
    (void)op;
    (void)error;
    *n = reader->end - reader->at < cap ? reader->end - reader->at : cap;
    memcpy(buffer, reader->bytes + reader->at, *n);
    reader->at += *n;
    return BP_OK;
}

static void
source_item_close(struct bp_item_reader *reader)
{
    free(reader);
}

static bool
tell_document(const struct bp_document_sink *sink, const char *key, uint32_t flags)
{
    return sink->begin(sink->ctx, key, flags) == 0 &&
           sink->write(sink->ctx, VERSION_TEXT, strlen(VERSION_TEXT)) == 0 &&
           sink->end(sink->ctx) == 0;
}

static bp_status
source_documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
                 struct bp_error *error)
{
    const char *commit = IS_BROKEN(COMMIT_IS_OURS) ? "bakplane/tables.json" : COMMIT_DOCUMENT;
    bp_status status = source_check_op(run->source, op, error);
    bool fine = status != BP_OK ||
                (tell_document(sink, "meta/schema.json",
                               IS_BROKEN(COMMITS_TWICE) ? BP_DOCUMENT_COMMIT : 0) &&
                 tell_document(sink, commit, BP_DOCUMENT_COMMIT) &&
                 (!IS_BROKEN(DOCUMENT_AFTER_COMMIT) || tell_document(sink, "meta/more.json", 0)));
    return fine ? status : bp_fail(error, BP_ERR_CANCELLED, "the sink stopped");
}

static const struct bp_source_ops source_ops = {
    .struct_size = sizeof source_ops,
    .key_stride = sizeof(struct bp_config_key),
    .open = source_open,
    .close = source_close,
    .info = source_info,
    .probe = source_probe,
    .plan = source_plan,
    .run_begin = source_run_begin,
    .run_keepalive = source_keepalive,
    .run_end = source_run_end,
    .unit_begin = source_unit_begin,
    .unit_items = source_items,
    .unit_end = source_unit_end,
    .unit_prove = source_prove,
    .item_open = source_item_open,
    .item_read = source_item_read,
    .item_close = source_item_close,
    .documents = source_documents,
    .restore_begin = source_restore_begin,
    .target_prepare = source_prepare,
    .target_place = source_place,
    .target_step = source_step,
    .job_poll = source_poll,
    .target_prove = source_target_prove,
    .target_finish = source_finish,
    .restore_end = source_restore_end,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_ONE,
    .name = "broken",
    .version = "1",
    .summary = "two tables in this process, for tests of the kit",
    .license = "Apache-2.0",
    .source = &source_ops,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
#define BREAK_TEXT(as) #as,
    static const char *const names[] = {"NOTHING", SOURCE_BREAKS(BREAK_TEXT)};
#undef BREAK_TEXT
    (void)host;
    (void)error;
    source_broken_as = (enum source_broken_as)broken_choose(names, sizeof names / sizeof *names);
    *out = &plugin;
    return BP_OK;
}
