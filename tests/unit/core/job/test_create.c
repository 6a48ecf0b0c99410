/* SPDX-License-Identifier: Apache-2.0
 *
 * core/job/create: whole backups, and what is refused before anything is written.
 */
#include "tests/unit/core/job/job_fixture.h"

START_TEST(test_create__all_units)
{
    g_autoptr(GError) error = NULL;
    job_seed_backup();
    ck_assert_str_eq(bp_json_text(job_result, "state", ""), "success");
    ck_assert_uint_eq(job_number("items"), 4);
    ck_assert_uint_eq(job_number("bytes"), 15);
    g_autofree char *copied = job_read("backups/b/items/default/books/2");
    ck_assert_str_eq(copied, "second");
    ck_assert(job_exists("backups/b/meta/files.json"));
    ck_assert(job_exists("backups/b/bakplane/manifest.json"));
    ck_assert(!job_exists("backups/b/bakplane/lease.json"));
    ck_assert_uint_eq(job_count("backups/b/bakplane/journal"), 0);
    ck_assert_int_eq(job_verify("b", true, &error), BP_VERB_OK);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("job/create", job_setup, job_teardown, test_create__all_units);
}
