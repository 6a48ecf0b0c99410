/* SPDX-License-Identifier: Apache-2.0
 *
 * See settings.h.
 */
#include "core/server/settings.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/config/address.h"

#include "sdk/lib/ban.h"

static char **
list_of(const bp_settings *section, const char *key)
{
    gsize n = bp_settings_count(section, key);
    char **list = g_new0(char *, n + 1);
    for (gsize i = 0; i < n; i++) {
        list[i] = g_strdup(bp_settings_at(section, key, i));
    }
    return list;
}

/* That of the command line, which goes before the configuration's. */
static bool
read_port(bp_server_settings *s, const char *port, GError **error)
{
    if (port == NULL || bp_address_parse_port(port, &s->listen.port, error)) {
        return true;
    }
    g_prefix_error(error, "--port: ");
    return false;
}

static bool
read_addresses(bp_server_settings *s, const bp_settings *section, const char *port, GError **error)
{
    const char *grpc = bp_settings_get(section, "grpc_listen");
    return bp_address_parse(bp_settings_get(section, "listen"), &s->listen.host, &s->listen.port,
                            error) &&
           (*grpc == '\0' ||
            bp_address_parse(grpc, &s->grpc_listen.host, &s->grpc_listen.port, error)) &&
           read_port(s, port, error);
}

/* A name and nothing else: what is compared with it has no port. */
static bool
is_name(const char *text)
{
    return *text != '\0' &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") == strlen(text);
}

/* As browsers send it: a scheme, a host, perhaps a port, no path. */
static bool
is_origin(const char *text)
{
    const char *rest = strstr(text, "://");
    return (g_str_has_prefix(text, "http://") || g_str_has_prefix(text, "https://")) &&
           rest[3] != '\0' && strpbrk(rest + 3, "/ ?#") == NULL;
}

/* What could never match would only look like a permission. */
static bool
check_lists(const bp_server_settings *s, GError **error)
{
    for (char **host = s->hosts; *host != NULL; host++) {
        if (!is_name(*host)) {
            bp_set_error(error, BP_ERR_INVALID, "server.hosts: '%s' is no name", *host);
            bp_error_add_hint(error, "write it without scheme and port, as backup.example");
            return false;
        }
    }
    for (char **origin = s->origins; *origin != NULL; origin++) {
        if (!is_origin(*origin)) {
            bp_set_error(error, BP_ERR_INVALID, "server.origins: '%s' is no origin", *origin);
            bp_error_add_hint(error, "write it with its scheme, without a path, as "
                                     "https://console.example");
            return false;
        }
    }
    return true;
}

static void
read_rest(bp_server_settings *s, const bp_settings *section, const char *state_dir)
{
    const char *token_file = bp_settings_get(section, "token_file");
    s->is_open = strcmp(bp_settings_get(section, "auth"), "none") == 0;
    if (!s->is_open) {
        s->token_file = token_file != NULL ? g_strdup(token_file)
                                           : g_build_filename(state_dir, "server", "token", NULL);
        s->read_token_file = g_strdup(bp_settings_get(section, "read_token_file"));
    }
    s->hosts = list_of(section, "hosts");
    s->origins = list_of(section, "origins");
    s->tls_cert = g_strdup(bp_settings_get(section, "tls_cert"));
    s->tls_key = g_strdup(bp_settings_get(section, "tls_key"));
    s->tls_client_ca = g_strdup(bp_settings_get(section, "tls_client_ca"));
    s->max_connections = (guint)bp_settings_u64(section, "max_connections");
    s->max_head = bp_settings_u64(section, "max_head");
    s->max_body = bp_settings_u64(section, "max_body");
    s->receive_ns = (gint64)bp_settings_u64(section, "receive_timeout") * BP_NS_PER_MS;
    s->send_ns = (gint64)bp_settings_u64(section, "send_timeout") * BP_NS_PER_MS;
    s->max_running = (guint)bp_settings_u64(section, "max_running");
    s->has_simple_answers = bp_settings_bool(section, "simple_answers");
}

bp_server_settings *
bp_server_settings_load(const bp_config_tree *config, const char *state_dir,
                        const bp_server_flags *flags, GError **error)
{
    bp_config_section_params params = {
        .path = "server", .tables = &bp_config_server_keys, .n_tables = 1, .secrets = true};
    g_autoptr(bp_settings) section = bp_config_section(config, &params, error);
    if (section == NULL) {
        return NULL;
    }
    g_autoptr(bp_server_settings) s = g_new0(bp_server_settings, 1);
    if (!read_addresses(s, section, flags != NULL ? flags->port : NULL, error)) {
        return NULL;
    }
    s->is_insecure = flags != NULL && flags->insecure;
    read_rest(s, section, state_dir);
    return check_lists(s, error) ? g_steal_pointer(&s) : NULL;
}

void
bp_server_settings_free(bp_server_settings *s)
{
    if (s == NULL) {
        return;
    }
    g_free(s->listen.host);
    g_free(s->grpc_listen.host);
    g_free(s->token_file);
    g_free(s->read_token_file);
    g_strfreev(s->hosts);
    g_strfreev(s->origins);
    g_free(s->tls_cert);
    g_free(s->tls_key);
    g_free(s->tls_client_ca);
    g_free(s);
}
