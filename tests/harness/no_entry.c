/* SPDX-License-Identifier: Apache-2.0
 *
 * A shared object that is no plugin of this ABI: its entry would carry another major.
 */
#include <bakplane/plugin.h>

#include "sdk/lib/ban.h"

BP_PLUGIN_EXPORT int bp_plugin_entry_v99(void);

int
bp_plugin_entry_v99(void)
{
    return 0;
}
