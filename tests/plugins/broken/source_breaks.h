/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways in which the source of this folder can break the contract; as breaks.h.
 */
#ifndef BP_TESTS_BROKEN_SOURCE_BREAKS_H
#define BP_TESTS_BROKEN_SOURCE_BREAKS_H

#define SOURCE_BREAKS(X)         \
    /* what it says, the tree */ \
    X(COMMIT_IS_OURS)            \
    X(CHILD_BEFORE_PARENT)       \
    X(IDS_CHANGE)                \
    X(UNIT_HAS_FLAGS)            \
    X(PLANS_ALL)                 \
    X(PLAN_GOES_ON)              \
    /* runs */                   \
    X(ITEM_TWICE)                \
    X(ITEM_KEY_IS_OURS)          \
    X(NAMES_NO_ITEMS)            \
    X(TAKES_ANY_ITEM_FLAG)       \
    X(READS_ANY_VERSION)         \
    X(IGNORES_OFFSET)            \
    X(SIZE_TOO_LARGE)            \
    X(PROOF_CROSSED)             \
    X(FAILED_RUN_STAYS)          \
    X(KEEPALIVE_FAILS)           \
    X(TAKES_ANY_RUN)             \
    X(TAKES_ANY_UNIT_FLAG)       \
    X(COMMITS_TWICE)             \
    X(DOCUMENT_AFTER_COMMIT)     \
    X(PIN_OUTLIVES)              \
    X(PINS_NOTHING)              \
    X(RUNS_ON)                   \
    X(FLUSHES_ON)                \
    X(LEAKS_DESCRIPTOR_AT_OPEN)  \
    X(CHANGES_DIRECTORY)         \
    /* restoring */              \
    X(DRY_RUN_MAKES)             \
    X(TAKES_ANY_RESTORE)         \
    X(TAKES_ANY_PAIR)            \
    X(LOSES_ROWS)                \
    X(JOB_FAILS)                 \
    X(STARTS_TOO_MANY)           \
    X(NO_IDENTITY)               \
    X(TAKES_OVER)                \
    X(FORGETS_OURS)              \
    X(DOES_DONE_AGAIN)           \
    X(RESTORE_END_FAILS)         \
    X(TAKES_NEWER)               \
    X(REFUSES_OLDER)

#define BREAK_NAME(as) as,
enum source_broken_as { NOTHING_OF_SOURCE, SOURCE_BREAKS(BREAK_NAME) };
#undef BREAK_NAME

/* Set in the entry; does not change afterwards. */
extern enum source_broken_as source_broken_as;

#define IS_BROKEN(as) (source_broken_as == (as))

#endif
