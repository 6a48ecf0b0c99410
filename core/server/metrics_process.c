/* SPDX-License-Identifier: Apache-2.0
 *
 * See metrics_process.h.
 */
#include "core/server/metrics_process.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/server/prometheus.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

static const bp_prom_family cpu = {"process_cpu_seconds_total", BP_PROM_COUNTER,
                                   "Processor time of the server, without its workers."};
static const bp_prom_family resident = {"process_resident_memory_bytes", BP_PROM_GAUGE,
                                        "Resident memory of the server, without its workers."};
static const bp_prom_family virtual_size = {"process_virtual_memory_bytes", BP_PROM_GAUGE,
                                            "Address space of the server."};
static const bp_prom_family threads = {"process_threads", BP_PROM_GAUGE, "Threads of the server."};
static const bp_prom_family started = {"process_start_time_seconds", BP_PROM_GAUGE,
                                       "When the server started, since the epoch."};
static const bp_prom_family open_fds = {"process_open_fds", BP_PROM_GAUGE, "Open descriptors."};
static const bp_prom_family max_fds = {"process_max_fds", BP_PROM_GAUGE,
                                       "Descriptors that may be open."};

static void
gauge(GString *out, const bp_prom_family *family, double value)
{
    bp_prom_begin(out, family);
    bp_prom_sample(out, family, NULL, value);
}

/* Fields of /proc/self/stat from the state on, which is the third: before it comes a name that may
 * hold anything.  Returns: (transfer full) (nullable) */
static char **
stat_fields(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/stat", &text, NULL, NULL)) {
        return NULL;
    }
    const char *end = strrchr(text, ')');
    char **fields = end != NULL && end[1] == ' ' ? g_strsplit(end + 2, " ", -1) : NULL;
    if (fields != NULL && g_strv_length(fields) < 22) {
        g_clear_pointer(&fields, g_strfreev);
    }
    return fields;
}

/* Numbered as in proc(5), from 1. */
static double
field(char **fields, guint number)
{
    guint64 value = 0;
    return bp_parse_u64(fields[number - 3], &value) == 0 ? (double)value : 0;
}

/* Seconds since the epoch, 0 = unknown. */
static double
boot_time(void)
{
    g_autofree char *text = NULL;
    guint64 value = 0;
    if (!g_file_get_contents("/proc/stat", &text, NULL, NULL)) {
        return 0;
    }
    const char *at = strstr(text, "\nbtime ");
    g_auto(GStrv) words = at != NULL ? g_strsplit_set(at + 1, " \n", 3) : NULL;
    return words != NULL && bp_parse_u64(words[1], &value) == 0 ? (double)value : 0;
}

static void
count_fds(GString *out)
{
    struct rlimit limit;
    guint n = 0;
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    while (dir != NULL && g_dir_read_name(dir) != NULL) {
        n++;
    }
    if (n > 0) {
        gauge(out, &open_fds, n - 1); /* without the one that counts */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        gauge(out, &max_fds, (double)limit.rlim_cur);
    }
}

void
bp_metrics_process(GString *out)
{
    g_auto(GStrv) fields = stat_fields();
    double tick = (double)sysconf(_SC_CLK_TCK);
    double boot = boot_time();
    if (fields != NULL) {
        gauge(out, &cpu, (field(fields, 14) + field(fields, 15)) / tick);
        gauge(out, &threads, field(fields, 20));
        gauge(out, &virtual_size, field(fields, 23));
        gauge(out, &resident, field(fields, 24) * (double)sysconf(_SC_PAGESIZE));
    }
    if (fields != NULL && boot > 0) {
        gauge(out, &started, boot + field(fields, 22) / tick);
    }
    count_fds(out);
}
