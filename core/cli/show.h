/* SPDX-License-Identifier: Apache-2.0
 *
 * Results for people: tables and sentences, made from a verb's JSON result.  Pure; the text is
 * (transfer full).
 */
#ifndef BP_CORE_CLI_SHOW_H
#define BP_CORE_CLI_SHOW_H

#include <jansson.h>
#include <stdbool.h>

char *bp_show_create(const json_t *result, bool color);
char *bp_show_copy(const json_t *result, bool color);
char *bp_show_restore(const json_t *result, bool color);
char *bp_show_list(const json_t *result, bool color);
char *bp_show_get(const json_t *result, bool color);
char *bp_show_prune(const json_t *result, bool color);
char *bp_show_verify(const json_t *result, bool color);
char *bp_show_check(const json_t *result, bool color);
char *bp_show_jobs(const json_t *result, bool color);
char *bp_show_done(const json_t *result, bool color);
char *bp_show_plugins(const json_t *result, bool color);
char *bp_show_config(const json_t *result, bool color);
char *bp_show_version(const json_t *result, bool color);

#endif
