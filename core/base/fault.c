/* SPDX-License-Identifier: Apache-2.0
 *
 * See fault.h.  Rules are read once, counted under one mutex, and acted upon outside of it.
 */
#include "core/base/fault.h"

#if BP_FAULTS

#include <bakplane/error.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/thread.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

typedef struct {
    char *point, *where;
    int cls; /* BP_OK = none */
    bool kill, cut, corrupt;
    bp_fault_moment moment;
    guint64 delay_ms;
    guint64 nth, from;
    double rate; /* of matching calls; 1 = all */
    guint64 seen, chance;
} fault_rule;

/* Guards rules, their counters, and loaded. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *rules;
static bool loaded;

static void
rule_free(gpointer data)
{
    fault_rule *rule = data;
    g_free(rule->point);
    g_free(rule->where);
    g_free(rule);
}

static bool
parse_class(const char *name, int *out)
{
    for (int cls = BP_OK + 1; cls < BP_ERR_CLASS_END; cls++) {
        if (strcmp(name, bp_class_name(cls)) == 0) {
            *out = cls;
            return true;
        }
    }
    return false;
}

static bool
parse_rate(const char *text, double *out)
{
    char *end = NULL;
    *out = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0.0 && *out <= 1.0;
}

static bool
parse_value(fault_rule *rule, const char *name, const char *value)
{
    if (strcmp(name, "class") == 0) {
        return parse_class(value, &rule->cls);
    }
    if (strcmp(name, "delay") == 0) {
        return bp_parse_duration_ms(value, &rule->delay_ms) == 0;
    }
    if (strcmp(name, "nth") == 0) {
        return bp_parse_u64(value, &rule->nth) == 0;
    }
    if (strcmp(name, "from") == 0) {
        return bp_parse_u64(value, &rule->from) == 0;
    }
    return strcmp(name, "rate") == 0 && parse_rate(value, &rule->rate);
}

static bool
parse_option(fault_rule *rule, const char *option)
{
    g_auto(GStrv) pair = g_strsplit(option, "=", 2);
    if (pair[0] == NULL) {
        return false;
    }
    if (pair[1] != NULL) {
        return parse_value(rule, pair[0], pair[1]);
    }
    if (strcmp(option, "after") == 0) {
        rule->moment = BP_FAULT_AFTER;
        return true;
    }
    bool *flag = strcmp(option, "abort") == 0     ? &rule->kill
                 : strcmp(option, "short") == 0   ? &rule->cut
                 : strcmp(option, "corrupt") == 0 ? &rule->corrupt
                                                  : NULL;
    if (flag == NULL) {
        return false;
    }
    *flag = true;
    return true;
}

static fault_rule *
parse_rule(const char *text, GError **error)
{
    g_auto(GStrv) fields = g_strsplit(text, ":", -1);
    guint n = g_strv_length(fields);
    fault_rule *rule = g_new0(fault_rule, 1);
    rule->rate = 1.0;
    rule->chance = 0x9E3779B97F4A7C15u;
    rule->point = g_strdup(fields[0]);
    rule->where = g_strdup(n > 1 && *fields[1] != '\0' ? fields[1] : "*");
    for (guint i = 2; i < n; i++) {
        if (!parse_option(rule, fields[i])) {
            bp_set_error(error, BP_ERR_INVALID, "BP_FAULT rule \"%s\": cannot read \"%s\"", text,
                         fields[i]);
            rule_free(rule);
            return NULL;
        }
    }
    if (rule->cls == BP_OK && !rule->kill && !rule->cut && !rule->corrupt && rule->delay_ms == 0) {
        bp_set_error(error, BP_ERR_INVALID, "BP_FAULT rule \"%s\" has no action", text);
        rule_free(rule);
        return NULL;
    }
    return rule;
}

static GPtrArray *
parse_rules(const char *text, GError **error)
{
    g_autoptr(GPtrArray) parsed = g_ptr_array_new_with_free_func(rule_free);
    g_auto(GStrv) texts = g_strsplit(text, ";", -1);
    for (guint i = 0; texts[i] != NULL; i++) {
        if (*texts[i] == '\0') {
            continue;
        }
        fault_rule *rule = parse_rule(texts[i], error);
        if (rule == NULL) {
            return NULL;
        }
        g_ptr_array_add(parsed, rule);
    }
    return g_steal_pointer(&parsed);
}

static void
replace_rules_locked(GPtrArray *take_rules)
{
    g_clear_pointer(&rules, g_ptr_array_unref);
    rules = take_rules;
    loaded = true;
}

bool
bp_fault_load(const char *text, GError **error)
{
    GPtrArray *parsed = parse_rules(text, error);
    if (parsed == NULL) {
        return false;
    }
    BP_LOCK_GUARD(&lock);
    replace_rules_locked(parsed);
    return true;
}

/* A test that asked for faults and got none by a typing error would prove nothing. */
static bool
load_environment_locked(GError **error)
{
    if (loaded) {
        return true;
    }
    const char *text = g_getenv("BP_FAULT");
    GPtrArray *parsed = parse_rules(text != NULL ? text : "", error);
    if (parsed == NULL) {
        return false;
    }
    replace_rules_locked(parsed);
    return true;
}

static bool
by_chance(fault_rule *rule)
{
    /* xorshift: the same faults in every run of one sequence of calls. */
    rule->chance ^= rule->chance << 13;
    rule->chance ^= rule->chance >> 7;
    rule->chance ^= rule->chance << 17;
    return (double)(rule->chance >> 11) / 9007199254740992.0 < rule->rate;
}

static bool
rule_applies(fault_rule *rule, const char *name, const char *where, bp_fault_moment moment)
{
    if (rule->moment != moment || fnmatch(rule->point, name, 0) != 0 ||
        fnmatch(rule->where, where, 0) != 0) {
        return false;
    }
    rule->seen++;
    if (rule->nth != 0 && rule->seen != rule->nth) {
        return false;
    }
    return rule->seen >= rule->from && (rule->rate >= 1.0 || by_chance(rule));
}

/* What all rules together do to this call. */
static bool
collect(const char *name, const char *where, bp_fault_moment moment, fault_rule *sum,
        GError **error)
{
    BP_LOCK_GUARD(&lock);
    if (!load_environment_locked(error)) {
        return false;
    }
    for (guint i = 0; i < rules->len; i++) {
        fault_rule *rule = g_ptr_array_index(rules, i);
        if (rule_applies(rule, name, where, moment)) {
            sum->cls = sum->cls != BP_OK ? sum->cls : rule->cls;
            sum->kill |= rule->kill;
            sum->cut |= rule->cut;
            sum->corrupt |= rule->corrupt;
            sum->delay_ms = MAX(sum->delay_ms, rule->delay_ms);
        }
    }
    return true;
}

bool
bp_fault_call(const char *name, const char *where, bp_fault_moment moment, bp_fault_effect *effect,
              GError **error)
{
    fault_rule sum = {.cls = BP_OK};
    if (!collect(name, where, moment, &sum, error)) {
        return false;
    }
    if (sum.delay_ms > 0) {
        (void)bp_cancel_sleep_ns(NULL, (gint64)sum.delay_ms * BP_NS_PER_MS);
    }
    if (sum.kill) {
        kill(getpid(), SIGKILL);
    }
    if (effect != NULL) {
        effect->cut |= sum.cut;
        effect->corrupt |= sum.corrupt;
    }
    if (sum.cls == BP_OK) {
        return true;
    }
    struct bp_error raw;
    bp_error_init(&raw);
    (void)bp_fail(&raw, sum.cls, "injected fault at %s%s%s", name, *where != '\0' ? " of " : "",
                  where); /* the class is in raw */
    raw.flags = moment == BP_FAULT_AFTER ? BP_ERROR_OUTCOME_UNKNOWN : 0;
    bp_set_error_from_plugin(error, &raw);
    return false;
}

bool
bp_fault_point(const char *name, GError **error)
{
    return bp_fault_call(name, "", BP_FAULT_BEFORE, NULL, error);
}

#endif
