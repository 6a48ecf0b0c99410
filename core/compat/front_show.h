/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as milvus-backup prints them.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_FRONT_SHOW_H
#define BP_CORE_COMPAT_FRONT_SHOW_H

#include "core/compat/front.h"

/** See bp_front.show: ">> Backups:", "success" and "duration:", the JSON of `get`. */
char *bp_front_show(const bp_front_result *result);

#endif
