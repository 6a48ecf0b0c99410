/* SPDX-License-Identifier: Apache-2.0
 *
 * What must happen once, on the main thread, before any other thread exists.
 */
#ifndef BP_CORE_BASE_INIT_H
#define BP_CORE_BASE_INIT_H

/** Registers the error domain (its quark is a plain static) and seeds jansson's hash. */
void bp_base_init(void);

#endif
