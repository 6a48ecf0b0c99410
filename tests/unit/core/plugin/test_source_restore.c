/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/source_restore: a restore of the files source, and targets that break promises.
 */
#include "tests/unit/core/plugin/source_fixture.h"

static bp_source_restore *
begin(guint32 flags, GError **error)
{
    struct bp_restore_pair pair = {
        .unit_id = "a", .target_parent = "", .target_name = "a", .low = 2, .high = 2};
    struct bp_restore_args args = {.struct_size = sizeof args,
                                   .flags = flags,
                                   .run_id = "r1",
                                   .backup_ref = "@backup",
                                   .server_version = "1.0",
                                   .pairs = &pair,
                                   .pair_stride = sizeof pair,
                                   .n_pairs = 1};
    struct bp_restore_info info;
    bp_source_restore *restore = bp_source_restore_begin(source, &call, &args, NULL, &info, error);
    if (restore != NULL) {
        ck_assert_str_eq(info.staging_ref, "db");
        ck_assert_str_eq(info.staging_prefix, "restored-r1/");
    }
    return restore;
}

static bp_source_restore *
begin_fine(void)
{
    g_autoptr(GError) error = NULL;
    bp_source_restore *restore = begin(0, &error);
    ASSERT_FINE(restore != NULL, error);
    return restore;
}

static void
end(bp_source_restore *restore)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_source_restore_end(restore, &call, BP_OUTCOME_DONE, &error), error);
}

static bool
never_in_place(void *ctx, const char *prefix)
{
    (void)ctx;
    ck_abort_msg("in place: %s", prefix);
    return false;
}

static bool
copy_to_staging(void *ctx, const char *item_key, const char *ref, const char *key)
{
    g_autoptr(GError) error = NULL;
    (void)ctx;
    ck_assert_str_eq(ref, "db");
    g_autofree char *from = g_strconcat("nightly/", item_key, NULL);
    bp_store_copy_params params = {
        .src = backup, .src_key = from, .dst_key = key, .size = BP_UNKNOWN};
    ASSERT_FINE(bp_store_copy(database, NULL, &params, NULL, &error), error);
    g_string_append_printf(seen, "%s>%s ", item_key, key);
    return true;
}

static const bp_place_fns place_fns = {.in_place = never_in_place, .stage = copy_to_staging};

static bool
note_job(void *ctx, const char *token, guint64 weight)
{
    (void)ctx;
    g_string_append_printf(seen, "job %s%s ", token, weight == BP_UNKNOWN ? "" : " of some bytes");
    return true;
}

static void
append_note(void *ctx, enum bp_note_level level, const char *code, const char *text)
{
    (void)ctx;
    g_string_append_printf(seen, "note %d %s %s", (int)level, code, text);
}

static void
fill_target(bp_source_restore *restore)
{
    g_autoptr(GError) error = NULL;
    bool all_started = false;
    struct bp_job_state state;
    ASSERT_FINE(bp_source_target_place(restore, &call, 0, &place_fns, &error), error);
    bp_step_params step = {.job = note_job};
    ASSERT_FINE(bp_source_target_step(restore, &call, &step, &all_started, &error), error);
    ck_assert(!all_started); /* no job was free */
    step.free_jobs = 4;
    ASSERT_FINE(bp_source_target_step(restore, &call, &step, &all_started, &error), error);
    ck_assert(all_started);
    ASSERT_FINE(bp_source_job_poll(restore, &call, 0, "0", &state, &error), error);
    ck_assert_uint_eq(state.phase, BP_JOB_DONE);
    ck_assert_uint_eq(state.done, 2);
}

START_TEST(test_restore__whole_path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *identity = NULL;
    struct bp_proof proof;
    bp_source_restore *restore = begin_fine();
    ASSERT_FINE(bp_source_target_prepare(restore, &call, 0, NULL, &identity, &error), error);
    ck_assert_str_eq(identity, "restored-r1/ restored/a/");
    fill_target(restore);
    ASSERT_FINE(bp_source_target_prove(restore, &call, 0, &proof, &error), error);
    ck_assert_uint_eq(proof.found, 2);
    bp_note_fns notes = {.note = append_note};
    ASSERT_FINE(bp_source_target_finish(restore, &call, 0, &notes, &error), error);
    ck_assert_str_eq(seen->str, "items/a/1>restored-r1/a/1 items/a/2>restored-r1/a/2 job 0 "
                                "note 0 finished a");
    end(restore);
    g_autoptr(GBytes) bytes = bp_store_get(database, NULL, "restored/a/2", 10, &error);
    ASSERT_FINE(bytes != NULL, error);
    ck_assert_str_eq(g_bytes_get_data(bytes, NULL), "two");
}
END_TEST

START_TEST(test_restore_begin__target_exists)
{
    g_autoptr(GError) error = NULL;
    test_ops_seed("db", "restored/a/old", "x");
    ck_assert_ptr_null(begin(0, &error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "source files: a exists already");
}
END_TEST

START_TEST(test_restore__target_out_of_range)
{
    g_autoptr(GError) error = NULL;
    struct bp_proof proof;
    bp_source_restore *restore = begin_fine();
    ck_assert(!bp_source_target_prove(restore, &call, 1, &proof, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "target_prove of target 1, there are 1");
    end(restore);
}
END_TEST

START_TEST(test_restore_begin__incomplete_source)
{
    g_autoptr(GError) error = NULL;
    source_module->source.job_poll = NULL;
    ck_assert(!bp_source_can_restore(source));
    ck_assert_ptr_null(begin(0, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "source files has no restore");
}
END_TEST

static const char *lying_ref, *lying_prefix;
static guint32 lying_jobs;

static bp_status
lying_begin(struct bp_source *self, const struct bp_op *op, const struct bp_restore_args *args,
            struct bp_restore_info *info, struct bp_restore **out, struct bp_error *error)
{
    bp_status status = honest.restore_begin(self, op, args, info, out, error);
    g_strlcpy(info->staging_ref, lying_ref, sizeof info->staging_ref);
    g_strlcpy(info->staging_prefix, lying_prefix, sizeof info->staging_prefix);
    info->max_jobs = lying_jobs;
    return status;
}

START_TEST(test_restore_begin__lies)
{
    g_autofree char *reference = g_strnfill(255, 'r');
    g_autofree char *prefix = g_strnfill(1023, 'x');
    prefix[1022] = '/';
    const struct {
        const char *ref, *prefix;
        guint32 jobs;
        const char *message;
    } cases[] = {
        {reference, "x/", 1,
         "answered a staging storage that is not valid UTF-8, or fills its 256"},
        {"db", prefix, 1, "answered a staging prefix that is not valid UTF-8, or fills its 1024"},
        {"db", "x\xff/", 1, "answered a staging prefix that is not valid UTF-8"},
        {"@backup", "x/", 1, "wants to stage on \"@backup\", which it cannot write to"},
        {"nowhere", "x/", 1, "wants to stage on \"nowhere\", which it cannot write to"},
        {"db", "x", 1, "staging prefix \"x\" does not end in '/'"},
        {"db", "../", 1, "staging prefix \"../\" has a part"},
        {"db", "x/", 0, "allows no jobs"},
    };
    source_module->source.restore_begin = lying_begin;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        lying_ref = cases[i].ref;
        lying_prefix = cases[i].prefix;
        lying_jobs = cases[i].jobs;
        ck_assert_ptr_null(begin(0, &error)); /* and what began was ended: no leak */
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
}
END_TEST

static const char *lying_item, *lying_key;

static bp_status
lying_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
            const struct bp_place_sink *sink, struct bp_error *error)
{
    (void)restore;
    (void)op;
    (void)target;
    (void)error;
    return lying_item != NULL ? sink->stage(sink->ctx, lying_item, "db", lying_key) * 0
                              : sink->in_place(sink->ctx, lying_key) * 0;
}

START_TEST(test_place__lies)
{
    static const struct {
        const char *item, *key, *message;
    } cases[] = {
        {"items/a/1", "somewhere/1", "stages somewhere/1 outside of the declared staging prefix"},
        {"items/a/1", "restored-r1/../x", "staging key \"restored-r1/../x\" has a part"},
        {"bakplane/manifest.json", "restored-r1/x", "lies where only the host may write"},
        {NULL, "/etc", "prefix \"/etc\" starts with '/'"},
    };
    bp_source_restore *restore = begin_fine();
    source_module->source.target_place = lying_place;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        lying_item = cases[i].item;
        lying_key = cases[i].key;
        ck_assert(!bp_source_target_place(restore, &call, 0, &place_fns, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
    ck_assert_str_eq(seen->str, "");
    end(restore);
}
END_TEST

static bp_status
greedy_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
            const struct bp_job_sink *sink, struct bp_step_state *out, struct bp_error *error)
{
    (void)restore;
    (void)op;
    (void)target;
    (void)out;
    (void)error;
    return (sink->job(sink->ctx, "1", 1) + sink->job(sink->ctx, "2", 1)) * 0;
}

static bp_status
strange_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target, const char *token,
             struct bp_job_state *out, struct bp_error *error)
{
    (void)restore;
    (void)op;
    (void)target;
    (void)token;
    (void)error;
    out->phase = 9;
    return BP_OK;
}

START_TEST(test_jobs__lies)
{
    g_autoptr(GError) error = NULL;
    bool all_started = false;
    struct bp_job_state state;
    bp_source_restore *restore = begin_fine();
    source_module->source.target_step = greedy_step;
    bp_step_params step = {.free_jobs = 1, .job = note_job};
    ck_assert(!bp_source_target_step(restore, &call, &step, &all_started, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "started more jobs than it was allowed to");
    source_module->source.job_poll = strange_poll;
    ck_assert(!bp_source_job_poll(restore, &call, 0, "0", &state, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: files job_poll: answered phase 9");
    end(restore);
}
END_TEST

START_TEST(test_restore__without_items)
{
    g_autoptr(GError) error = NULL;
    bool all_started = false;
    bp_source_restore *restore = begin(BP_RESTORE_WITHOUT_ITEMS, &error);
    ASSERT_FINE(restore != NULL, error);
    ASSERT_FINE(bp_source_target_place(restore, &call, 0, &place_fns, &error), error);
    bp_step_params step = {.free_jobs = 1, .job = note_job};
    ASSERT_FINE(bp_source_target_step(restore, &call, &step, &all_started, &error), error);
    ck_assert(all_started);
    ck_assert_str_eq(seen->str, "");
    end(restore);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/source_restore", source_setup, source_teardown,
                     test_restore__whole_path, test_restore_begin__target_exists,
                     test_restore__target_out_of_range, test_restore_begin__incomplete_source,
                     test_restore_begin__lies, test_place__lies, test_jobs__lies,
                     test_restore__without_items);
}
