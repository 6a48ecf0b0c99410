/* SPDX-License-Identifier: Apache-2.0
 *
 * See completion.h: the other tool's commands and options, out of the table that they are read by.
 */
#include <string.h>

#include "core/cli/completion.h"
#include "core/compat/front_line.h"

#include "sdk/lib/ban.h"

static bp_option *
to_option(const bp_front_option *from, bp_option_group group)
{
    bp_option *out = g_new0(bp_option, 1);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    out->group = group;
    if (from->letter != 0) {
        g_ptr_array_add(names, g_strdup_printf("-%c", from->letter));
    }
    g_ptr_array_add(names, g_strconcat("--", from->name, NULL));
    g_ptr_array_add(names, NULL);
    out->names = (char **)g_ptr_array_steal(names, NULL);
    out->value = g_strdup(from->value);
    out->help = g_strdup(from->help);
    out->file = g_strcmp0(from->value, "FILE") == 0;
    return out;
}

static void
add_options(const bp_front_option *options, gsize n, bp_option_group group, GPtrArray *out)
{
    for (gsize i = 0; i < n; i++) {
        if (options[i].fate == BP_FATE_DONE) {
            g_ptr_array_add(out, to_option(&options[i], group));
        }
    }
}

GPtrArray *
bp_completion_front_commands(void)
{
    GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)bp_completed_free);
    for (gsize i = 0; i < bp_front_n_commands; i++) {
        const bp_front_command *command = &bp_front_commands[i];
        const char *words = command->words != NULL ? command->words : "";
        if (command->refused != NULL) {
            continue;
        }
        bp_completed *one = bp_completed_new(command->name, command->summary, g_strdup(words));
        add_options(command->options, command->n_options, BP_OPTION_COMMAND, one->options);
        add_options(bp_front_globals, bp_front_n_globals, BP_OPTION_GLOBAL, one->options);
        g_ptr_array_add(out, one);
    }
    return out;
}
