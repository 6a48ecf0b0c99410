/* SPDX-License-Identifier: Apache-2.0
 *
 * See init.h.
 */
#include "core/base/init.h"

#include <jansson.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

void
bp_base_init(void)
{
    (void)bp_error_quark();
    json_object_seed(0);
}
