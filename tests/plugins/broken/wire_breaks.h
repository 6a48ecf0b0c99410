/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways in which the plugin that speaks HTTP can break the contract, chosen as in breaks.h.
 */
#ifndef BP_TESTS_BROKEN_WIRE_BREAKS_H
#define BP_TESTS_BROKEN_WIRE_BREAKS_H

#define BREAKS(X)         \
    X(RAISES_SIGPIPE)     \
    X(ASKS_AGAIN)         \
    X(MISSING_IS_A_FAULT) \
    X(IGNORES_CODES)      \
    X(WAITS_IN_MS)        \
    X(WAITS_FOR_EVER)     \
    X(RESET_IS_FINAL)     \
    X(BABBLE_IS_CONTENT)  \
    X(CUT_IS_END)         \
    X(DEAF_TO_CANCEL)     \
    X(BLIND_TO_DEADLINE)

#define BREAK_NAME(as) as,
enum broken_as { NOTHING, BREAKS(BREAK_NAME) };
#undef BREAK_NAME

#endif
