/* SPDX-License-Identifier: Apache-2.0
 *
 * What a shared object shows to the dynamic linker, read from the file: nothing of it runs.
 */
#ifndef BAKPLANE_TESTKIT_ELF_H
#define BAKPLANE_TESTKIT_ELF_H

#include <stdbool.h>
#include <stddef.h>

struct bp_kit_elf {
    char **defined; /**< names of the dynamic symbols that the object defines */
    size_t n_defined;
    char **wanted; /**< and of those that it takes from elsewhere */
    size_t n_wanted;
    bool no_delete; /**< linked with -z nodelete */
};

/** False, with static text in *why, where the file is no shared object of this machine. */
bool bp_kit_elf_read(const char *path, struct bp_kit_elf *out, const char **why);

#endif
