/* SPDX-License-Identifier: Apache-2.0
 *
 * A section while it is being read, and the inside of bp_settings: for the files of core/config
 * only.
 */
#ifndef BP_CORE_CONFIG_SECTION_H
#define BP_CORE_CONFIG_SECTION_H

#include "core/config/tree.h"

#define BP_SECTION_FLAGS 0                /* layer of the command line's own flags */
#define BP_SECTION_SET (1 + BP_LAYER_SET) /* … and of --set */
#define BP_SECTION_LAYERS (1 + BP_N_LAYERS)

typedef struct bp_section {
    const bp_config_tree *tree;
    const bp_config_section_params *params;
    bp_node *flags;                           /* owned: the overrides as a layer */
    const bp_node *layers[BP_SECTION_LAYERS]; /* strongest first; NULL = says nothing */
    bool lenient; /* unknown keys and missing ones are somebody else's matter */
} bp_section;

/** A key of the section's tables by name or alias; NULL = none. */
const struct bp_config_key *bp_section__find_key(const bp_section *s, const char *name);
/** "source.password": how people call the key.  Returns: (transfer full) */
char *bp_section__full_name(const bp_section *s, const char *name);
/** Every name in every layer is declared or ignored; INVALID with the nearest one. */
bool bp_section__check_names(const bp_section *s, GError **error);
/** Find, check and normalise one key's value into `out`; nothing is put when it has none. */
bool bp_section__read_key(const bp_section *s, const struct bp_config_key *key, bp_settings *out,
                          GError **error);

/** One key that has a value. */
typedef struct bp_value {
    GPtrArray *texts; /* char *, normalised; one unless the key is a LIST */
    char *shown;      /* for people; secrets masked */
    char *origin;
    bool given; /* not just the default */
} bp_value;

bp_value *bp_value__new(void);
void bp_value__free(bp_value *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_value, bp_value__free)

struct bp_config {
    GHashTable *values; /* name of the key (char *) -> bp_value * */
};

/** An empty one.  Returns: (transfer full) */
bp_settings *bp_settings__new(void);
/** @take_value: owned by the settings. */
void bp_settings__put(bp_settings *settings, const char *key, bp_value *take_value);
/** NULL = neither set nor has it a default. */
const bp_value *bp_settings__value(const bp_settings *settings, const char *key);

#endif
