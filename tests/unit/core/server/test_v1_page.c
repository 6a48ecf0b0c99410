/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/compat.md against the service: each row about routes, requests and answers is tried here,
 * and each field of the messages has one.  A row without an example below fails.
 */
#include "core/compat/ask_v1.h"
#include "core/compat/tell_v1.h"
#include "core/server/v1_rest.h"
#include "tests/unit/core/server/v1_fixture.h"

#define MAX_CELLS 4

typedef struct {
    char *cells[MAX_CELLS]; /* without the bars, trimmed, without `quotes` */
} row;

static void
row_free(gpointer data)
{
    row *r = data;
    for (gsize i = 0; i < MAX_CELLS; i++) {
        g_free(r->cells[i]);
    }
    g_free(r);
}

static row *
parse_row(const char *line)
{
    row *r = g_new0(row, 1);
    g_auto(GStrv) cells = g_strsplit(line + 1, "|", -1);
    ck_assert_uint_gt(g_strv_length(cells), MAX_CELLS);
    for (gsize i = 0; i < MAX_CELLS; i++) {
        char *cell = g_strstrip(cells[i]);
        gsize n = strlen(cell);
        bool quoted = n > 1 && cell[0] == '`' && strchr(cell + 1, '`') == cell + n - 1;
        r->cells[i] = quoted ? g_strndup(cell + 1, n - 2) : g_strdup(cell);
    }
    return r;
}

/* Rows of the table below a heading.  Returns: (transfer full) row* */
static GPtrArray *
table(const char *heading)
{
    g_autofree char *page = NULL;
    g_autofree char *path =
        g_build_filename(g_getenv("BAKPLANE_SOURCE_DIR"), "docs/compat.md", NULL);
    ck_assert(g_file_get_contents(path, &page, NULL, NULL));
    const char *start = strstr(page, heading);
    ck_assert_msg(start != NULL, "no %s", heading);
    start = strstr(start, "| --- |");
    ck_assert_ptr_nonnull(start);
    g_auto(GStrv) lines = g_strsplit(strchr(start, '\n') + 1, "\n", -1);
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    for (char **line = lines; (*line)[0] == '|'; line++) {
        g_ptr_array_add(rows, parse_row(*line));
    }
    ck_assert_uint_gt(rows->len, 0);
    return rows;
}

static const row *
find_row(const GPtrArray *rows, const char *first, const char *second)
{
    for (guint i = 0; i < rows->len; i++) {
        const row *r = g_ptr_array_index(rows, i);
        if (strcmp(r->cells[0], first) == 0 && strcmp(r->cells[1], second) == 0) {
            return r;
        }
    }
    return NULL;
}

static const bp_field *
find_field(const bp_message *message, const char *name)
{
    for (gsize i = 0; i < message->n; i++) {
        if (strcmp(message->fields[i].name, name) == 0) {
            return &message->fields[i];
        }
    }
    return NULL;
}

/* -- samples */

static json_t *sample_of(const bp_message *message);

static json_t *
in_kind(const bp_field *field, json_t *take_one)
{
    switch (field->kind) {
    case BP_FIELD_LIST:
        return json_pack("[o]", take_one);
    case BP_FIELD_MAP:
        return json_pack("{s:o}", "k", take_one);
    default:
        return take_one;
    }
}

/* A value that is not empty. */
static json_t *
sample_value(const bp_field *field)
{
    json_t *one = field->type == BP_FIELD_MESSAGE ? sample_of(field->message)
                  : field->type == BP_FIELD_TEXT  ? json_string("x")
                  : field->type == BP_FIELD_BOOL  ? json_true()
                                                  : json_integer(7);
    return in_kind(field, one);
}

/* With all fields, and what is said to be left out. */
static json_t *
sample_of(const bp_message *message)
{
    json_t *sample = json_object();
    for (gsize i = 0; i < message->n; i++) {
        json_object_set_new(sample, message->fields[i].name, sample_value(&message->fields[i]));
    }
    json_object_set_new(sample, "rbac_meta", json_pack("{s:[]}", "users"));
    json_object_set_new(sample, "default_value", json_pack("{s:i}", "Data", 1));
    return sample;
}

/* -- routes */

START_TEST(test_page__routes)
{
    g_autoptr(GPtrArray) rows = table("### Routes");
    gsize refused_here = 0;
    for (guint i = 0; i < rows->len; i++) {
        const row *r = g_ptr_array_index(rows, i);
        bool any = strcmp(r->cells[0], "any") == 0;
        g_autoptr(bp_http_target) target = bp_http_target_parse(
            g_str_has_suffix(r->cells[1], "pprof/") ? "/debug/pprof" : r->cells[1], NULL);
        g_autofree char *allow = NULL;
        const bp_route *route = bp_route_find(bp_v1_rest_routes, bp_v1_rest_n_routes,
                                              any ? "PUT" : r->cells[0], target, &allow);
        bool served = strstr(r->cells[3], "not served") == NULL;
        ck_assert_msg((route != NULL) == served, "%s", r->cells[1]);
        refused_here += served && strcmp(r->cells[2], "refused") == 0;
    }
    ck_assert_uint_eq(refused_here, 1); /* restore_secondary, of which all fields are tried below */
    for (gsize i = 0; i < bp_v1_rest_n_routes; i++) {
        const bp_route *route = &bp_v1_rest_routes[i];
        bool root = strcmp(route->path, "/") == 0;
        ck_assert_msg(find_row(rows, root ? "any" : route->method, route->path) != NULL,
                      "no row for %s", route->path);
    }
}
END_TEST

/* -- requests */

#define PLAN(text) "{\"backup_name\":\"b\",\"restorePlan\":{" text "}}"
#define MAPPING(text) PLAN("\"mapping\":[{\"source\":\"d\",\"target\":\"e\"" text "}]")
#define COLLECTION MAPPING(",\"colls\":[{\"source\":\"a\",\"target\":\"b\"}]")
#define IN_PLAN "RestoreBackupRequest restorePlan."

/* For each field that is done: a request, and what has to be in ours, or in the answer. */
static const struct {
    const char *what, *request, *part;
    bool answers;
} examples[] = {
    {"CreateBackupRequest requestId", "{\"requestId\":\"r7\",\"rbac\":true}", "r7", true},
    {"CreateBackupRequest backup_name", "{\"backup_name\":\"n\"}", "\"name\":\"n\"", false},
    {"CreateBackupRequest collection_names", "{\"collection_names\":[\"c\"]}",
     "\"collections\":\"c\"", false},
    {"CreateBackupRequest async", "{\"backup_name\":\"b2\",\"async\":true}", "asynchronously",
     true},
    {"CreateBackupRequest db_collections", "{\"db_collections\":{\"d\":[]}}",
     "\"database_collections\":", false},
    {"CreateBackupRequest force", "{\"force\":true}", "strategy=skip_flush", false},
    {"CreateBackupRequest meta_only", "{\"meta_only\":true}", "\"meta_only\":true", false},
    {"CreateBackupRequest gc_pause_enable", "{\"gc_pause_enable\":true}", "gc_pause=auto", false},
    {"CreateBackupRequest gc_pause_address", "{\"gc_pause_address\":\"http://m:1\"}", "create",
     false},
    {"CreateBackupRequest backup_root_path", "{\"backup_root_path\":\"far\"}",
     "\"storage\":\"far\"", false},
    {"CreateBackupRequest filter", "{\"filter\":{\"d\":{\"colls\":[\"*\"]}}}", "\"filter\":\"d.*\"",
     false},
    {"CreateBackupRequest filter.colls", "{\"filter\":{\"d\":{\"colls\":[\"a\",\"b\"]}}}",
     "\"filter\":\"d.a,d.b\"", false},
    {"CreateBackupRequest strategy", "{\"strategy\":\"auto\"}", "strategy=auto", false},
    {"CreateBackupRequest format", "{\"format\":\"binlog\"}", "create", false},
    {"GetBackupRequest requestId", "{\"requestId\":\"r7\"}", "r7", true},
    {"GetBackupRequest backup_name", "{\"backup_name\":\"b\"}", "\"name\":\"b\"", true},
    {"GetBackupRequest backup_id", "{\"backup_id\":\"own\"}", "\"name\":\"b\"", true},
    {"GetBackupRequest bucket_name", "{\"backup_name\":\"b\",\"bucket_name\":\"x\"}",
     "\"code\":400,\"msg\":\"no storage of the configuration has the bucket 'x'", true},
    {"GetBackupRequest path", "{\"backup_name\":\"b\",\"path\":\"x\"}", "and the path 'x'", true},
    {"GetBackupRequest without_detail", "{\"backup_name\":\"b\",\"without_detail\":true}",
     "\"collection_backups\":[{\"state_code\":2,\"progress\":100,\"size\":0,\"has_index\":false}]",
     true},
    {"ListBackupsRequest requestId", "{\"requestId\":\"r7\"}", "r7", true},
    {"ListBackupsRequest collection_name", "{\"collection_name\":\"nothing\"}", "\"data\":null",
     true},
    {"DeleteBackupRequest requestId", "{\"requestId\":\"r7\"}", "r7", true},
    {"DeleteBackupRequest backup_name", "{\"backup_name\":\"none\"}", "\"code\":404", true},
    {"RestoreBackupRequest requestId", "{\"requestId\":\"r7\"}", "r7", true},
    {"RestoreBackupRequest backup_name", "{\"backup_name\":\"n\"}", "\"name\":\"n\"", false},
    {"RestoreBackupRequest collection_names", "{\"collection_names\":[\"c\"]}",
     "\"collections\":\"c\"", false},
    {"RestoreBackupRequest collection_suffix", "{\"collection_suffix\":\"_x\"}",
     "\"suffix\":\"_x\"", false},
    {"RestoreBackupRequest collection_renames", "{\"collection_renames\":{\"c1\":\"db2.c2\"}}",
     "\"rename\":\"default.c1:db2.c2\"", false},
    {"RestoreBackupRequest async", "{\"backup_name\":\"b\",\"async\":true}", "asynchronously",
     true},
    {"RestoreBackupRequest bucket_name", "{\"bucket_name\":\"there\",\"path\":\"p\"}",
     "\"storage\":\"cloud\"", false},
    {"RestoreBackupRequest path", "{\"path\":\"far\"}", "\"storage\":\"far\"", false},
    {"RestoreBackupRequest db_collections", "{\"db_collections\":{\"d\":[]}}",
     "\"database_collections\":", false},
    {"RestoreBackupRequest metaOnly", "{\"metaOnly\":true}", "\"meta_only\":true", false},
    {"RestoreBackupRequest restoreIndex", "{\"restoreIndex\":true}", "index=true", false},
    {"RestoreBackupRequest useAutoIndex", "{\"useAutoIndex\":true,\"restoreIndex\":true}",
     "use_auto_index=true", false},
    {"RestoreBackupRequest dropExistCollection", "{\"dropExistCollection\":true}",
     "drop_exist_collection=true", false},
    {"RestoreBackupRequest dropExistIndex", "{\"dropExistIndex\":true}", "drop_exist_index=true",
     false},
    {"RestoreBackupRequest skipCreateCollection", "{\"skipCreateCollection\":true}",
     "skip_create_collection=true", false},
    {"RestoreBackupRequest id", "{\"backup_name\":\"b\",\"id\":\"i7\",\"async\":true}",
     "\"id\":\"i7\"", true},
    {"RestoreBackupRequest maxShardNum", "{\"maxShardNum\":3}", "max_shards=3", false},
    {"RestoreBackupRequest db_collections_after_rename",
     "{\"db_collections_after_rename\":{\"d\":[\"c\"]}}", "\"filter\":\"d.c\"", false},
    {"RestoreBackupRequest restorePlan", MAPPING(""), "\"rename\":\"d.*:e.*\"", false},
    {IN_PLAN "mapping", MAPPING(""), "\"rename\":\"d.*:e.*\"", false},
    {IN_PLAN "mapping.source", MAPPING(""), "\"d.*:", false},
    {IN_PLAN "mapping.target", MAPPING(""), ":e.*\"", false},
    {IN_PLAN "mapping.withProp", MAPPING(",\"withProp\":false"),
     "\"code\":400,\"msg\":\"restorePlan: mapping: withProp: databases come back with", true},
    {IN_PLAN "mapping.colls", COLLECTION, "\"rename\":\"d.a:e.b\"", false},
    {IN_PLAN "mapping.colls.source", COLLECTION, "\"d.a:", false},
    {IN_PLAN "mapping.colls.target", COLLECTION, ":e.b\"", false},
    {IN_PLAN "filter", PLAN("\"filter\":{\"e\":{\"colls\":[\"b\"]}}"), "\"filter\":\"e.b\"", false},
    {IN_PLAN "filter.colls", PLAN("\"filter\":{\"e\":{\"colls\":[\"b\",\"c\"]}}"),
     "\"filter\":\"e.b,e.c\"", false},
    {"GetRestoreStateRequest requestId", "{\"requestId\":\"r7\"}", "r7", true},
    {"GetRestoreStateRequest id", "{\"id\":\"none\"}", "restore id not exist", true},
};

/* What a request becomes here.  Returns: (transfer full) (nullable) */
static json_t *
translate(const bp_v1_operation *operation, const json_t *given, GError **error)
{
    static const char text[] =
        "source: {plugin: files, management: 'http://m:1'}\n"
        "storages: {near: {plugin: local, root: near}, far: {plugin: local, root: far},\n"
        "  cloud: {plugin: s3, bucket: there, prefix: p}}\n"
        "backup: {storage: near}\n";
    static const char *const nothing[] = {NULL};
    verb_write("page.yaml", text);
    g_autofree char *path = g_build_filename(verb_root, "page.yaml", NULL);
    bp_config_params params = {.path = path, .environ = nothing};
    g_autoptr(bp_config_tree) config = bp_config_load(&params, error);
    ck_assert_ptr_nonnull(config);
    g_autoptr(json_t) read = bp_message_read(operation->request, given, error);
    ck_assert_ptr_nonnull(read);
    return operation->request == &bp_v1_create_backup_request
               ? bp_v1_ask_create(read, config, error)
               : bp_v1_ask_restore(read, config, error);
}

static void
try_done(const bp_v1_operation *operation, const char *what)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++) {
        if (strcmp(examples[i].what, what) != 0) {
            continue;
        }
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) given = json_loads(examples[i].request, 0, NULL);
        ck_assert_msg(given != NULL, "%s", what);
        g_autoptr(json_t) got = examples[i].answers ? v1_run(operation->name, examples[i].request)
                                                    : translate(operation, given, &error);
        ck_assert_msg(got != NULL, "%s: %s", what, error != NULL ? error->message : "");
        g_autofree char *line = bp_json_line(got);
        ck_assert_msg(strstr(line, examples[i].part) != NULL, "%s: %s", what, line);
        return;
    }
    ck_abort_msg("%s is not tried", what);
}

/* Fields of an operation's request, and of what is in them. */
typedef struct {
    const bp_v1_operation *operation;
    const GPtrArray *rows;
    GHashTable *tried;   /* of the rows */
    GPtrArray *path;     /* const bp_field *: from the request to the one that is tried */
    const char *refused; /* the outermost one of these that is */
} trial;

/* A request that says the field at the end of the path, and what has to be said beside it. */
static json_t *
request_for(const trial *t)
{
    static const char *const needed[] = {"source", "target"};
    json_t *value = NULL;
    for (guint i = t->path->len; i > 0; i--) {
        const bp_field *field = g_ptr_array_index(t->path, i - 1);
        const bp_field *around = i > 1 ? g_ptr_array_index(t->path, i - 2) : NULL;
        json_t *object = json_object();
        for (gsize k = 0; around != NULL && k < G_N_ELEMENTS(needed); k++) {
            if (find_field(around->message, needed[k]) != NULL) {
                json_object_set_new(object, needed[k], json_string("x"));
            }
        }
        json_object_set_new(object, field->name,
                            value != NULL ? in_kind(field, value) : sample_value(field));
        value = object;
    }
    return value;
}

static void
try_refused(const trial *t, const char *what, const char *why)
{
    bool whole = strcmp(t->operation->name, "RestoreSecondary") == 0;
    g_autofree char *part =
        g_strdup_printf("%s: %s", whole ? "restore_secondary" : t->refused, why);
    g_autoptr(json_t) given = request_for(t);
    json_object_set_new(given, "backup_name", json_string("b"));
    g_autofree char *text = bp_json_line(given);
    g_autoptr(json_t) answer = v1_run(t->operation->name, text);
    g_autofree char *line = bp_json_line(answer);
    ck_assert_msg(v1_number(answer, "code") == BP_V1_PARAMETER_ERROR, "%s: %s", what, line);
    ck_assert_msg(strstr(line, part) != NULL, "%s: %s lacks %s", what, line, part);
}

static void
try_field(const trial *t, const row *r)
{
    g_autoptr(GString) what = g_string_new(t->operation->request->name);
    for (guint i = 0; i < t->path->len; i++) {
        const bp_field *field = g_ptr_array_index(t->path, i);
        g_string_append_printf(what, "%c%s", i == 0 ? ' ' : '.', field->name);
    }
    if (strcmp(r->cells[2], "done") == 0) {
        try_done(t->operation, what->str);
    } else if (strcmp(r->cells[2], "no-op") == 0) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) given = request_for(t);
        g_autoptr(json_t) nothing = json_object();
        g_autoptr(json_t) with = translate(t->operation, given, &error);
        g_autoptr(json_t) without = translate(t->operation, nothing, &error);
        ck_assert_msg(with != NULL && json_equal(with, without), "%s", what->str);
    } else {
        ck_assert_msg(strcmp(r->cells[2], "refused") == 0, "%s: what is \"%s\"?", what->str,
                      r->cells[2]);
        try_refused(t, what->str, r->cells[3]);
    }
}

static void
try_fields(trial *t, const bp_message *message)
{
    const char *refused = t->refused;
    for (gsize i = 0; i < message->n; i++) {
        const bp_field *field = &message->fields[i];
        const row *r = find_row(t->rows, message->name, field->name);
        ck_assert_msg(r != NULL, "no row for %s %s", message->name, field->name);
        g_hash_table_add(t->tried, (gpointer)r);
        g_ptr_array_add(t->path, (gpointer)field);
        if (refused == NULL && strcmp(r->cells[2], "refused") == 0) {
            t->refused = field->name;
        }
        try_field(t, r);
        if (field->type == BP_FIELD_MESSAGE) {
            try_fields(t, field->message);
        }
        g_ptr_array_set_size(t->path, (gint)t->path->len - 1);
        t->refused = refused;
    }
}

/* A backup "b" with a document of its own. */
static void
make_backup(void)
{
    v1_answers("CreateBackup", "{\"backup_name\":\"b\"}", BP_V1_SUCCESS, "");
    verb_write("backups/b/meta/full_meta.json",
               "{\"id\":\"own\",\"collection_backups\":[{\"partition_backups\":[{}]}]}");
}

START_TEST(test_page__requests)
{
    g_autoptr(GPtrArray) rows = table("### Fields of requests");
    g_autoptr(GHashTable) tried = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) path = g_ptr_array_new();
    make_backup();
    for (gsize i = 0; i < bp_v1_n_operations; i++) {
        const bp_v1_operation *operation = &bp_v1_operations[i];
        trial t = {.operation = operation, .rows = rows, .tried = tried, .path = path};
        try_fields(&t, operation->request);
    }
    ck_assert_uint_eq(rows->len, g_hash_table_size(tried));
}
END_TEST

/* -- answers */

/* What was shown of each message, by its name: the first object of each. */
static void
collect(const bp_message *message, const json_t *shown, GHashTable *seen)
{
    if (shown == NULL || !g_hash_table_insert(seen, (gpointer)message->name, (gpointer)shown)) {
        return;
    }
    for (gsize i = 0; i < message->n; i++) {
        const bp_field *field = &message->fields[i];
        const json_t *value = json_object_get(shown, field->name);
        const json_t *one = field->kind == BP_FIELD_LIST ? json_array_get(value, 0) : value;
        if (field->type == BP_FIELD_MESSAGE && !g_hash_table_contains(seen, field->message->name)) {
            collect(field->message, one, seen);
        }
    }
}

/* Of a backup, by its document; of a restore, by its job.  Returns: (transfer full) shown */
static json_t *
sample_answer(const bp_message *response)
{
    const bp_field *data = find_field(response, "data");
    json_t *answer = json_pack("{s:s,s:i,s:s}", "requestId", "r", "code", 3, "msg", "m");
    g_autoptr(GError) error = NULL;
    if (data != NULL && response == &bp_v1_restore_backup_response) {
        static const char text[] =
            "{\"state\":\"different\",\"created\":\"2026-11-26T01:00:00.000Z\",\"ended\":"
            "\"2026-11-26T01:00:01.000Z\",\"result\":{\"targets\":[{\"to\":\"d.c\",\"state\":"
            "\"unprovable\",\"error\":\"why\"}]}}";
        g_autoptr(json_t) job = json_loads(text, 0, NULL);
        json_object_set_new(answer, "data", bp_v1_tell_restore(job, "i"));
    } else if (data != NULL) {
        g_autoptr(json_t) document = sample_of(data->message);
        g_autofree char *text = bp_json_line(document);
        g_autoptr(json_t) entry = json_pack("{s:s}", "name", "b");
        bp_v1_told told = {.entry = entry};
        json_t *info = bp_v1_tell_document(text, strlen(text), &told, &error);
        ASSERT_FINE(info != NULL, error);
        json_object_set_new(answer, "data",
                            data->kind == BP_FIELD_LIST ? json_pack("[o]", info) : info);
    }
    json_t *shown = bp_message_show(response, answer);
    json_decref(answer);
    return shown;
}

static const bp_message *
message_of(const bp_message *message, const char *name, guint depth)
{
    if (strcmp(message->name, name) == 0) {
        return message;
    }
    for (gsize i = 0; i < message->n && depth > 0; i++) {
        const bp_field *field = &message->fields[i];
        const bp_message *found =
            field->type == BP_FIELD_MESSAGE ? message_of(field->message, name, depth - 1) : NULL;
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

/* Each field of one message has a row, and is there or is not. */
static void
try_message(const GPtrArray *rows, const bp_message *message, const json_t *shown)
{
    bool all = find_row(rows, message->name, "all") != NULL;
    for (gsize i = 0; i < message->n; i++) {
        const char *name = message->fields[i].name;
        const row *r = find_row(rows, message->name, name);
        ck_assert_msg(all || r != NULL, "no row for %s %s", message->name, name);
        bool done = r == NULL || strcmp(r->cells[2], "done") == 0;
        ck_assert_msg(done == (json_object_get(shown, name) != NULL), "%s %s", message->name, name);
    }
}

START_TEST(test_page__answers)
{
    g_autoptr(GPtrArray) rows = table("### Fields of answers");
    g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < bp_v1_n_operations; i++) {
        const bp_message *response = bp_v1_operations[i].response;
        g_autoptr(json_t) shown = sample_answer(response);
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        collect(response, shown, seen);
        GHashTableIter iter;
        gpointer name = NULL;
        gpointer value = NULL;
        g_hash_table_iter_init(&iter, seen);
        while (g_hash_table_iter_next(&iter, &name, &value)) {
            try_message(rows, message_of(response, name, BP_MESSAGE_MAX_DEPTH), value);
            g_hash_table_add(named, name);
        }
        for (guint k = 0; k < rows->len; k++) {
            const row *r = g_ptr_array_index(rows, k);
            const json_t *one = g_hash_table_lookup(seen, r->cells[0]);
            bool left_out = strcmp(r->cells[2], "left out") == 0;
            ck_assert_msg(!left_out || json_object_get(one, r->cells[1]) == NULL, "%s",
                          r->cells[1]);
        }
    }
    for (guint i = 0; i < rows->len; i++) {
        const row *r = g_ptr_array_index(rows, i);
        ck_assert_msg(g_hash_table_contains(named, r->cells[0]), "there is no %s", r->cells[0]);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/v1_page", v1_setup, v1_teardown, test_page__routes,
                     test_page__requests, test_page__answers);
}
