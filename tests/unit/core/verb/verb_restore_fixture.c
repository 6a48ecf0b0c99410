/* SPDX-License-Identifier: Apache-2.0
 *
 * See verb_restore_fixture.h.
 */
#include "tests/unit/core/verb/verb_restore_fixture.h"

bp_restore_params verb_params;
GError *verb_error;
atomic_int verb_ended;
struct bp_proof verb_proof;

bp_status
verb_set_raw(struct bp_error *raw, int cls, const char *text)
{
    raw->cls = cls;
    g_strlcpy(raw->message, text, sizeof raw->message);
    return cls;
}

bp_status
verb_noting_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                struct bp_error *raw)
{
    ck_assert_int_eq(atomic_exchange(&verb_ended, outcome), -1);
    return verb_honest.restore_end(restore, op, outcome, raw);
}

void
verb_spoil_end(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->restore_end = verb_noting_end;
}

void
verb_assert_no_staging(void)
{
    g_autofree char *path = g_build_filename(verb_root, "data", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *staging = g_build_filename("data", name, NULL);
        ck_assert_msg(!g_str_has_prefix(name, "restored-") || verb_count(staging) == 0,
                      "%s is left", name);
    }
}

/* The state of a target in the last result. */
const char *
verb_state_of(const char *target)
{
    for (gsize i = 0; i < verb_length("targets"); i++) {
        if (strcmp(verb_item("targets", i, "to"), target) == 0) {
            return verb_item("targets", i, "state");
        }
    }
    return "not there";
}

void
verb_restore_fails(int cls, const char *text)
{
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_FAILED);
    ASSERT_ERROR(verb_error, cls, text);
    ck_assert_int_eq(atomic_exchange(&verb_ended, -1),
                     cls == BP_ERR_CANCELLED ? BP_OUTCOME_CANCELLED : BP_OUTCOME_FAILED);
    verb_assert_no_staging();
}

/* The next run of the same restore, without whatever was wrong. */
void
verb_next_run_is_fine(void)
{
    verb_faults("");
    verb_spoil = NULL;
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_OK, verb_error);
    verb_assert_no_staging();
    ck_assert_uint_eq(verb_count("state/restore"), 1); /* the lock file */
}

void
verb_restore_setup(void)
{
    verb_setup();
    verb_seed_backup();
    verb_params = (bp_restore_params){.name = "b"};
    verb_error = NULL;
    atomic_store(&verb_ended, -1);
    verb_spoil = verb_spoil_end;
}

static bp_status
other_proof(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
            struct bp_proof *out, struct bp_error *raw)
{
    (void)restore;
    (void)op;
    (void)target;
    (void)raw;
    out->found = verb_proof.found;
    out->flags = verb_proof.flags;
    g_strlcpy(out->note, verb_proof.note, sizeof out->note);
    return BP_OK;
}

void
verb_spoil_proof(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_prove = other_proof;
}
