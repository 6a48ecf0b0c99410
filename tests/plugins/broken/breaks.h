/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways in which the plugin of this folder can break the contract: one at a time, named by the
 * variable BROKEN_AS when it is loaded ("leaks-memory"), or none.
 */
#ifndef BP_TESTS_BROKEN_BREAKS_H
#define BP_TESTS_BROKEN_BREAKS_H

#define BREAKS(X)                  \
    /* load */                     \
    X(ENTRY_OPENS)                 \
    X(NO_VERSION)                  \
    X(OTHER_NAME)                  \
    X(OFFERS_BOTH)                 \
    X(NO_HELP)                     \
    X(KEY_HAS_FLAGS)               \
    X(READS_BEYOND_HOST)           \
    X(EXACT_HOST)                  \
    X(INIT_LEAKS)                  \
    /* settings, facts, probe */   \
    X(UNUSED_SETTING)              \
    X(REQUIRED_UNNAMED)            \
    X(BAD_VALUE_TAKEN)             \
    X(ONE_SPACE)                   \
    X(CLOSES_ALL)                  \
    X(LOGS_SECRET)                 \
    X(LOGS_SECRET_KEY)             \
    X(STAT_TELLS_SECRET)           \
    X(UNREACHABLE_IS_FATAL)        \
    X(PROBE_LEAVES)                \
    X(PROBE_BLIND)                 \
    X(NO_RANGES)                   \
    X(IDENTITY_ENDS_IN_SLASH)      \
    X(IDENTITY_IS_CUT)             \
    /* writing */                  \
    X(LOSES_LAST_BYTE)             \
    X(VISIBLE_EARLY)               \
    X(ABORT_COMMITS)               \
    X(SAME_ETAG)                   \
    X(NO_BARRIER)                  \
    X(SIZE_MUST_BE_KNOWN)          \
    X(REFUSES_PLUS)                \
    X(FULL_IS_PERMANENT)           \
    X(EXCLUSIVE_EARLY)             \
    X(IGNORES_IF_MATCH)            \
    X(GONE_IS_NOT_FOUND)           \
    X(REPLACE_TEARS)               \
    X(ABORT_LEAVES_UPLOAD)         \
    X(TAKES_ANY_CHECKSUM)          \
    X(IGNORES_UNPROMISED)          \
    X(WRITES_IN_PLACE)             \
    /* reading */                  \
    X(RANGE_OFF_BY_ONE)            \
    X(BEYOND_IS_INVALID)           \
    X(BEYOND_IS_99)                \
    X(READS_TOO_MUCH)              \
    X(READER_STAYS_OPEN)           \
    X(MISSING_IS_DENIED)           \
    X(ENDS_EARLY)                  \
    X(SIZE_OF_RANGE)               \
    X(READ_ANY_VERSION)            \
    X(ETAG_IS_CUT)                 \
    /* listing */                  \
    X(UNSORTED)                    \
    X(PAGE_TOO_LONG)               \
    X(PAGE_LOSES_LAST)             \
    X(PREFIX_OF_PARTS)             \
    X(GROUP_PER_PAGE)              \
    X(TELLS_AFTER_STOP)            \
    X(TOKEN_ONCE)                  \
    X(TOKEN_IS_INDEX)              \
    X(LIST_NO_SIZES)               \
    X(START_INCLUDED)              \
    X(NO_DEEP_ROOT)                \
    X(STALE_LIST)                  \
    X(HOARDS_KEYS)                 \
    /* removing, copying, parts */ \
    X(REMOVE_MISSING_FAILS)        \
    X(REMOVE_MANY_TWICE)           \
    X(REMOVE_MANY_HANGS)           \
    X(REMOVE_ANY_VERSION)          \
    X(REMOVES_BELOW)               \
    X(COPY_ANY_VERSION)            \
    X(COPY_TAKES_OVER)             \
    X(COPY_CUTS)                   \
    X(COPY_ANY_SIZE)               \
    X(COPY_NO_CHECKSUM)            \
    X(PARTS_REVERSED)              \
    X(FIRST_PART_STAYS)            \
    X(PARTS_TAKE_OVER)             \
    X(PARTS_ANY_VERSION)           \
    X(SKIPS_MISSING_PART)          \
    X(COMPLETES_AGAIN)             \
    X(PART_ABORT_LAZY)             \
    X(ABORTS_ALL_UPLOADS)          \
    /* errors, cancel, threads */  \
    X(EMPTY_ERROR)                 \
    X(OTHER_CLASS)                 \
    X(TAKES_ANY_FLAG)              \
    X(SETS_OUT_SIZE)               \
    X(WRITES_BEYOND_OUT)           \
    X(EXPIRED_IS_DENIED)           \
    X(IGNORES_CANCEL)              \
    X(CANCEL_IS_ERROR)             \
    X(DEADLINE_IS_CANCEL)          \
    X(NO_CALLS_AT_ONCE)            \
    /* what stays behind */        \
    X(LEAKS_DESCRIPTOR)            \
    X(LEAKS_THREAD)                \
    X(LEAKS_MEMORY)                \
    X(LEAKS_HOST_MEMORY)           \
    X(TRUSTS_ALLOC)                \
    X(CRASHES_IN_CLOSE)            \
    X(IGNORES_SIGPIPE)             \
    X(PRINTS)                      \
    /* unusual, and right */       \
    X(CLEARS_WHOLE_OUT)            \
    X(LISTS_LATE)                  \
    X(LINGERS_IN_ABORT)            \
    X(TAKES_TWO_AT_ONCE)           \
    X(RACERS_COME_AGAIN)           \
    X(COPIES_AT_HOME)              \
    X(HAS_A_LONG_ROOT)             \
    X(NEVER_ASKS)

#define BREAK_NAME(as) as,
enum broken_as { NOTHING, BREAKS(BREAK_NAME) };
#undef BREAK_NAME

/* Set in the entry; does not change afterwards. */
extern enum broken_as broken_as;

#define IS_BROKEN(as) (broken_as == (as))

#endif
