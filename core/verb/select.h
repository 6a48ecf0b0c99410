/* SPDX-License-Identifier: Apache-2.0
 *
 * Which units, and under which names: filters and rename rules over a tree of two named levels,
 * parent and child ("db.coll").  A bare name means the source's default parent; where a source's
 * tree has one level only, that is "", and all names are bare.
 *
 *   filter term   db.*    all children      db.coll   one child
 *                 coll    one child of the default parent
 *                 db.     the parent itself, no child
 *   rename rule   c1:c2   db1.c1:db2.c2   db1.*:db2.*      (both sides of one form)
 */
#ifndef BP_CORE_VERB_SELECT_H
#define BP_CORE_VERB_SELECT_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_selection bp_selection;

/** Empty: selects everything.  Returns: (transfer full) */
bp_selection *bp_selection_new(const char *default_parent);
void bp_selection_free(bp_selection *selection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_selection, bp_selection_free)

/** Comma list of filter terms; blanks around them are ignored.  INVALID names the term. */
bool bp_selection_add_filter(bp_selection *selection, const char *text, GError **error);
/** Comma list of children, "coll" or "db.coll"; no wildcards. */
bool bp_selection_add_children(bp_selection *selection, const char *text, GError **error);
/** Comma list of parents, each with all its children. */
bool bp_selection_add_parents(bp_selection *selection, const char *text, GError **error);
/** JSON object: parent -> list of children; an empty list = all of them. */
bool bp_selection_add_json(bp_selection *selection, const char *text, GError **error);

bool bp_selection_is_empty(const bp_selection *selection);
/** The parent itself, or some child of it, may be wanted.  Counts as a match of "db." terms. */
bool bp_selection_wants_parent(bp_selection *selection, const char *parent);
/** The parent is wanted for itself, even if it is empty: nothing was said, "db." or "db.*". */
bool bp_selection_names_parent(bp_selection *selection, const char *parent);
/** The child is wanted. */
bool bp_selection_wants_child(bp_selection *selection, const char *parent, const char *child);
/** Terms that matched nothing so far, joined by ", ", or NULL.  Returns: (transfer full) */
char *bp_selection_unmatched(const bp_selection *selection);

/** Which units, as the user said it; all NULL = everything. */
typedef struct bp_select_text {
    const char *filter, *children, *parents, *json;
} bp_select_text;

/** A selection from texts, all of them together.  Returns: (transfer full) (nullable) */
bp_selection *bp_select_parse(const bp_select_text *text, const char *default_parent,
                              GError **error);

typedef struct bp_renames bp_renames;

/** @rules: comma list or NULL.  @suffix: appended to children that no rule names, or NULL. */
bp_renames *bp_renames_new(const char *default_parent, const char *rules, const char *suffix,
                           GError **error);
void bp_renames_free(bp_renames *renames);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_renames, bp_renames_free)

/** Exact pair, then parent wildcard, then suffix.  Out: (transfer full) */
void bp_renames_apply(bp_renames *renames, const char *parent, const char *child, char **to_parent,
                      char **to_child);
/** Target of a parent itself: a wildcard rule moves it too.  Returns: (transfer full) */
char *bp_renames_parent(bp_renames *renames, const char *parent);
/** Rules that renamed nothing so far, or NULL.  Returns: (transfer full) */
char *bp_renames_unmatched(const bp_renames *renames);

#endif
