/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of bp_cli_out: progress as literals, and running a suite.
 */
#ifndef BP_TESTS_CLI_OUT_FIXTURE_H
#define BP_TESTS_CLI_OUT_FIXTURE_H

#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/init.h"
#include "core/copy/progress.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

static inline bp_progress
progress_at(double seconds, guint64 items, guint64 bytes)
{
    return (bp_progress){.phase = "copy",
                         .items_done = items,
                         .items_total = 600,
                         .bytes_done = bytes,
                         .bytes_total = 1000 * MIB,
                         .elapsed_ns = (gint64)(seconds * (double)BP_NS_PER_S)};
}

static inline int
run_suite(const char *name, TCase *cases)
{
    bp_base_init();
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
