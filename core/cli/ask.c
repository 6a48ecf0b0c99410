/* SPDX-License-Identifier: Apache-2.0
 *
 * See ask.h.
 */
#include "core/cli/ask.h"

#include "core/base/json.h"
#include "core/jobs/run.h"

#include "sdk/lib/ban.h"

json_t *
bp_ask_new(const char *verb)
{
    return json_pack("{s:s}", "verb", verb);
}

void
bp_ask_text(json_t *request, const char *key, const char *value)
{
    if (value != NULL) {
        g_autofree char *valid = g_utf8_make_valid(value, -1);
        json_object_set_new(request, key, json_string(valid));
    }
}

void
bp_ask_switch(json_t *request, const char *key, gboolean value)
{
    if (value) {
        json_object_set_new(request, key, json_true());
    }
}

void
bp_ask_settings(json_t *request, const bp_cli *cli)
{
    json_t *settings = json_array();
    for (guint i = 0; i + 1 < cli->overrides->len; i++) { /* the last one is NULL */
        g_autofree char *valid = g_utf8_make_valid(g_ptr_array_index(cli->overrides, i), -1);
        json_array_append_new(settings, json_string(valid));
    }
    if (json_array_size(settings) > 0) {
        json_object_set(request, "settings", settings);
    }
    json_decref(settings);
}

bp_verb_outcome
bp_ask_run(const bp_cli *cli, const bp_verb *verb, json_t *take_request, GError **error)
{
    g_autoptr(json_t) request = take_request;
    bp_jobs_run_params params = {
        .verb = verb, .request = request, .cancel = cli->cancel, .origin = "cli"};
    return bp_jobs_run(&params, error);
}
