/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of core/job: whole jobs with real plugins in a scratch directory.  The source is
 * "files" with databases, its data lies in data/<parent>/<unit>/, the backups in backups/, their
 * copies in other/, the state of restores in state/; all of them on storage-local.
 *
 * Each verb gets a workspace of its own, as each command does.  A test may spoil operations of the
 * plugins (job_spoil) and has the honest ones at hand to call them.
 */
#ifndef BP_TESTS_UNIT_CORE_JOB_FIXTURE_H
#define BP_TESTS_UNIT_CORE_JOB_FIXTURE_H

#include <bakplane/plugin.h>

#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/job/job.h"
#include "core/plugin/module.h"
#include "tests/harness/suite.h"

extern char *job_root;          /* the scratch directory */
extern json_t *job_result;      /* of the last verb */
extern json_t *job_notes;       /* of the last verb */
extern bp_cancel *job_cancel;   /* of all verbs */
extern bp_monitor *job_monitor; /* of the verb that runs */
extern struct bp_source_ops job_honest;
extern struct bp_storage_ops job_honest_store;

/** Called on the operations of each workspace's source and of storage-local, or NULL. */
extern void (*job_spoil)(struct bp_source_ops *source, struct bp_storage_ops *storage);
/** For job_spoil: storages do not say which place they are. */
void job_spoil_identities(struct bp_source_ops *source, struct bp_storage_ops *storage);

/** Another configuration: more settings of the source (", key: value"), storage of backups. */
void job_configure(const char *source, const char *backup_storage);

/** Other roots below the scratch directory, which may lie in each other. */
void job_nest(const char *data, const char *backups);

void job_setup(void);
void job_teardown(void);

/* Files below the scratch directory. */
void job_write(const char *path, const char *text);
char *job_read(const char *path);
bool job_exists(const char *path);
void job_remove(const char *path);
/** Files below a directory, at any depth. */
guint job_count(const char *dir);

/** Faults from here on; "" = none. */
void job_faults(const char *rules);

/** Four objects: default/books/{1,2}, default/films/1, shop/books/deep/1. */
void job_seed(void);

/** For tests that need more than a verb.  Free with job_close. */
bp_job job_open(void);
void job_close(bp_job *job);

bp_verb_outcome job_create(const bp_create_params *params, GError **error);
bp_verb_outcome job_copy(const bp_copy_job_params *params, GError **error);
bp_verb_outcome job_restore(const bp_restore_params *params, GError **error);
bp_verb_outcome job_verify(const char *name, bool deep, GError **error);
bp_verb_outcome job_list(const char *child, GError **error);
bp_verb_outcome job_get(const char *name, bool detail, GError **error);
bp_verb_outcome job_delete(const char *name, bool force, GError **error);
bp_verb_outcome job_prune(const bp_prune_params *params, GError **error);
bp_verb_outcome job_check(GError **error);

/** A backup called "b" of what job_seed made. */
void job_seed_backup(void);
/** The number at a member of the last result. */
guint64 job_number(const char *member);
/** Text of a member of the i-th element of a list in the last result, "" when missing. */
const char *job_item(const char *list, gsize i, const char *member);
gsize job_length(const char *list);
/** Some note of the last verb has this code. */
bool job_noted(const char *code);

/** Runs `body` in a child that a fault is to kill; aborts the test when it lives on. */
void job_killed(void (*body)(void));

#endif
