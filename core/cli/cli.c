/* SPDX-License-Identifier: Apache-2.0
 *
 * See cli.h: reads the command line and configuration, runs one command, prints its result, and
 * says by the exit code how it went.
 */
#include "core/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/init.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/cli/args.h"
#include "core/cli/front_run.h"
#include "core/cli/help.h"
#include "core/cli/jsonout.h"
#include "core/cli/progress_view.h"
#include "core/compat/dialect.h"
#include "core/jobs/request.h"

#include "sdk/lib/ban.h"

const bp_command *const bp_commands[] = {
    &bp_command_create, &bp_command_copy,          &bp_command_restore, &bp_command_list,
    &bp_command_get,    &bp_command_delete,        &bp_command_prune,   &bp_command_verify,
    &bp_command_check,  &bp_command_job,           &bp_command_server,  &bp_command_plugin,
    &bp_command_config, &bp_command_install_alias, &bp_command_version, NULL,
};

const char *
bp_command_section(const bp_command *command)
{
    static const char *const sections[] = {[BP_OPTIONS_NONE] = NULL,
                                           [BP_OPTIONS_CREATE] = "backup",
                                           [BP_OPTIONS_COPY] = "backup",
                                           [BP_OPTIONS_RESTORE] = "restore"};
    return sections[command->source];
}

bp_key_table
bp_command_core_keys(const bp_command *command)
{
    switch (command->source) {
    case BP_OPTIONS_CREATE:
        return bp_config_backup_keys;
    case BP_OPTIONS_COPY:
        return bp_config_copy_keys;
    case BP_OPTIONS_RESTORE:
        return bp_config_restore_keys;
    case BP_OPTIONS_NONE:
        break;
    }
    return (bp_key_table){0};
}

bool
bp_command_source_keys(const bp_command *command, const bp_module *module, bp_key_table *out)
{
    bool create = command->source == BP_OPTIONS_CREATE;
    if (!create && command->source != BP_OPTIONS_RESTORE) {
        return false;
    }
    *out = create ? bp_module_create_keys(module) : bp_module_restore_keys(module);
    return true;
}

static void
print_error(const bp_cli *cli, const GError *error)
{
    g_autofree char *text = bp_output_error_text(error, cli->output.color_stderr);
    fputs(text, stderr);
}

static int
fail_usage(const bp_cli *cli, const GError *error)
{
    print_error(cli, error);
    if (cli->front != NULL && error != cli->config_error) {
        return BP_EXIT_FAILED; /* what the other tool answers */
    }
    if (error != cli->config_error) {
        fprintf(stderr, "try: bakplane help %s\n", cli->command->name);
    }
    return BP_EXIT_USAGE;
}

/* Reads all layers; the error is kept, since `help` and bad flags come first. */
static void
load_config(bp_cli *cli)
{
    bp_config_params params = {.path = cli->globals.config,
                               .sets = (const char *const *)cli->globals.sets,
                               .dialects =
                                   cli->front != NULL ? cli->front->dialect : &bp_compat_config,
                               .n_dialects = 1};
    cli->config = bp_config_load(&params, &cli->config_error);
    if (cli->config != NULL) {
        cli->workspace = bp_workspace_new(cli->config, cli->cancel, &cli->config_error);
    }
}

/* Tables whose keys are flags of this command; the source's are known if it can be loaded. */
static gsize
flag_tables(bp_cli *cli, const bp_command *command, bp_key_table tables[2])
{
    if (command->source == BP_OPTIONS_NONE) {
        return 0;
    }
    tables[0] = bp_command_core_keys(command);
    if (cli->workspace == NULL) {
        return 1;
    }
    bp_module *module = bp_workspace_source_module(
        cli->workspace, cli->config_error == NULL ? &cli->config_error : NULL);
    return module != NULL && bp_command_source_keys(command, module, &tables[1]) ? 2 : 1;
}

static bool
set_up_output(bp_cli *cli, GError **error)
{
    bp_output_facts facts;
    bp_output_look(&facts);
    bp_output_wishes wishes = {.progress = cli->globals.progress, .quiet = cli->globals.quiet};
    return bp_output_decide(&facts, &wishes, &cli->output, error);
}

static bool
set_up_log(const bp_cli *cli, GError **error)
{
    const bp_globals *g = &cli->globals;
    enum bp_log_level level = BP_LOG_WARN;
    const char *configured = cli->config != NULL ? bp_config_peek(cli->config, "log.level") : NULL;
    const char *format = g->log_format;
    if (format == NULL && cli->config != NULL) {
        format = bp_config_peek(cli->config, "log.format");
    }
    if (configured != NULL && !bp_log_level_parse(configured, &level)) {
        bp_set_error(error, BP_ERR_INVALID, "log.level: '%s' is no level", configured);
        return false;
    }
    if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "json") != 0) {
        bp_set_error(error, BP_ERR_INVALID, "--log-format: '%s' is neither text nor json", format);
        return false;
    }
    if (g->verbose > 0) {
        level = MAX(level, g->verbose > 1 ? BP_LOG_DEBUG : BP_LOG_INFO);
    }
    bp_log_set_level(g->quiet ? BP_LOG_ERROR : level);
    bp_log_set_format(g_strcmp0(format, "json") == 0 ? BP_LOG_FORMAT_JSON : BP_LOG_FORMAT_TEXT);
    return true;
}

static bool
write_report(const bp_cli *cli, const json_t *result, GError **error)
{
    if (cli->globals.report == NULL) {
        return true;
    }
    g_autofree char *plain = bp_json_pretty(result);
    g_autofree char *text = bp_log_redact(plain);
    GError *problem = NULL;
    if (!g_file_set_contents(cli->globals.report, text, -1, &problem)) {
        bp_set_error(error, BP_ERR_PERMANENT, "report: %s", problem->message);
        g_error_free(problem);
        return false;
    }
    return true;
}

/* A failure shows only what tells how far it got; the reason follows on stderr. */
static bool
print_result(const bp_cli *cli, const json_t *result, bp_verb_outcome outcome, GError **error)
{
    if (cli->globals.json) {
        return bp_jsonout_result(stdout, result, error);
    }
    if (outcome == BP_VERB_FAILED && !json_is_true(json_object_get(result, "touched")) &&
        json_object_get(result, "checks") == NULL) {
        return true;
    }
    g_autofree char *text = bp_front_text(cli, result, outcome);
    if (text == NULL) {
        text = cli->command->show(result, cli->output.color_stdout);
    }
    return bp_output_write(stdout, text, error);
}

static int
exit_code(const bp_cli *cli, bp_verb_outcome outcome, const GError *error)
{
    int signal = bp_cancel_signal(cli->cancel);
    if (outcome == BP_VERB_OK) {
        return BP_EXIT_DONE;
    }
    if (outcome == BP_VERB_DIFFERENT) {
        return BP_EXIT_DIFFERENT;
    }
    if (signal != 0) {
        return 128 + signal;
    }
    bool usage = cli->front == NULL && bp_error_is(error, BP_ERR_INVALID);
    return usage ? BP_EXIT_USAGE : BP_EXIT_FAILED;
}

static bool
take_snapshot(void *ctx, bp_progress *out)
{
    return bp_monitor_snapshot(ctx, out);
}

static int
run_command(bp_cli *cli)
{
    g_autoptr(json_t) result = json_object();
    bp_verb verb = {.workspace = cli->workspace, .monitor = cli->monitor, .result = result};
    g_autoptr(GError) error = NULL;
    bp_progress_view_params view = {.style = cli->output.progress,
                                    .stream = stderr,
                                    .snapshot = take_snapshot,
                                    .ctx = cli->monitor};
    g_autoptr(bp_progress_view) progress = bp_progress_view_new(&view);
    bp_progress_view_start(progress);
    bp_verb_outcome outcome = cli->command->run(cli, &verb, &error);
    bp_progress_view_stop(progress);
    bp_result_finish(result, outcome, cli->monitor, error);
    g_autoptr(GError) unwritten = NULL;
    bool written = print_result(cli, result, outcome, &unwritten);
    if (error != NULL) {
        print_error(cli, error);
    }
    written = written && write_report(cli, result, &unwritten);
    if (!written) {
        print_error(cli, unwritten);
    }
    bool lost = !written && outcome == BP_VERB_OK;
    return lost ? BP_EXIT_FAILED : exit_code(cli, outcome, error);
}

static void
warn_of_config(const bp_cli *cli)
{
    const GPtrArray *warnings = cli->config != NULL ? bp_config_warnings(cli->config) : NULL;
    for (guint i = 0; warnings != NULL && i < warnings->len; i++) {
        bp_monitor_note(cli->monitor, BP_NOTE_WARN, "config", g_ptr_array_index(warnings, i));
    }
}

/* The rest of main once the command is known: flags, configuration, run. */
static int
parse_and_run(bp_cli *cli, int argc, char **argv)
{
    bp_key_table tables[2];
    gsize n = flag_tables(cli, cli->command, tables);
    g_autoptr(GError) error = NULL;
    if (!bp_args_parse(cli, argc, argv, tables, n, &error)) {
        if (cli->config_error != NULL && cli->command->source != BP_OPTIONS_NONE) {
            print_error(cli, cli->config_error); /* the flag may be one of the source's */
        }
        return fail_usage(cli, error);
    }
    if (cli->command->needs_config && cli->config_error != NULL) {
        return fail_usage(cli, cli->config_error);
    }
    if (!set_up_output(cli, &error) || !set_up_log(cli, &error)) {
        return fail_usage(cli, error);
    }
    warn_of_config(cli);
    return run_command(cli);
}

static bool
has_flag(int argc, char **argv, const char *name, const char *letter)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0 || g_strcmp0(argv[i], letter) == 0) {
            return true;
        }
    }
    return false;
}

static bool
wants_help(int argc, char **argv)
{
    return has_flag(argc, argv, "--help", "-h");
}

static const bp_command *
command_named(const char *name)
{
    for (gsize i = 0; name != NULL && bp_commands[i] != NULL; i++) {
        if (strcmp(bp_commands[i]->name, name) == 0) {
            return bp_commands[i];
        }
    }
    return NULL;
}

/* help, help COMMAND, COMMAND --help, --help. */
static int
print_help(bp_cli *cli, const char *topic)
{
    const bp_command *command = command_named(topic);
    if (topic != NULL && command == NULL && strcmp(topic, "help") != 0) {
        fprintf(stderr, "error: there is no command '%s'\n", topic);
        return BP_EXIT_USAGE;
    }
    bp_key_table tables[2];
    gsize n = command != NULL ? flag_tables(cli, command, tables) : 0;
    g_autofree char *text =
        command != NULL ? bp_help_command(command, tables, n) : bp_help_overview();
    fputs(text, stdout);
    bool takes_more =
        command != NULL && command->source != BP_OPTIONS_NONE && command->source != BP_OPTIONS_COPY;
    if (takes_more && n < 2) {
        fputs("\nThe options of the source plugin are listed here once one is configured.\n",
              stdout);
    }
    return BP_EXIT_DONE;
}

static int
dispatch(bp_cli *cli, int argc, char **argv)
{
    const char *word = NULL;
    cli->command = bp_args_command(argc, argv, &word);
    if (word == NULL && has_flag(argc, argv, "--version", NULL)) {
        char *words[] = {argv[0], (char *)"version", NULL};
        cli->command = &bp_command_version;
        return parse_and_run(cli, 2, words);
    }
    bool help = word == NULL || strcmp(word, "help") == 0 || wants_help(argc, argv);
    bool config = cli->command != NULL ? cli->command->needs_config : help;
    if (cli->command == NULL && word != NULL && !help) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        for (gsize i = 0; bp_commands[i] != NULL; i++) {
            g_ptr_array_add(names, (gpointer)bp_commands[i]->name);
        }
        const char *near = bp_text_nearest(word, (const char *const *)names->pdata, names->len);
        fprintf(stderr, "error: there is no command '%s'%s%s%s\n", word,
                near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                near != NULL ? "'?" : "");
        return BP_EXIT_USAGE;
    }
    bp_args_globals(cli, argc, argv);
    if (config) {
        load_config(cli);
    }
    if (!help) {
        return parse_and_run(cli, argc, argv);
    }
    bool asked = word != NULL || wants_help(argc, argv);
    const char *topic = word;
    if (word != NULL && strcmp(word, "help") == 0) {
        topic = argc > 2 && argv[argc - 1][0] != '-' ? argv[argc - 1] : NULL;
    }
    int code = print_help(cli, topic);
    return asked ? code : BP_EXIT_USAGE;
}

static void
cli_clear(bp_cli *cli)
{
    bp_workspace_free(cli->workspace);
    bp_config_tree_free(cli->config);
    bp_monitor_free(cli->monitor);
    g_clear_error(&cli->config_error);
    bp_front_call_clear(&cli->call);
    g_ptr_array_unref(cli->overrides);
    g_strfreev(cli->args);
    g_free(cli->globals.config);
    g_strfreev(cli->globals.sets);
    g_free(cli->globals.report);
    g_free(cli->globals.progress);
    g_free(cli->globals.log_format);
}

int
bp_cli_main(int argc, char **argv, bp_cancel *cancel)
{
    g_set_prgname("bakplane");
    bp_base_init();
    bp_cli cli = {.cancel = cancel, .monitor = bp_monitor_new()};
    cli.overrides = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(cli.overrides, NULL);
    cli.front = bp_front_named(argv[0]);
    int code = BP_EXIT_FAILED;
    if (cli.front == NULL) {
        code = dispatch(&cli, argc, argv);
    } else if (bp_front_take(&cli, argv, &code)) {
        code = dispatch(&cli, (int)g_strv_length(cli.call.words), cli.call.words);
    }
    cli_clear(&cli);
    return code;
}
