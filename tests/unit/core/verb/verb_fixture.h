/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of core/verb: whole jobs with real plugins in a scratch directory.  The source is
 * "files" with databases, its data lies in data/<parent>/<unit>/, the backups in backups/, their
 * copies in other/, the state of restores in state/; all of them on storage-local.
 *
 * Each verb gets a workspace of its own, as each command does.  A test may spoil operations of the
 * plugins (verb_spoil) and has the honest ones at hand to call them.
 */
#ifndef BP_TESTS_UNIT_CORE_VERB_FIXTURE_H
#define BP_TESTS_UNIT_CORE_VERB_FIXTURE_H

#include <bakplane/plugin.h>

#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/plugin/module.h"
#include "core/verb/verb.h"
#include "tests/harness/suite.h"

extern char *verb_root;          /* the scratch directory */
extern json_t *verb_result;      /* of the last verb */
extern json_t *verb_notes;       /* of the last verb */
extern bp_cancel *verb_cancel;   /* of all verbs */
extern bp_monitor *verb_monitor; /* of the verb that runs */
extern struct bp_source_ops verb_honest;
extern struct bp_storage_ops verb_honest_store;

/** Called on the operations of each workspace's source and of storage-local, or NULL. */
extern void (*verb_spoil)(struct bp_source_ops *source, struct bp_storage_ops *storage);
/** For verb_spoil: storages do not say which place they are. */
void verb_spoil_identities(struct bp_source_ops *source, struct bp_storage_ops *storage);
/** Likewise: another process deletes backup b while its objects are looked at. */
void verb_spoil_by_deleting(struct bp_source_ops *source, struct bp_storage_ops *storage);

/** Another configuration: more settings of the source (", key: value"), storage of backups. */
void verb_configure(const char *source, const char *backup_storage);

/** Other roots below the scratch directory, which may lie in each other. */
void verb_nest(const char *data, const char *backups);

void verb_setup(void);
void verb_teardown(void);

/* Files below the scratch directory. */
void verb_write(const char *path, const char *text);
char *verb_read(const char *path);
bool verb_exists(const char *path);
void verb_remove(const char *path);
/** Files below a directory, at any depth. */
guint verb_count(const char *dir);

/** Faults from here on; "" = none. */
void verb_faults(const char *rules);

/** Four objects: default/books/{1,2}, default/films/1, shop/books/deep/1. */
void verb_seed(void);

/** For tests that need more than a verb.  Free with verb_close. */
bp_verb verb_open(void);
void verb_close(bp_verb *verb);

bp_verb_outcome verb_create(const bp_create_params *params, GError **error);
bp_verb_outcome verb_copy(const bp_copy_verb_params *params, GError **error);
bp_verb_outcome verb_restore(const bp_restore_params *params, GError **error);
bp_verb_outcome verb_verify(const char *name, bool deep, GError **error);
bp_verb_outcome verb_list(const char *child, GError **error);
bp_verb_outcome verb_get(const char *name, bool detail, GError **error);
bp_verb_outcome verb_delete(const char *name, bool force, GError **error);
bp_verb_outcome verb_prune(const bp_prune_params *params, GError **error);
bp_verb_outcome verb_check(GError **error);

/** A backup called "b" of what verb_seed made. */
void verb_seed_backup(void);
/** The number at a member of the last result. */
guint64 verb_number(const char *member);
/** Text of a member of the i-th element of a list in the last result, "" when missing. */
const char *verb_item(const char *list, gsize i, const char *member);
gsize verb_length(const char *list);
/** Some note of the last verb has this code. */
bool verb_noted(const char *code);

/** Runs `body` in a child that a fault is to kill; aborts the test when it lives on. */
void verb_killed(void (*body)(void));

#endif
