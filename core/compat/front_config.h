/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration as milvus-backup shows it.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_FRONT_CONFIG_H
#define BP_CORE_COMPAT_FRONT_CONFIG_H

#include "core/compat/front.h"

/**
 * `config show` of 0.6: a table PARAMETER, VALUE, SOURCE (override, env, config, default) and
 * SOURCE_KEY of everything that tool knows, in the keys of its second dialect.  NULL for a file of
 * our own dialect, and for `config migrate`.
 */
char *bp_front_show_config(const bp_front_result *result);

/** `check backup_yaml` of 0.5: 80 dashes, then YAML in the dialect of the file.  NULL as above. */
char *bp_front_show_yaml(const bp_front_result *result);

#endif
