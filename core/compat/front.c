/* SPDX-License-Identifier: Apache-2.0
 *
 * milvus-backup's command lines as ours.  Where its versions disagree, 0.5 is followed; what 0.6
 * took away is still there.
 */
#include "core/compat/front.h"

#include <string.h>

#include "bp_build.h"
#include "core/base/error.h"
#include "core/compat/dialect.h"
#include "core/compat/front_line.h"
#include "core/compat/front_show.h"
#include "core/compat/means.h"
#include "core/config/address.h"

#include "sdk/lib/ban.h"

#define DEFAULT_FILE "backup.yaml"

typedef struct {
    const bp_front_in *in;
    const bp_front_line *line;
    GPtrArray *words;    /* char *: what comes out */
    GPtrArray *warnings; /* char * */
} building;

static void G_GNUC_PRINTF(2, 3) warn(const building *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(b->warnings, g_strdup_vprintf(format, args));
    va_end(args);
}

static void
add_word(const building *b, const char *word)
{
    g_ptr_array_add(b->words, g_strdup(word));
}

/* As one word, so that a value may begin with '-'. */
static void
add_value(const building *b, const char *flag, const char *value)
{
    g_ptr_array_add(b->words, g_strdup_printf("%s=%s", flag, value));
}

static bool
says(const building *b, const char *name)
{
    return bp_front_line_is_on(b->line, name);
}

/* "key=true" and "key=false" as the flags "--key" and "--no-key". */
static void
add_switch(const building *b, const char *setting)
{
    const char *value = strchr(setting, '=');
    g_autofree char *key = g_strndup(setting, (gsize)(value - setting));
    g_strdelimit(key, "_", '-');
    g_ptr_array_add(b->words, g_strconcat(strcmp(value, "=true") == 0 ? "--" : "--no-", key, NULL));
}

/* Options that are ours under another spelling. */
static void
add_plain(const building *b)
{
    const bp_front_command *command = b->line->command;
    for (gsize i = 0; i < command->n_options; i++) {
        const bp_front_option *option = &command->options[i];
        const char *text = bp_front_line_text(b->line, option->name);
        if (option->ours == NULL || text == NULL) {
            continue;
        }
        if (option->value != NULL) {
            add_value(b, option->ours, text);
        } else if (says(b, option->name)) {
            add_word(b, option->ours);
        }
    }
}

static const char *
spelling(const bp_front_command *command, const char *name)
{
    for (gsize i = 0; i < command->n_options; i++) {
        if (strcmp(command->options[i].name, name) == 0) {
            return command->options[i].ours;
        }
    }
    return NULL;
}

/* Ways to select exclude each other in that tool: the first one that says something is taken. */
static void
keep_first(const building *b, const char *const *names)
{
    const char *first = NULL;
    for (; *names != NULL; names++) {
        const char *text = bp_front_line_text(b->line, *names);
        if (text != NULL && first != NULL) {
            g_autofree char *word =
                g_strdup_printf("%s=%s", spelling(b->line->command, *names), text);
            guint at = 0;
            if (g_ptr_array_find_with_equal_func(b->words, word, g_str_equal, &at)) {
                g_ptr_array_remove_index(b->words, at);
            }
            warn(b, "--%s counts, --%s does not, as in milvus-backup", first, *names);
        }
        first = first != NULL ? first : text != NULL ? *names : NULL;
    }
}

static bool
take_strategy(const building *b, GError **error)
{
    bp_compat_flush said = {.strategy = bp_front_line_text(b->line, "strategy"),
                            .force = says(b, "force"),
                            .meta_only = says(b, "meta_only")};
    g_autofree char *native = NULL;
    bool meta_only = false;
    if (!bp_compat_strategy(&said, &native, &meta_only, error)) {
        g_prefix_error(error, "--strategy: ");
        return false;
    }
    if (native != NULL) {
        add_value(b, "--strategy", native);
    }
    if (meta_only) {
        add_word(b, "--meta-only");
    }
    return true;
}

static bool
take_format(const building *b, GError **error)
{
    if (!bp_compat_format(bp_front_line_text(b->line, "format"), error)) {
        g_prefix_error(error, "--format: ");
        return false;
    }
    return true;
}

static bool
build_create(const building *b, GError **error)
{
    static const char *const ways[] = {"filter", "database_collections", "databases", "colls",
                                       NULL};
    add_plain(b);
    keep_first(b, ways);
    return take_strategy(b, error) && take_format(b, error);
}

static void
take_rename(const building *b)
{
    const char *text = bp_front_line_text(b->line, "rename");
    if (text == NULL) {
        return;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) rules = g_strsplit(text, ",", -1);
    for (char **rule = rules; *rule != NULL; rule++) {
        g_auto(GStrv) sides = g_strsplit(g_strstrip(*rule), ":", -1);
        bool is_pair = g_strv_length(sides) == 2;
        g_autofree char *pair = is_pair ? bp_compat_rename(sides[0], sides[1]) : NULL;
        g_string_append_printf(out, "%s%s", out->len > 0 ? "," : "", is_pair ? pair : *rule);
    }
    add_value(b, "--rename", out->str);
}

static bool
need(const building *b, const char *name, GError **error)
{
    if (bp_front_line_text(b->line, name) == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "%s needs --%s", b->line->command->name, name);
        return false;
    }
    return true;
}

static bool
exclude(const building *b, const char *one, const char *other, GError **error)
{
    const char *first = bp_front_line_text(b->line, one);
    const char *second = bp_front_line_text(b->line, other);
    if (first != NULL && strcmp(first, "false") != 0 && second != NULL &&
        strcmp(second, "false") != 0) {
        bp_set_error(error, BP_ERR_INVALID, "--%s and --%s exclude each other", one, other);
        return false;
    }
    return true;
}

static bool
build_restore(const building *b, GError **error)
{
    static const char *const ways[] = {"database_collections", "databases", "collections", NULL};
    if (b->line->words->len > 0) {
        const char *word = g_ptr_array_index(b->line->words, 0);
        bool secondary = strcmp(word, "secondary") == 0;
        bp_set_error(error, secondary ? BP_ERR_UNSUPPORTED : BP_ERR_INVALID,
                     secondary ? "restore secondary: a standby cluster cannot be seeded"
                               : "restore: unexpected word '%s'",
                     word);
        return false;
    }
    if (!need(b, "name", error) || !exclude(b, "suffix", "rename", error) ||
        !exclude(b, "drop_exist_collection", "skip_create_collection", error)) {
        return false;
    }
    add_plain(b);
    keep_first(b, ways);
    take_rename(b);
    bool index = says(b, "restore_index") || says(b, "rebuild_index");
    bool auto_index = says(b, "use_auto_index");
    g_autoptr(GPtrArray) settings = bp_compat_index_settings(index, auto_index);
    for (guint i = 0; i + 1 < settings->len; i++) {
        add_switch(b, g_ptr_array_index(settings, i));
    }
    if (auto_index && !index) {
        warn(b, "--use_auto_index has no effect without --restore_index, as in milvus-backup");
    }
    return true;
}

static bool
build_get(const building *b, GError **error)
{
    if (!need(b, "name", error)) {
        return false;
    }
    add_plain(b);
    add_value(b, "--document", BP_COMPAT_WHOLE_DOCUMENT);
    return true;
}

static bool
build_named(const building *b, GError **error)
{
    add_plain(b);
    return need(b, "name", error);
}

static bool
build_list(const building *b, GError **error)
{
    (void)error;
    const char *name = bp_front_line_text(b->line, "collection");
    g_autofree char *listed = name != NULL ? bp_compat_listed(name) : NULL;
    if (listed != NULL) {
        add_value(b, "--collection", listed);
    }
    return true;
}

static bool
build_check(const building *b, GError **error)
{
    if (b->line->words->len == 0) {
        return true;
    }
    const char *word = g_ptr_array_index(b->line->words, 0);
    if (b->line->words->len > 1 ||
        (strcmp(word, "backup_yaml") != 0 && strcmp(word, "config") != 0)) {
        bp_set_error(error, BP_ERR_INVALID, "check: unexpected word '%s'", word);
        bp_error_add_hint(error, "there are check, check backup_yaml and check config");
        return false;
    }
    g_ptr_array_set_size(b->words, 1); /* without "check" */
    add_word(b, "config");
    add_word(b, "show");
    return true;
}

static bool
build_config(const building *b, GError **error)
{
    const char *word = b->line->words->len == 1 ? g_ptr_array_index(b->line->words, 0) : "";
    bool migrate = strcmp(word, "migrate") == 0;
    if (!migrate && strcmp(word, "show") != 0) {
        bp_set_error(error, BP_ERR_INVALID, "write config show or config migrate");
        return false;
    }
    add_word(b, word);
    if (migrate) {
        add_value(b, "--to", "v2");
    }
    add_plain(b);
    return true;
}

/* The port is written down, here or in the environment; what else there is, is ours. */
static bool
build_server(const building *b, GError **error)
{
    const char *given = bp_front_line_text(b->line, "port");
    const char *variable = g_environ_getenv((char **)b->in->environ, "SERVER_PORT");
    const char *port = given != NULL                           ? given
                       : variable != NULL && *variable != '\0' ? variable
                                                               : NULL;
    if (port != NULL && !bp_address_parse_port(port, NULL, error)) {
        g_prefix_error(error, given != NULL ? "--port: " : "SERVER_PORT: ");
        return false;
    }
    if (port != NULL) {
        add_value(b, "--port", port);
    }
    add_plain(b);
    return true;
}

/* Where that tool looks: its versions do it in different orders, 0.5's is taken. */
static bool
find_file(const building *b, char **out, GError **error)
{
    const char *given = g_hash_table_lookup(b->line->values, "config");
    if (given != NULL && *given == '\0') { /* no file at all, as in 0.6 */
        *out = g_strdup("");
        return true;
    }
    const char *path = given != NULL ? given : DEFAULT_FILE;
    const char *folder = g_environ_getenv((char **)b->in->environ, "MILVUSCONF");
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *there =
        folder != NULL && *folder != '\0' ? g_build_filename(folder, base, NULL) : NULL;
    g_autofree char *below = g_build_filename("configs", base, NULL);
    const char *const places[] = {there != NULL ? there : path, path, below};
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        if (!g_file_test(places[i], G_FILE_TEST_EXISTS)) {
            continue;
        }
        if (there != NULL && i == 0 && g_file_test(path, G_FILE_TEST_EXISTS)) {
            warn(b, "%s is read because of MILVUSCONF, and not %s, as in milvus-backup 0.5", there,
                 path);
        }
        *out = g_strdup(places[i]);
        return true;
    }
    bp_set_error(error, BP_ERR_NOT_FOUND, "there is no configuration file: tried %s%s%s and %s",
                 there != NULL ? there : "", there != NULL ? ", " : "", path, below);
    bp_error_add_hint(error, "name one with --config FILE");
    return false;
}

static bool
add_common(const building *b, GError **error)
{
    g_autofree char *path = NULL;
    if (!find_file(b, &path, error)) {
        return false;
    }
    add_value(b, "--config", path);
    for (guint i = 0; i < b->line->sets->len; i++) {
        add_value(b, "--set", g_ptr_array_index(b->line->sets, i));
    }
    if (!b->in->terminal && strcmp(b->line->command->name, "server") != 0) {
        add_word(b, "--progress=none"); /* mails of cron stay empty when all is well */
    }
    return true;
}

static bool
build(const building *b, GError **error)
{
    static const struct {
        const char *name;
        bool (*add)(const building *b, GError **error);
    } builders[] = {
        {"create", build_create}, {"restore", build_restore}, {"list", build_list},
        {"get", build_get},       {"delete", build_named},    {"check", build_check},
        {"config", build_config}, {"server", build_server},
    };
    const char *name = b->line->command->name;
    add_word(b, "bakplane");
    add_word(b, name);
    for (gsize i = 0; i < G_N_ELEMENTS(builders); i++) {
        if (strcmp(builders[i].name, name) == 0) {
            return builders[i].add(b, error) && add_common(b, error);
        }
    }
    g_assert_not_reached(); /* the table refuses all others */
}

static bool
translate(const bp_front_in *in, bp_front_call *out, GError **error)
{
    g_auto(bp_front_line) line = {0};
    *out = (bp_front_call){.warnings = g_ptr_array_new_with_free_func(g_free)};
    if (!bp_front_line_parse(in->argv, &line, error)) {
        return false;
    }
    if (line.version) {
        out->text = g_strdup_printf("bakplane %s (%s) under the name of milvus-backup\n",
                                    BP_BUILD_VERSION, BP_BUILD_REVISION);
        return true;
    }
    if (line.help) {
        out->text = bp_front_help(line.command);
        return true;
    }
    if (line.command == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "no command was given");
        return false;
    }
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    building b = {.in = in, .line = &line, .words = words, .warnings = out->warnings};
    if (!build(&b, error)) {
        return false;
    }
    g_ptr_array_add(words, NULL);
    out->command = line.command->name;
    if (strcmp(out->command, "check") == 0 && line.words->len > 0) {
        bool yaml = strcmp(g_ptr_array_index(line.words, 0), "backup_yaml") == 0;
        out->command = yaml ? "check backup_yaml" : "config";
    }
    out->environ = in->environ;
    out->detail = bp_front_line_is_on(&line, "detail");
    out->words = (char **)g_ptr_array_steal(words, NULL);
    return true;
}

void
bp_front_call_clear(bp_front_call *call)
{
    g_clear_pointer(&call->words, g_strfreev);
    g_clear_pointer(&call->text, g_free);
    g_clear_pointer(&call->warnings, g_ptr_array_unref);
}

const bp_front bp_compat_front = {
    .name = "milvus-backup",
    .translate = translate,
    .show = bp_front_show,
    .dialect = &bp_compat_config_assumed,
};
