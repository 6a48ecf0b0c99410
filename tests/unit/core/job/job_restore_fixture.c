/* SPDX-License-Identifier: Apache-2.0
 *
 * See job_restore_fixture.h.
 */
#include "tests/unit/core/job/job_restore_fixture.h"

bp_restore_params job_params;
GError *job_error;
atomic_int job_ended;
struct bp_proof job_proof;

bp_status
job_set_raw(struct bp_error *raw, int cls, const char *text)
{
    raw->cls = cls;
    g_strlcpy(raw->message, text, sizeof raw->message);
    return cls;
}

bp_status
job_noting_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
               struct bp_error *raw)
{
    ck_assert_int_eq(atomic_exchange(&job_ended, outcome), -1);
    return job_honest.restore_end(restore, op, outcome, raw);
}

void
job_spoil_end(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->restore_end = job_noting_end;
}

void
job_assert_no_staging(void)
{
    g_autofree char *path = g_build_filename(job_root, "data", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *staging = g_build_filename("data", name, NULL);
        ck_assert_msg(!g_str_has_prefix(name, "restored-") || job_count(staging) == 0, "%s is left",
                      name);
    }
}

/* The state of a target in the last result. */
const char *
job_state_of(const char *target)
{
    for (gsize i = 0; i < job_length("targets"); i++) {
        if (strcmp(job_item("targets", i, "to"), target) == 0) {
            return job_item("targets", i, "state");
        }
    }
    return "not there";
}

void
job_restore_fails(int cls, const char *text)
{
    ck_assert_int_eq(job_restore(&job_params, &job_error), BP_VERB_FAILED);
    ASSERT_ERROR(job_error, cls, text);
    ck_assert_int_eq(atomic_exchange(&job_ended, -1),
                     cls == BP_ERR_CANCELLED ? BP_OUTCOME_CANCELLED : BP_OUTCOME_FAILED);
    job_assert_no_staging();
}

/* The next run of the same restore, without whatever was wrong. */
void
job_next_run_is_fine(void)
{
    job_faults("");
    job_spoil = NULL;
    bp_verb_outcome outcome = job_restore(&job_params, &job_error);
    ASSERT_FINE(outcome == BP_VERB_OK, job_error);
    job_assert_no_staging();
    ck_assert_uint_eq(job_count("state/restore"), 1); /* the lock file */
}

void
job_restore_setup(void)
{
    job_setup();
    job_seed_backup();
    job_params = (bp_restore_params){.name = "b"};
    job_error = NULL;
    atomic_store(&job_ended, -1);
    job_spoil = job_spoil_end;
}

static bp_status
other_proof(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
            struct bp_proof *out, struct bp_error *raw)
{
    (void)restore;
    (void)op;
    (void)target;
    (void)raw;
    out->found = job_proof.found;
    out->flags = job_proof.flags;
    g_strlcpy(out->note, job_proof.note, sizeof out->note);
    return BP_OK;
}

void
job_spoil_proof(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    job_spoil_end(source, storage);
    source->target_prove = other_proof;
}
