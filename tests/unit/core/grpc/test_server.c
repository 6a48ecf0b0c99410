/* SPDX-License-Identifier: Apache-2.0
 *
 * core/grpc, as its clients see it.
 */
#include "core/grpc/server.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/grpc/internal.h"
#include "core/grpc/messages.h"
#include "tests/unit/core/grpc/grpc_fixture.h"

#define HEALTH "/grpc.health.v1.Health/"
#define REFLECTION "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"

static char *
start_create(const char *name)
{
    g_autofree char *text = g_strdup_printf(
        "{\"request\":{\"fields\":{\"verb\":\"create\",\"name\":\"%s\"}},\"key\":\"k-%s\"}", name,
        name);
    g_autoptr(json_t) started =
        ask(boss, JOBS "Start", message_of(&bp_grpc_start_request, text), &bp_grpc_job);
    ck_assert_str_eq(bp_json_text(started, "origin", ""), "grpc");
    return g_strdup(bp_json_text(started, "id", ""));
}

/* The last of what a stream tells.  Returns: (transfer full) */
static json_t *
watch_to_the_end(client *who, const char *id)
{
    g_autoptr(GBytes) message = id_message(id);
    exchange *x = exchange_begin(who, JOBS "Watch", message);
    json_t *last = NULL;
    for (json_t *next = exchange_next(x, &bp_grpc_job); next != NULL;
         next = exchange_next(x, &bp_grpc_job)) {
        json_decref(last);
        last = next;
    }
    ck_assert_int_eq(exchange_end(x, NULL), GRPC_STATUS_OK);
    ck_assert_ptr_nonnull(last);
    return last;
}

START_TEST(test_health__needs_no_token)
{
    g_autoptr(json_t) whole = ask(nobody, HEALTH "Check", nothing(), &bp_grpc_health_response);
    ck_assert_int_eq(json_integer_value(json_object_get(whole, "status")), 1);
    g_autoptr(json_t) one =
        ask(nobody, HEALTH "Check",
            message_of(&bp_grpc_health_request, "{\"service\":\"bakplane.v1.Jobs\"}"),
            &bp_grpc_health_response);
    ck_assert_int_eq(json_integer_value(json_object_get(one, "status")), 1);
    assert_refused(nobody, HEALTH "Check",
                   message_of(&bp_grpc_health_request, "{\"service\":\"x\"}"),
                   GRPC_STATUS_NOT_FOUND, "no such service");
}
END_TEST

START_TEST(test_access__by_role)
{
    assert_refused(nobody, JOBS "List", nothing(), GRPC_STATUS_UNAUTHENTICATED, "a valid token");
    client *guest = client_new(bp_grpc_port(server), "guessed-0123456789");
    assert_refused(guest, JOBS "List", nothing(), GRPC_STATUS_UNAUTHENTICATED, "a valid token");
    assert_refused(guest, V1 "CreateBackup", nothing(), GRPC_STATUS_UNAUTHENTICATED,
                   "a valid token");
    client_free(guest);
    assert_refused(reader, JOBS "Start", nothing(), GRPC_STATUS_PERMISSION_DENIED, "may look");
    assert_refused(reader, JOBS "Cancel", nothing(), GRPC_STATUS_PERMISSION_DENIED, "may look");
    assert_refused(reader, V1 "CreateBackup", nothing(), GRPC_STATUS_PERMISSION_DENIED, "may look");
    g_autoptr(json_t) list = ask(reader, JOBS "List", nothing(), &bp_grpc_list_response);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "jobs")), 0);
    ck_assert_int_eq(atomic_load(&n_waiting), 0);
}
END_TEST

START_TEST(test_access__what_is_not_there)
{
    static const char *const paths[] = {
        "/bakplane.v1.Jobs/Nothing", "/bakplane.v1.Jobs",       "/",
        "/bakplane.v1.Jobs/Start/",  "/bakplane.v1.jobs/Start", "/x/y/../z",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        assert_refused(nobody, paths[i], nothing(), GRPC_STATUS_UNAUTHENTICATED, "a valid token");
        assert_refused(boss, paths[i], nothing(), GRPC_STATUS_UNIMPLEMENTED, "no such method");
    }
    /* An operation that the service does not declare. */
    assert_refused(boss, V1 "RestoreSecondary", nothing(), GRPC_STATUS_UNIMPLEMENTED, "no such");
}
END_TEST

START_TEST(test_jobs__started_watched_and_looked_at)
{
    g_autofree char *id = start_create("b");
    g_autoptr(json_t) last = watch_to_the_end(reader, id);
    ck_assert_str_eq(bp_json_text(last, "state", ""), "succeeded");
    const json_t *result = json_object_get(json_object_get(last, "result"), "fields");
    ck_assert_str_eq(bp_json_text(result, "outcome", ""), "done");
    g_autoptr(json_t) got = ask(reader, JOBS "Get", id_message(id), &bp_grpc_job);
    ck_assert(json_equal(got, last));
    g_autofree char *again = start_create("b"); /* by its key */
    ck_assert_str_eq(again, id);
    g_autoptr(json_t) over = watch_to_the_end(reader, id);
    ck_assert(json_equal(over, last));
    assert_refused(boss, JOBS "Cancel", id_message(id), GRPC_STATUS_FAILED_PRECONDITION,
                   "has ended");
}
END_TEST

START_TEST(test_jobs__page_by_page)
{
    g_autofree char *first = start_create("a");
    json_decref(watch_to_the_end(reader, first));
    g_autofree char *second = start_create("b");
    json_decref(watch_to_the_end(reader, second));
    g_autoptr(json_t) page =
        ask(reader, JOBS "List",
            message_of(&bp_grpc_list_request, "{\"limit\":1,\"state\":\"succeeded\"}"),
            &bp_grpc_list_response);
    const json_t *newest = json_array_get(json_object_get(page, "jobs"), 0);
    g_autofree char *rest = g_strdup_printf("{\"cursor\":\"%s\"}", bp_json_text(page, "next", ""));
    g_autoptr(json_t) next =
        ask(reader, JOBS "List", message_of(&bp_grpc_list_request, rest), &bp_grpc_list_response);
    const json_t *oldest = json_array_get(json_object_get(next, "jobs"), 0);
    ck_assert_str_ne(bp_json_text(newest, "id", "?"), bp_json_text(oldest, "id", "?"));
    ck_assert_uint_eq(json_array_size(json_object_get(next, "jobs")), 1);
    ck_assert_str_eq(bp_json_text(next, "next", ""), "");
    const json_t *request = json_object_get(json_object_get(oldest, "request"), "fields");
    ck_assert_str_eq(bp_json_text(request, "verb", ""), "create");
}
END_TEST

START_TEST(test_jobs__refused)
{
    static const struct {
        const char *method, *message;
        int code;
        const char *why;
    } cases[] = {
        {"Start", "{}", GRPC_STATUS_INVALID_ARGUMENT, "there is no request"},
        {"Start", "{\"request\":{\"fields\":{\"verb\":\"fly\"}}}", GRPC_STATUS_INVALID_ARGUMENT,
         "a job's verb is 'fly'"},
        {"Start", "{\"request\":{\"fields\":{\"verb\":\"create\",\"settings\":[]}}}",
         GRPC_STATUS_PERMISSION_DENIED, "settings are the configuration's"},
        {"Start", "{\"request\":{\"fields\":{\"verb\":\"delete\"}}}", GRPC_STATUS_INVALID_ARGUMENT,
         "delete needs the name"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat(JOBS, cases[i].method, NULL);
        assert_refused(boss, path, message_of(&bp_grpc_start_request, cases[i].message),
                       cases[i].code, cases[i].why);
    }
    assert_refused(reader, JOBS "List", message_of(&bp_grpc_list_request, "{\"state\":\"happy\"}"),
                   GRPC_STATUS_INVALID_ARGUMENT, "there is no state 'happy'");
    assert_refused(reader, JOBS "List", message_of(&bp_grpc_list_request, "{\"limit\":-1}"),
                   GRPC_STATUS_INVALID_ARGUMENT, "limit");
    static const char *const ids[] = {"", "20260101-000000-aaaaaa", "../jobs", "a/b"};
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        assert_refused(reader, JOBS "Get", id_message(ids[i]), GRPC_STATUS_NOT_FOUND, "");
        assert_refused(reader, JOBS "Watch", id_message(ids[i]), GRPC_STATUS_NOT_FOUND, "");
        assert_refused(boss, JOBS "Cancel", id_message(ids[i]), GRPC_STATUS_NOT_FOUND, "");
    }
}
END_TEST

START_TEST(test_v1__as_the_operation_answers)
{
    g_autoptr(json_t) answer =
        ask(reader, V1 "ListBackups",
            message_of(&bp_v1_list_backups_request, "{\"collection_name\":\"c\"}"),
            &bp_v1_list_backups_response);
    g_autofree char *line = bp_json_line(answer);
    ck_assert_str_eq(line, "{\"msg\":\"c\",\"data\":[{\"name\":\"b\"}]}");
}
END_TEST

START_TEST(test_v1__a_client_that_leaves_is_not_waited_for)
{
    g_autoptr(GBytes) message = nothing();
    exchange *x = exchange_begin(boss, V1 "CreateBackup", message);
    rig_wait_for(&n_waiting, 1);
    exchange_cancel(x);
    ck_assert_int_eq(exchange_end(x, NULL), GRPC_STATUS_CANCELLED);
    rig_wait_for(&n_told, 1);
}
END_TEST

START_TEST(test_v1__who_waits_does_not_keep_others)
{
    enum { N = 64 }; /* as many as there are workers that wait */
    g_autoptr(GBytes) message = nothing();
    exchange *waiting[N];
    for (guint i = 0; i < N; i++) {
        waiting[i] = exchange_begin(boss, V1 "CreateBackup", message);
    }
    rig_wait_for(&n_waiting, N);
    assert_refused(boss, V1 "CreateBackup", nothing(), GRPC_STATUS_RESOURCE_EXHAUSTED, "too many");
    g_autoptr(json_t) list = ask(reader, V1 "ListBackups", nothing(), &bp_v1_list_backups_response);
    g_autoptr(json_t) health = ask(nobody, HEALTH "Check", nothing(), &bp_grpc_health_response);
    rig_stop();
    for (guint i = 0; i < N; i++) {
        json_t *answer = exchange_next(waiting[i], &bp_v1_backup_info_response);
        ck_assert_str_eq(bp_json_text(answer, "msg", ""), "its job goes on");
        json_decref(answer);
        ck_assert_int_eq(exchange_end(waiting[i], NULL), GRPC_STATUS_OK);
    }
    ck_assert_int_eq(atomic_load(&n_told), N);
}
END_TEST

START_TEST(test_messages__malformed)
{
    static const guint8 cut[] = {0x0a, 0x05, 0x61};
    assert_refused(boss, JOBS "Get", g_bytes_new_static(cut, sizeof cut),
                   GRPC_STATUS_INVALID_ARGUMENT, "GetRequest: id: it ends in the middle");
    assert_refused(boss, V1 "CreateBackup", g_bytes_new_static(cut, sizeof cut),
                   GRPC_STATUS_INVALID_ARGUMENT,
                   "CreateBackupRequest: requestId: it ends in the middle");
    assert_refused(boss, JOBS "Get", NULL, GRPC_STATUS_INVALID_ARGUMENT, "no message");
    gsize n = BP_GRPC_MAX_MESSAGE + 1;
    assert_refused(boss, JOBS "Get", g_bytes_new_take(g_malloc0(n), n),
                   GRPC_STATUS_RESOURCE_EXHAUSTED, "");
    ck_assert_int_eq(atomic_load(&n_waiting), 0);
}
END_TEST

/* They end when the client says so. */
static void
cancel_all(exchange **take_calls, guint n)
{
    for (guint i = 0; i < n; i++) {
        exchange_cancel(take_calls[i]);
        ck_assert_int_eq(exchange_end(take_calls[i], NULL), GRPC_STATUS_CANCELLED);
    }
}

START_TEST(test_watch__no_more_than_allowed_without_a_token)
{
    exchange *streams[BP_GRPC_MAX_OPEN_WATCHES];
    g_autoptr(GBytes) message = nothing();
    for (guint i = 0; i < BP_GRPC_MAX_OPEN_WATCHES; i++) {
        streams[i] = exchange_begin(nobody, HEALTH "Watch", message);
        json_decref(exchange_next(streams[i], &bp_grpc_health_response));
    }
    assert_refused(nobody, HEALTH "Watch", nothing(), GRPC_STATUS_RESOURCE_EXHAUSTED,
                   "too many watch");
    cancel_all(streams, BP_GRPC_MAX_OPEN_WATCHES);
}
END_TEST

static void
count_watches(guint n)
{
    BP_LOCK_GUARD(&server->lock);
    server->known.n_watches = n;
}

START_TEST(test_watch__no_more_than_allowed)
{
    count_watches(BP_GRPC_MAX_WATCHES); /* so many jobs do not stay for a test */
    assert_refused(boss, JOBS "Watch", id_message("x"), GRPC_STATUS_RESOURCE_EXHAUSTED,
                   "too many watch");
    count_watches(BP_GRPC_MAX_WATCHES - 1);
    assert_refused(boss, JOBS "Watch", id_message("x"), GRPC_STATUS_NOT_FOUND, "");
}
END_TEST

static guint
count_open_calls(void)
{
    BP_LOCK_GUARD(&server->lock);
    return server->open.n_calls;
}

/* Calls whose message does not come, as many as get in: nobody with a token notices. */
START_TEST(test_calls__without_a_token_have_their_own_room)
{
    exchange *calls[BP_GRPC_MAX_OPEN_CALLS];
    gint64 deadline_ns = bp_clock_mono_ns() + 60 * BP_NS_PER_S;
    for (guint i = 0; i < BP_GRPC_MAX_OPEN_CALLS; i++) {
        calls[i] = exchange_open(nobody, HEALTH "Check");
    }
    while (count_open_calls() < BP_GRPC_MAX_OPEN_CALLS) {
        ck_assert_msg(bp_clock_mono_ns() < deadline_ns, "not within a minute");
        (void)bp_cancel_sleep_ns(NULL, BP_NS_PER_MS);
    }
    assert_refused(nobody, HEALTH "Check", nothing(), GRPC_STATUS_RESOURCE_EXHAUSTED,
                   "too many calls");
    assert_refused(nobody, JOBS "List", nothing(), GRPC_STATUS_UNAUTHENTICATED, "a valid token");
    g_autofree char *id = start_create("b");
    json_decref(watch_to_the_end(reader, id));
    cancel_all(calls, BP_GRPC_MAX_OPEN_CALLS);
}
END_TEST

START_TEST(test_stop__streams_are_told)
{
    g_autoptr(GBytes) message = nothing();
    exchange *health = exchange_begin(nobody, HEALTH "Watch", message);
    g_autoptr(json_t) before = exchange_next(health, &bp_grpc_health_response);
    ck_assert_int_eq(json_integer_value(json_object_get(before, "status")), 1);
    rig_stop();
    g_autoptr(json_t) after = exchange_next(health, &bp_grpc_health_response);
    ck_assert_int_eq(json_integer_value(json_object_get(after, "status")), 2);
    ck_assert_ptr_null(exchange_next(health, &bp_grpc_health_response));
    ck_assert_int_eq(exchange_end(health, NULL), GRPC_STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(test_reflection__names_and_files)
{
    g_autoptr(json_t) services = ask(
        reader, REFLECTION, g_bytes_new_static("\x3a\x00", 2), /* list_services, of an empty text */
        &bp_grpc_reflection_response);
    g_autofree char *line = bp_json_line(services);
    ck_assert_msg(strstr(line, "\"" BP_V1_SERVICE "\"") != NULL &&
                      strstr(line, "\"bakplane.v1.Jobs\"") != NULL &&
                      strstr(line, "\"grpc.health.v1.Health\"") != NULL,
                  "%s", line);
    g_autoptr(json_t) file =
        ask(reader, REFLECTION,
            message_of(&bp_grpc_reflection_request,
                       "{\"file_containing_symbol\":\"bakplane.v1.Jobs.Watch\"}"),
            &bp_grpc_reflection_response);
    const json_t *files =
        json_object_get(json_object_get(file, "file_descriptor_response"), "file_descriptor_proto");
    ck_assert_uint_eq(json_array_size(files), 1);
    g_autoptr(json_t) none = ask(
        reader, REFLECTION,
        message_of(&bp_grpc_reflection_request, "{\"file_containing_symbol\":\"bakplane.v1.No\"}"),
        &bp_grpc_reflection_response);
    const json_t *why = json_object_get(none, "error_response");
    ck_assert_int_eq(json_integer_value(json_object_get(why, "error_code")), GRPC_STATUS_NOT_FOUND);
    assert_refused(nobody, REFLECTION, nothing(), GRPC_STATUS_UNAUTHENTICATED, "a valid token");
}
END_TEST

START_TEST(test_start__refused)
{
    g_autoptr(GError) error = NULL;
    bp_grpc_params taken = rig_params();
    taken.port = bp_grpc_port(server);
    ck_assert_ptr_null(bp_grpc_start(&taken, &error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "");
    bp_grpc_params name = rig_params();
    name.address = "localhost";
    ck_assert_ptr_null(bp_grpc_start(&name, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "localhost");
    bp_grpc_params tls = rig_params();
    tls.tls_cert = "no certificate";
    tls.tls_key = "no key";
    ck_assert_ptr_null(bp_grpc_start(&tls, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "certificate, key or CA");
}
END_TEST

/* A line of /proc/self/task/TID/status: which signals a thread blocks. */
static guint64
blocked_by(const char *thread)
{
    g_autofree char *path = g_strdup_printf("/proc/self/task/%s/status", thread);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return G_MAXUINT64; /* it has ended */
    }
    const char *line = strstr(text, "SigBlk:");
    ck_assert_ptr_nonnull(line);
    return g_ascii_strtoull(line + strlen("SigBlk:"), NULL, 16);
}

START_TEST(test_threads__have_signals_blocked)
{
    json_decref(ask(nobody, HEALTH "Check", nothing(), &bp_grpc_health_response));
    g_autofree char *main_thread = g_strdup_printf("%d", getpid());
    DIR *threads = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(threads);
    guint n = 0;
    for (struct dirent *one = readdir(threads); one != NULL; one = readdir(threads)) {
        if (one->d_name[0] != '.' && strcmp(one->d_name, main_thread) != 0) {
            guint64 blocked = blocked_by(one->d_name);
            ck_assert_msg((blocked & (1U << (SIGTERM - 1))) != 0, "%s takes SIGTERM", one->d_name);
            n++;
        }
    }
    closedir(threads);
    ck_assert_uint_ge(n, BP_GRPC_POLLERS + 1);
}
END_TEST

/* Workers are started while connections are open. */
START_TEST(test_descriptors__are_not_inherited)
{
    json_decref(ask(nobody, HEALTH "Check", nothing(), &bp_grpc_health_response));
    guint n_sockets = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct stat is;
        if (fstat(fd, &is) == 0 && S_ISSOCK(is.st_mode)) {
            ck_assert_msg((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "descriptor %d", fd);
            n_sockets++;
        }
    }
    ck_assert_uint_ge(n_sockets, 3); /* that listens, and two ends */
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "grpc_server", rig_setup, rig_teardown, test_health__needs_no_token, test_access__by_role,
        test_access__what_is_not_there, test_jobs__started_watched_and_looked_at,
        test_jobs__page_by_page, test_jobs__refused, test_v1__as_the_operation_answers,
        test_v1__a_client_that_leaves_is_not_waited_for, test_v1__who_waits_does_not_keep_others,
        test_messages__malformed, test_watch__no_more_than_allowed_without_a_token,
        test_watch__no_more_than_allowed, test_calls__without_a_token_have_their_own_room,
        test_stop__streams_are_told, test_reflection__names_and_files, test_start__refused,
        test_threads__have_signals_blocked, test_descriptors__are_not_inherited);
}
