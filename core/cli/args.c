/* SPDX-License-Identifier: Apache-2.0
 *
 * See args.h.  GOption does the parsing; this file only brings argv into the form it knows.
 */
#include "core/cli/args.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"

#include "sdk/lib/ban.h"

static gboolean
count_verbose(const char *written, const char *value, gpointer data, GError **error)
{
    (void)written;
    (void)value;
    (void)error;
    ((bp_globals *)data)->verbose++;
    return TRUE;
}

/* Asked for in words that were looked for before anything was parsed: here it is misplaced. */
static gboolean
refuse_help(const char *written, const char *value, gpointer data, GError **error)
{
    (void)value;
    (void)data;
    bp_set_error(error, BP_ERR_INVALID, "%s has to stand by itself", written);
    return FALSE;
}

static GOptionEntry *
global_entries(bp_globals *g)
{
    const GOptionEntry entries[] = {
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &g->config, "configuration file", "FILE"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &g->sets, "set one value (not for secrets)",
         "KEY=VALUE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &g->json, "print the result as JSON", NULL},
        {"report", 0, 0, G_OPTION_ARG_FILENAME, &g->report, "also write the result to a file",
         "FILE"},
        {"progress", 0, 0, G_OPTION_ARG_STRING, &g->progress,
         "how to show it on standard error (default auto)", "auto|bar|plain|json|none"},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &g->quiet, "no progress, no warnings", NULL},
        {"verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (gpointer)count_verbose,
         "log more; twice for every object", NULL},
        {"log-format", 0, 0, G_OPTION_ARG_STRING, &g->log_format, "how to log (default text)",
         "text|json"},
        {"help", 'h', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (gpointer)refuse_help,
         "show what may be given here", NULL},
        {0},
    };
    return g_memdup2(entries, sizeof entries);
}

/* Flags of the program that take a value: needed to tell the command from a flag's value. */
static bool
takes_value(const char *flag)
{
    static const char *const names[] = {"--config", "--set", "--report", "--progress",
                                        "--log-format"};
    g_autofree char *plain = g_strdelimit(g_strdup(flag), "_", '-');
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(plain, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int
command_index(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            return i;
        }
        i += takes_value(argv[i]);
    }
    return 0;
}

const bp_command *
bp_args_command(int argc, char **argv, const char **word)
{
    int at = command_index(argc, argv);
    *word = at > 0 ? argv[at] : NULL;
    for (gsize i = 0; at > 0 && bp_commands[i] != NULL; i++) {
        if (strcmp(bp_commands[i]->name, argv[at]) == 0) {
            return bp_commands[i];
        }
    }
    return NULL;
}

void
bp_args_globals(bp_cli *cli, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (g_str_has_prefix(argv[i], "--config=")) {
            value = strchr(argv[i], '=') + 1;
        } else if (strcmp(argv[i], "--config") != 0) {
            continue;
        }
        g_free(cli->globals.config);
        cli->globals.config = g_strdup(value);
    }
    g_autoptr(GPtrArray) sets = g_ptr_array_new();
    for (int i = 1; i < argc; i++) {
        if (g_str_has_prefix(argv[i], "--set=")) {
            g_ptr_array_add(sets, g_strdup(argv[i] + strlen("--set=")));
        } else if (strcmp(argv[i], "--set") == 0 && i + 1 < argc) {
            g_ptr_array_add(sets, g_strdup(argv[i + 1]));
        }
    }
    g_ptr_array_add(sets, NULL);
    g_strfreev(cli->globals.sets);
    cli->globals.sets = (char **)g_ptr_array_steal(sets, NULL);
}

char *
bp_args_flag(const struct bp_config_key *key)
{
    char *flag = g_strdup(key->flag != NULL ? key->flag : key->name);
    return g_strdelimit(flag, "_.", '-');
}

/* What a generated flag stands for. */
typedef struct {
    bp_cli *cli;
    const struct bp_config_key *key;
    char *flag, *negated; /* "--load", "--no-load" */
} key_flag;

typedef struct {
    GArray *entries;    /* GOptionEntry */
    GPtrArray *flags;   /* key_flag*: of the generated ones */
    GPtrArray *texts;   /* strings that entries borrow */
    GPtrArray *options; /* bp_option*: the same for people */
} entry_list;

static void
key_flag_free(gpointer data)
{
    key_flag *flag = data;
    g_free(flag->flag);
    g_free(flag->negated);
    g_free(flag);
}

static void
entry_list_clear(entry_list *list)
{
    g_array_unref(list->entries);
    g_ptr_array_unref(list->flags);
    g_ptr_array_unref(list->texts);
    g_ptr_array_unref(list->options);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(entry_list, entry_list_clear)

static bool
is_bool(const struct bp_config_key *key)
{
    return key->type == BP_CONFIG_BOOL && (key->flags & BP_CONFIG_LIST) == 0;
}

/* GOption calls with the flag as it was written; every generated flag shares this function. */
static gboolean
take_key(const char *written, const char *value, gpointer data, GError **error)
{
    GPtrArray *flags = data;
    (void)error;
    for (guint i = 0; i < flags->len; i++) {
        const key_flag *flag = g_ptr_array_index(flags, i);
        bool yes = strcmp(written, flag->flag) == 0;
        bool no = strcmp(written, flag->negated) == 0;
        if (yes || no) {
            const char *text = is_bool(flag->key) ? (yes ? "true" : "false") : value;
            g_ptr_array_insert(flag->cli->overrides, (gint)flag->cli->overrides->len - 1,
                               g_strdup_printf("%s=%s", flag->key->name, text));
            return TRUE;
        }
    }
    return FALSE;
}

/* GOption only parses; what people read is made from the list of options. */
static void
add_entry(entry_list *list, char *take_name, const struct bp_config_key *key)
{
    g_ptr_array_add(list->texts, take_name);
    GOptionEntry entry = {.long_name = take_name,
                          .flags = is_bool(key) ? G_OPTION_FLAG_NO_ARG : 0,
                          .arg = G_OPTION_ARG_CALLBACK,
                          .arg_data = (gpointer)take_key};
    g_array_append_val(list->entries, entry);
}

static bool
has_entry(const entry_list *list, const char *name)
{
    for (guint i = 0; i < list->entries->len; i++) {
        if (strcmp(g_array_index(list->entries, GOptionEntry, i).long_name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* One spelling of a key's flag; booleans have its opposite beside it. */
static void
add_spelling(entry_list *list, bp_cli *cli, const struct bp_config_key *key, const char *name,
             GPtrArray *names)
{
    if (has_entry(list, name)) {
        return; /* a command's own option comes first */
    }
    key_flag *flag = g_new0(key_flag, 1);
    flag->cli = cli;
    flag->key = key;
    flag->flag = g_strdup_printf("--%s", name);
    flag->negated = g_strdup_printf("--no-%s", name);
    g_ptr_array_add(list->flags, flag);
    add_entry(list, g_strdup(name), key);
    g_ptr_array_add(names, g_strdup(flag->flag));
    if (is_bool(key)) {
        add_entry(list, g_strdup_printf("no-%s", name), key);
        g_ptr_array_add(names, g_strdup(flag->negated));
    }
}

/* A flag for a key: --name VALUE; for booleans --name and --no-name. */
static void
add_key(entry_list *list, bp_cli *cli, const struct bp_config_key *key, bp_option_group group)
{
    if ((key->flags & BP_CONFIG_SECRET) != 0) {
        return; /* never on a command line */
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *name = bp_args_flag(key);
    add_spelling(list, cli, key, name, names);
    if (key->alias != NULL) {
        g_autofree char *alias = g_strdelimit(g_strdup(key->alias), "_.", '-');
        add_spelling(list, cli, key, alias, names);
    }
    if (names->len > 0) {
        g_ptr_array_add(names, NULL);
        char **spelled = (char **)g_ptr_array_steal(names, NULL);
        g_ptr_array_add(list->options, bp_option_of_key(key, spelled, group));
    }
}

static void
entry_list_init(entry_list *list, bp_cli *cli, const bp_command *command,
                const bp_key_table *tables, gsize n_tables)
{
    list->entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    list->flags = g_ptr_array_new_with_free_func(key_flag_free);
    list->texts = g_ptr_array_new_with_free_func(g_free);
    list->options = g_ptr_array_new_with_free_func((GDestroyNotify)bp_option_free);
    const GOptionEntry *own = command != NULL ? command->entries : NULL;
    for (gsize i = 0; own != NULL && own[i].long_name != NULL; i++) {
        g_array_append_val(list->entries, own[i]);
        g_ptr_array_add(list->options, bp_option_of_entry(&own[i], BP_OPTION_COMMAND));
    }
    for (gsize t = 0; t < n_tables; t++) {
        for (guint32 i = 0; i < tables[t].n; i++) {
            add_key(list, cli, bp_key_table_at(&tables[t], i),
                    t == 0 ? BP_OPTION_SECTION : BP_OPTION_PLUGIN);
        }
    }
    g_autofree GOptionEntry *globals = global_entries(&cli->globals);
    for (gsize i = 0; globals[i].long_name != NULL; i++) {
        g_ptr_array_add(list->options, bp_option_of_entry(&globals[i], BP_OPTION_GLOBAL));
    }
}

GPtrArray *
bp_args_options(const bp_command *command, const bp_key_table *tables, gsize n_tables)
{
    bp_cli cli = {.command = command};
    g_auto(entry_list) list;
    entry_list_init(&list, &cli, command, tables, n_tables);
    return g_ptr_array_ref(list.options);
}

static GOptionContext *
new_context(bp_cli *cli, const entry_list *list)
{
    GOptionContext *context = g_option_context_new(NULL);
    g_autofree GOptionEntry *globals = global_entries(&cli->globals);
    GOptionGroup *global = g_option_group_new("global", "", "", &cli->globals, NULL);
    g_option_group_add_entries(global, globals);
    GOptionGroup *own = g_option_group_new("command", "", "", list->flags, NULL);
    g_option_group_add_entries(own, (const GOptionEntry *)list->entries->data);
    g_option_context_set_main_group(context, own);
    g_option_context_add_group(context, global);
    g_option_context_set_help_enabled(context, FALSE);
    return context;
}

/* "--a_b=true" -> "--a-b"; "--a_b=false" -> "--no-a-b" for flags without a value. */
static char *
normalise(const char *arg, const entry_list *list)
{
    if (!g_str_has_prefix(arg, "--") || arg[2] == '\0') {
        return g_strdup(arg);
    }
    const char *equals = strchr(arg, '=');
    gsize n = equals != NULL ? (gsize)(equals - arg) : strlen(arg);
    g_autofree char *name = g_strdelimit(g_strndup(arg, n), "_", '-');
    bool no = g_strcmp0(equals, "=false") == 0;
    for (guint i = 0; (no || g_strcmp0(equals, "=true") == 0) && i < list->options->len; i++) {
        const bp_option *option = g_ptr_array_index(list->options, i);
        const char *const *names = (const char *const *)option->names;
        if (option->value == NULL && g_strv_contains(names, name)) {
            g_autofree char *opposite = g_strdup_printf("--no-%s", name + 2);
            const char *meant = !no ? name : g_strv_contains(names, opposite) ? opposite : NULL;
            return g_strdup(meant);
        }
    }
    return g_strconcat(name, equals, NULL);
}

/* Everything but the command's name. */
static GPtrArray *
normalise_all(int argc, char **argv, const entry_list *list)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
    int command = command_index(argc, argv);
    for (int i = 0; i < argc; i++) {
        if (i == command && i > 0) {
            continue;
        }
        char *arg = normalise(argv[i], list);
        if (arg != NULL) {
            g_ptr_array_add(out, arg);
        }
    }
    g_ptr_array_add(out, NULL);
    return out;
}

static void
explain_unknown(GError **error, const entry_list *list)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < list->entries->len; i++) {
        g_ptr_array_add(names, (gpointer)g_array_index(list->entries, GOptionEntry, i).long_name);
    }
    bool is_unknown = g_error_matches(*error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION);
    const char *dashes = is_unknown ? strstr((*error)->message, "--") : NULL;
    const char *near =
        dashes != NULL ? bp_text_nearest(dashes + 2, (const char *const *)names->pdata, names->len)
                       : NULL;
    g_autofree char *message = g_strdup((*error)->message);
    *message = g_ascii_tolower(*message);
    g_clear_error(error);
    bp_set_error(error, BP_ERR_INVALID, "%s", message);
    if (near != NULL) {
        bp_error_add_hint(error, "did you mean --%s?", near);
    }
}

bool
bp_args_parse(bp_cli *cli, int argc, char **argv, const bp_key_table *tables, gsize n_tables,
              GError **error)
{
    g_auto(entry_list) list;
    entry_list_init(&list, cli, cli->command, tables, n_tables);
    g_autoptr(GPtrArray) words = normalise_all(argc, argv, &list);
    g_autoptr(GOptionContext) context = new_context(cli, &list);
    g_clear_pointer(&cli->globals.config, g_free); /* found before; parsed again with the rest */
    g_clear_pointer(&cli->globals.sets, g_strfreev);
    g_auto(GStrv) rest = g_strdupv((char **)words->pdata);
    GError *problem = NULL;
    if (!g_option_context_parse_strv(context, &rest, &problem)) {
        explain_unknown(&problem, &list);
        g_propagate_error(error, problem);
        return false;
    }
    cli->args = g_strdupv(rest + 1);
    if (cli->command->words == NULL && cli->args[0] != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "unexpected word '%s'", cli->args[0]);
        return false;
    }
    return true;
}
