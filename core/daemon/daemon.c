/* SPDX-License-Identifier: Apache-2.0
 *
 * See daemon.h.
 */
#include "core/daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bp_build.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/notify.h"
#include "core/compat/dialect.h"
#include "core/daemon/alive.h"
#include "core/grpc/server.h"
#include "core/server/http.h"
#include "core/server/listen.h"
#include "core/server/routes.h"
#include "core/server/service.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "server"

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2

/* For answers that are on their way. */
#define DRAIN_NS (10 * BP_NS_PER_S)

/* What undoes has this long in reads that were cut off. */
#define GRACE_NS (5 * BP_NS_PER_S)

/* More is not asked for: a system may allow a thousand million. */
#define MAX_DESCRIPTORS 65536

/* In the order in which it comes to be. */
typedef struct {
    bp_notify *notify; /* the init system that wants to know, or NULL */
    bp_config_tree *config;
    char *state_dir, *worker;
    bp_server_settings *settings;
    char *tls_cert, *tls_key, *tls_client_ca; /* PEM, or NULL */
    bp_access *access;
    bp_cancel *stopping; /* of all that handlers do */
    bp_service *service;
    GArray *routes;
    bp_http *http;
    bp_grpc *grpc;
} daemon_parts;

static void
signals_of_ours(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void
bp_daemon_block_signals(void)
{
    sigset_t set;
    signals_of_ours(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Nothing but descriptors bounds gRPC's connections, and REST, jobs and the watchdog need some as
 * well: there should be more than the 1024 of most systems.  Workers inherit that, which is no
 * harm: their own begin at the lowest, and nobody goes through all numbers there are. */
static void
raise_descriptors(void)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        rlim_t wanted = MIN(limit.rlim_max, MAX_DESCRIPTORS);
        if (limit.rlim_cur < wanted) {
            limit.rlim_cur = wanted;
            (void)setrlimit(RLIMIT_NOFILE, &limit); /* up to the hard limit it is allowed */
        }
    }
}

/* -- from the configuration */

static bool
set_up_log(const bp_daemon_options *options, const bp_config_tree *config, GError **error)
{
    const char *format = options->log_format;
    const char *level_text = config != NULL ? bp_config_peek(config, "log.level") : NULL;
    enum bp_log_level level = BP_LOG_INFO;
    if (format == NULL && config != NULL) {
        format = bp_config_peek(config, "log.format");
    }
    if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "json") != 0) {
        bp_set_error(error, BP_ERR_INVALID, "--log-format: '%s' is neither text nor json", format);
        return false;
    }
    if (level_text != NULL) {
        (void)bp_log_level_parse(level_text, &level); /* checked with the configuration */
    }
    if (options->verbose > 0) {
        level = MAX(level, options->verbose > 1 ? BP_LOG_TRACE : BP_LOG_DEBUG);
    }
    bp_log_set_level(options->quiet ? BP_LOG_ERROR : level);
    bp_log_set_format(g_strcmp0(format, "json") == 0 ? BP_LOG_FORMAT_JSON : BP_LOG_FORMAT_TEXT);
    return true;
}

static bool
load_config(daemon_parts *d, const bp_daemon_options *options, GError **error)
{
    bool assumed = options->dialect != NULL;
    if (assumed && strcmp(options->dialect, bp_compat_config_assumed.name) != 0) {
        bp_set_error(error, BP_ERR_INVALID, "--dialect: there is no '%s'", options->dialect);
        bp_error_add_hint(error, "there is %s", bp_compat_config_assumed.name);
        return false;
    }
    bp_config_params params = {.path = options->config,
                               .sets = (const char *const *)options->sets,
                               .dialects = assumed ? &bp_compat_config_assumed : &bp_compat_config,
                               .n_dialects = 1};
    d->config = bp_config_load(&params, error);
    if (d->config == NULL || !set_up_log(options, d->config, error)) {
        return false;
    }
    const GPtrArray *warnings = bp_config_warnings(d->config);
    for (guint i = 0; i < warnings->len; i++) {
        BP_WARN(g_ptr_array_index(warnings, i));
    }
    g_autoptr(bp_workspace) workspace = bp_workspace_new(d->config, NULL, error);
    d->state_dir = workspace != NULL ? bp_workspace_state_dir(workspace, error) : NULL;
    return d->state_dir != NULL;
}

static bool
read_pem(const char *key, const char *path, char **out, GError **error)
{
    GError *problem = NULL;
    if (path != NULL && !g_file_get_contents(path, out, NULL, &problem)) {
        bp_set_error(error, BP_ERR_INVALID, "server.%s: %s", key, problem->message);
        g_error_free(problem);
        return false;
    }
    return true;
}

/* A group may read it, as on Debian those of ssl-cert do; whoever else can could answer for us. */
static bool
check_key_file(const char *path, GError **error)
{
    struct stat is;
    if (path != NULL && stat(path, &is) == 0 && (is.st_mode & S_IRWXO) != 0) {
        bp_set_error(error, BP_ERR_DENIED, "server.tls_key: everybody can use %s", path);
        bp_error_add_hint(error, "chmod o= %s; and make another key, if others were here", path);
        return false;
    }
    return true; /* what is not there, reading says */
}

static bool
read_certificate(daemon_parts *d, GError **error)
{
    return check_key_file(d->settings->tls_key, error) &&
           read_pem("tls_cert", d->settings->tls_cert, &d->tls_cert, error) &&
           read_pem("tls_key", d->settings->tls_key, &d->tls_key, error) &&
           read_pem("tls_client_ca", d->settings->tls_client_ca, &d->tls_client_ca, error);
}

static bool
load_settings(daemon_parts *d, const bp_daemon_options *options, GError **error)
{
    bp_server_flags flags = {.port = options->port, .insecure = options->insecure != FALSE};
    d->settings = bp_server_settings_load(d->config, d->state_dir, &flags, error);
    return d->settings != NULL && read_certificate(d, error);
}

/* Workers are the other program, which is beside this one. */
static bool
find_worker(daemon_parts *d, GError **error)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self != NULL ? self : "");
    d->worker = g_build_filename(folder, "bakplane", NULL);
    if (access(d->worker, X_OK) != 0) {
        bp_set_error(error, BP_ERR_NOT_FOUND, "jobs are run by %s, which is not there", d->worker);
        bp_error_add_hint(error, "install bakplane and bakplane-server into one folder");
        return false;
    }
    return true;
}

/* -- up */

static bool
start_service(daemon_parts *d, const bp_daemon_options *options, GError **error)
{
    d->access = bp_access_open(d->settings, error);
    if (d->access == NULL) {
        return false;
    }
    bp_service_params params = {.config = d->config,
                                .settings = d->settings,
                                .access = d->access,
                                .state_dir = d->state_dir,
                                .program = d->worker,
                                .sets = (const char *const *)options->sets,
                                .cancel = d->stopping};
    d->service = bp_service_new(&params, error);
    return d->service != NULL;
}

static bool
start_http(daemon_parts *d, GError **error)
{
    const bp_server_settings *s = d->settings;
    d->routes = bp_routes_all();
    bp_http_params params = {.address = s->listen.host,
                             .port = s->listen.port,
                             .routes = (const bp_route *)(const void *)d->routes->data,
                             .n_routes = d->routes->len,
                             .guard = bp_service_guard,
                             .ctx = d->service,
                             .tls_cert = d->tls_cert,
                             .tls_key = d->tls_key,
                             .max_connections = s->max_connections,
                             .max_head = s->max_head,
                             .max_body = s->max_body,
                             .receive_ns = s->receive_ns,
                             .send_ns = s->send_ns};
    d->http = bp_http_start(&params, error);
    if (d->http == NULL && bp_error_is(*error, BP_ERR_EXISTS)) {
        bp_error_add_hint(error, "end that program, or choose another port: server.listen, --port");
    }
    return d->http != NULL;
}

static bool
start_grpc(daemon_parts *d, GError **error)
{
    const bp_server_settings *s = d->settings;
    if (s->grpc_listen.host == NULL) {
        return true;
    }
    bp_grpc_params params = {.address = s->grpc_listen.host,
                             .port = s->grpc_listen.port,
                             .service = d->service,
                             .access = d->access,
                             .tls_cert = d->tls_cert,
                             .tls_key = d->tls_key,
                             .tls_client_ca = d->tls_client_ca};
    d->grpc = bp_grpc_start(&params, error);
    if (d->grpc == NULL && bp_error_is(*error, BP_ERR_EXISTS)) {
        bp_error_add_hint(error, "end that program, or choose another port: server.grpc_listen");
    }
    return d->grpc != NULL;
}

/* Every interface is started here, after the service and before anybody is told. */
static bool
start_interfaces(daemon_parts *d, GError **error)
{
    return start_http(d, error) && start_grpc(d, error);
}

static void
stop_interfaces(daemon_parts *d)
{
    bp_grpc_stop(g_steal_pointer(&d->grpc), DRAIN_NS);
    if (d->http != NULL) {
        bp_http_stop(g_steal_pointer(&d->http), DRAIN_NS);
    }
}

/* By the watchdog's thread. */
static bool
is_alive(void *ctx)
{
    const daemon_parts *d = ctx;
    bp_alive what = {.looked_ns = bp_supervisor_looked_ns(bp_service_supervisor(d->service)),
                     .address = d->settings->listen.host,
                     .port = bp_http_port(d->http),
                     .answer_ns = BP_ALIVE_ANSWER_NS};
    return bp_alive_check(&what);
}

/* Returns: (transfer full) */
static char *
address_text(const bp_server_address *address, guint16 port)
{
    bool is_v6 = strchr(address->host, ':') != NULL;
    return g_strdup_printf(is_v6 ? "[%s]:%u" : "%s:%u", address->host, port);
}

static bool
is_local(const bp_server_address *address)
{
    return address->host == NULL || bp_listen_is_loopback(address->host);
}

static void
tell(daemon_parts *d)
{
    const bp_server_settings *s = d->settings;
    g_autofree char *address = address_text(&s->listen, bp_http_port(d->http));
    g_autofree char *rest =
        g_strconcat(s->tls_cert != NULL ? "https://" : "http://", address, NULL);
    g_autofree char *grpc =
        d->grpc != NULL ? address_text(&s->grpc_listen, bp_grpc_port(d->grpc)) : g_strdup("none");
    if (s->is_open) {
        BP_WARN("everybody who reaches this server may do everything", "rest", rest, "grpc", grpc);
    } else if ((!is_local(&s->listen) || !is_local(&s->grpc_listen)) && s->tls_cert == NULL) {
        BP_WARN("tokens and answers go over the network as plain text: set server.tls_cert", "rest",
                rest, "grpc", grpc);
    }
    BP_INFO("serving", "version", BP_BUILD_VERSION, "rest", rest, "grpc", grpc, "state_dir",
            d->state_dir, "token_file", s->is_open ? "none" : s->token_file);
    g_autofree char *state = g_strdup_printf("READY=1\nSTATUS=serves %s", rest);
    bp_notify_send(d->notify, state);
    (void)bp_notify_watch(d->notify, is_alive, d);
}

/* -- the rest of its life */

static int
wait_for_signal(void)
{
    sigset_t set;
    signals_of_ours(&set);
    for (;;) {
        int number = sigwaitinfo(&set, NULL);
        if (number == SIGHUP) {
            BP_WARN("SIGHUP changes nothing: start the server again, its jobs go on meanwhile");
        } else if (number > 0) {
            return number;
        }
    }
}

/* Whoever is in a hurry sends a second signal: jobs are in other processes, and all that matters
 * is on disk. */
static void
let_signals_kill(void)
{
    sigset_t set;
    signals_of_ours(&set);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void
parts_clear(daemon_parts *d)
{
    g_clear_pointer(&d->notify, bp_notify_close); /* its thread looks at the others */
    stop_interfaces(d);
    bp_service_free(d->service);
    g_clear_pointer(&d->routes, g_array_unref);
    bp_access_free(d->access);
    bp_server_settings_free(d->settings);
    bp_cancel_free(d->stopping);
    bp_config_tree_free(d->config);
    g_free(d->state_dir);
    g_free(d->worker);
    g_free(d->tls_cert);
    g_free(d->tls_client_ca);
    if (d->tls_key != NULL) {
        explicit_bzero(d->tls_key, strlen(d->tls_key));
        g_free(d->tls_key);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(daemon_parts, parts_clear)

static int
fail(const GError *error, int code)
{
    g_autofree char *text = bp_log_redact(error->message);
    fprintf(stderr, "error: %s\n", text);
    return code;
}

int
bp_daemon_run(const bp_daemon_options *options)
{
    g_auto(daemon_parts) d = {.notify = bp_notify_open(), .stopping = bp_cancel_new()};
    g_autoptr(GError) error = NULL;
    bp_cancel_set_grace(d.stopping, GRACE_NS);
    raise_descriptors();
    if (!load_config(&d, options, &error) || !load_settings(&d, options, &error)) {
        return fail(error, EXIT_USAGE);
    }
    if (!find_worker(&d, &error) || !start_service(&d, options, &error) ||
        !start_interfaces(&d, &error)) {
        return fail(error, bp_error_is(error, BP_ERR_INVALID) ? EXIT_USAGE : EXIT_FAILED);
    }
    tell(&d);
    int number = wait_for_signal();
    BP_INFO("ending", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT");
    bp_notify_send(d.notify, "STOPPING=1\nSTATUS=lets requests end; jobs go on");
    g_clear_pointer(&d.notify, bp_notify_close);
    let_signals_kill();
    bp_cancel_trigger(d.stopping, number);
    stop_interfaces(&d);
    return EXIT_DONE;
}
