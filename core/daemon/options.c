/* SPDX-License-Identifier: Apache-2.0
 *
 * See options.h.
 */
#include "core/daemon/options.h"

#include "core/base/error.h"

#include "sdk/lib/ban.h"

static gboolean
count_verbose(const char *written, const char *value, gpointer data, GError **error)
{
    (void)written;
    (void)value;
    (void)error;
    ((bp_daemon_options *)data)->verbose++;
    return TRUE;
}

static void
add_entries(GOptionContext *context, bp_daemon_options *o)
{
    const GOptionEntry entries[] = {
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &o->config, "configuration file", "FILE"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->sets, "set one value (not for secrets)",
         "KEY=VALUE"},
        {"port", 'p', 0, G_OPTION_ARG_STRING, &o->port, "port of REST, instead of server.listen's",
         "PORT"},
        {"insecure", 0, 0, G_OPTION_ARG_NONE, &o->insecure,
         "serve other machines without authentication, if auth is none", NULL},
        {"dialect", 0, 0, G_OPTION_ARG_STRING, &o->dialect,
         "read the configuration as that tool's, whatever is in it", "NAME"},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &o->quiet, "log errors only", NULL},
        {"verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (gpointer)count_verbose,
         "log more; twice for every request to a storage", NULL},
        {"log-format", 0, 0, G_OPTION_ARG_STRING, &o->log_format, "how to log (default text)",
         "text|json"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "show the version", NULL},
        {0},
    };
    /* A group, because only a group passes its data to callbacks. */
    GOptionGroup *group = g_option_group_new("main", "", "", o, NULL);
    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
}

bool
bp_daemon_options_parse(int argc, char **argv, bp_daemon_options *out, GError **error)
{
    *out = (bp_daemon_options){0};
    g_autoptr(GError) problem = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_summary(context, "Serves jobs, backups and their state to programs.");
    add_entries(context, out);
    g_auto(GStrv) words = g_strdupv(argv);
    (void)argc;
    if (!g_option_context_parse_strv(context, &words, &problem)) {
        bp_set_error(error, BP_ERR_INVALID, "%s", problem->message);
        bp_error_add_hint(error, "bakplane-server --help shows what may be given");
        return false;
    }
    if (g_strv_length(words) > 1) {
        bp_set_error(error, BP_ERR_INVALID, "unexpected word '%s'", words[1]);
        return false;
    }
    return true;
}

void
bp_daemon_options_clear(bp_daemon_options *options)
{
    g_clear_pointer(&options->config, g_free);
    g_clear_pointer(&options->sets, g_strfreev);
    g_clear_pointer(&options->port, g_free);
    g_clear_pointer(&options->dialect, g_free);
    g_clear_pointer(&options->log_format, g_free);
}
