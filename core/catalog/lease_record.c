/* SPDX-License-Identifier: Apache-2.0
 *
 * See lease_internal.h: the text of a lease, and whether the process behind it still runs.
 *
 * A process can be looked for only where its number means something: on the same kernel (boot
 * id), under the same host name, and in the same pid namespace, because containers share the
 * first of these and may share the second.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/catalog/lease_internal.h"
#include "core/catalog/manifest.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define STAT_START_FIELD 20 /* of those after the command's ')': field 22 of proc(5) */

static char *
read_boot_id(void)
{
    char *text = NULL;
    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL)) {
        return g_strdup("");
    }
    return g_strstrip(text);
}

static char *
read_pid_space(void)
{
    char *target = g_file_read_link("/proc/self/ns/pid", NULL);
    return target != NULL ? target : g_strdup("");
}

/* 0 when the process is not there, or /proc does not show it. */
static guint64
start_of_process(gint64 pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    const char *end = strrchr(text, ')'); /* the command may contain anything */
    g_auto(GStrv) fields = g_strsplit(end != NULL ? end : "", " ", -1);
    uint64_t start = 0;
    if (g_strv_length(fields) <= STAT_START_FIELD ||
        bp_parse_u64(fields[STAT_START_FIELD], &start) != 0) {
        return 0;
    }
    return start;
}

bp_lease_record *
bp_lease_record_new(const char *run_id, const char *purpose, gint64 renew_ns)
{
    bp_lease_record *record = g_new0(bp_lease_record, 1);
    record->readable = true;
    record->run_id = g_strdup(run_id);
    record->purpose = g_strdup(purpose);
    record->host = g_strdup(g_get_host_name());
    record->boot = read_boot_id();
    record->pid_space = read_pid_space();
    record->pid = getpid();
    record->pid_start = start_of_process(record->pid);
    record->since_ns = bp_clock_wall_ns();
    record->renew_ns = renew_ns;
    return record;
}

void
bp_lease_record_free(bp_lease_record *record)
{
    if (record == NULL) {
        return;
    }
    g_free(record->run_id);
    g_free(record->purpose);
    g_free(record->host);
    g_free(record->boot);
    g_free(record->pid_space);
    g_free(record);
}

char *
bp_lease_record_text(const bp_lease_record *record)
{
    g_autoptr(json_t) out = json_object();
    bp_json_set_u64(out, "version", BP_MANIFEST_VERSION);
    bp_json_set_text(out, "run", record->run_id);
    bp_json_set_text(out, "purpose", record->purpose);
    bp_json_set_text(out, "host", record->host);
    bp_json_set_text(out, "boot", record->boot);
    bp_json_set_text(out, "pid_space", record->pid_space);
    bp_json_set_u64(out, "pid", (guint64)record->pid);
    bp_json_set_u64(out, "pid_start", record->pid_start);
    g_autofree char *since = bp_clock_text(record->since_ns);
    bp_json_set_text(out, "since", since);
    bp_json_set_u64(out, "renewals", record->renewals);
    bp_json_set_u64(out, "renew_ms", (guint64)(record->renew_ns / BP_NS_PER_MS));
    return bp_json_pretty(out);
}

bp_lease_record *
bp_lease_record_parse(const char *text, gsize n)
{
    bp_lease_record *record = g_new0(bp_lease_record, 1);
    g_autoptr(json_t) json = bp_json_parse(text, n, "lease", NULL);
    record->readable = json != NULL && bp_json_u64(json, "version", 0) == BP_MANIFEST_VERSION &&
                       bp_json_text(json, "run", NULL) != NULL;
    if (!record->readable) {
        return record;
    }
    record->run_id = g_strdup(bp_json_text(json, "run", ""));
    record->purpose = g_strdup(bp_json_text(json, "purpose", "run"));
    record->host = g_strdup(bp_json_text(json, "host", ""));
    record->boot = g_strdup(bp_json_text(json, "boot", ""));
    record->pid_space = g_strdup(bp_json_text(json, "pid_space", ""));
    guint64 pid = bp_json_u64(json, "pid", 0);
    record->pid = pid <= G_MAXINT32 ? (gint64)pid : 0;
    record->pid_start = bp_json_u64(json, "pid_start", 0);
    record->since_ns = bp_clock_parse(bp_json_text(json, "since", NULL));
    record->renewals = bp_json_u64(json, "renewals", 0);
    guint64 renew_ms = bp_json_u64(json, "renew_ms", 0);
    record->renew_ns = renew_ms <= G_MAXINT32 ? (gint64)renew_ms * BP_NS_PER_MS : 0;
    return record;
}

char *
bp_lease_record_describe(const bp_lease_record *record)
{
    if (!record->readable) {
        return g_strdup("somebody whose lease cannot be read");
    }
    g_autofree char *since = bp_clock_text(record->since_ns);
    return g_strdup_printf("%s on host %s, process %" G_GINT64_FORMAT ", since %s", record->purpose,
                           record->host, record->pid, since);
}

static bool
is_here(const bp_lease_record *record)
{
    g_autofree char *boot = read_boot_id();
    g_autofree char *pid_space = read_pid_space();
    return *boot != '\0' && strcmp(boot, record->boot) == 0 &&
           strcmp(pid_space, record->pid_space) == 0 &&
           strcmp(g_get_host_name(), record->host) == 0;
}

bp_lease_state
bp_lease_record_judge(const bp_lease_record *record)
{
    if (!record->readable || record->pid <= 0 || !is_here(record)) {
        return BP_LEASE_UNKNOWN;
    }
    if (kill((pid_t)record->pid, 0) != 0 && errno == ESRCH) {
        return BP_LEASE_DEAD;
    }
    guint64 start = start_of_process(record->pid);
    bool other = start != 0 && record->pid_start != 0 && start != record->pid_start;
    return other ? BP_LEASE_DEAD : BP_LEASE_LIVE;
}
