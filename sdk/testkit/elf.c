/* SPDX-License-Identifier: Apache-2.0
 *
 * See elf.h.  The file is whatever the operator named, so every offset is checked.
 */
#include "sdk/testkit/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define OUR_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

struct image {
    const unsigned char *at;
    size_t size;
};

static const void *
piece(const struct image *image, uint64_t offset, uint64_t size)
{
    return offset <= image->size && size <= image->size - offset ? image->at + offset : NULL;
}

/* Where in the file a section is whose header is `section`; NULL when beyond. */
static const void *
content(const struct image *image, const ElfW(Shdr) * section)
{
    return piece(image, section->sh_offset, section->sh_size);
}

static void
add_name(char ***names, size_t *n, const char *name)
{
    *names = bp_kit_grow(*names, *n + 1, sizeof **names);
    (*names)[(*n)++] = bp_kit_dup(name);
}

static bool
read_symbols(const struct image *image, const ElfW(Shdr) * section, const ElfW(Shdr) * names,
             struct bp_kit_elf *out)
{
    const char *text = content(image, names);
    const unsigned char *table = content(image, section);
    size_t n = section->sh_size / sizeof(ElfW(Sym));
    if (text == NULL || table == NULL || names->sh_size == 0 || text[names->sh_size - 1] != '\0') {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        ElfW(Sym) symbol;
        memcpy(&symbol, table + i * sizeof symbol, sizeof symbol);
        if (symbol.st_name >= names->sh_size) {
            return false;
        }
        const char *name = text + symbol.st_name;
        bool hidden = (symbol.st_other & 3) == STV_HIDDEN || (symbol.st_other & 3) == STV_INTERNAL;
        if (*name == '\0' || hidden) {
            continue;
        }
        if (symbol.st_shndx == SHN_UNDEF) {
            add_name(&out->wanted, &out->n_wanted, name);
        } else if (symbol.st_shndx != SHN_ABS) { /* version nodes are absolute */
            add_name(&out->defined, &out->n_defined, name);
        }
    }
    return true;
}

static bool
read_dynamic(const struct image *image, const ElfW(Shdr) * section, struct bp_kit_elf *out)
{
    const unsigned char *table = content(image, section);
    size_t n = section->sh_size / sizeof(ElfW(Dyn));
    for (size_t i = 0; table != NULL && i < n; i++) {
        ElfW(Dyn) entry;
        memcpy(&entry, table + i * sizeof entry, sizeof entry);
        if (entry.d_tag == DT_FLAGS_1) {
            out->no_delete = (entry.d_un.d_val & DF_1_NODELETE) != 0;
        }
    }
    return table != NULL;
}

static bool
read_sections(const struct image *image, const ElfW(Ehdr) * head, struct bp_kit_elf *out)
{
    size_t n = head->e_shnum;
    const unsigned char *table = piece(image, head->e_shoff, n * sizeof(ElfW(Shdr)));
    bool has_symbols = false;
    if (table == NULL || head->e_shentsize != sizeof(ElfW(Shdr))) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        ElfW(Shdr) section, names;
        memcpy(&section, table + i * sizeof section, sizeof section);
        if (section.sh_type == SHT_DYNAMIC && !read_dynamic(image, &section, out)) {
            return false;
        }
        if (section.sh_type != SHT_DYNSYM || section.sh_link >= n) {
            continue;
        }
        memcpy(&names, table + section.sh_link * sizeof names, sizeof names);
        if (!read_symbols(image, &section, &names, out)) {
            return false;
        }
        has_symbols = true;
    }
    return has_symbols;
}

static bool
read_image(const struct image *image, struct bp_kit_elf *out, const char **why)
{
    ElfW(Ehdr) head;
    const void *start = piece(image, 0, sizeof head);
    if (start == NULL || memcmp(start, ELFMAG, SELFMAG) != 0) {
        *why = "it is no ELF file";
        return false;
    }
    memcpy(&head, start, sizeof head);
    if (head.e_ident[EI_CLASS] != OUR_CLASS || head.e_type != ET_DYN) {
        *why = "it is no shared object for this machine";
        return false;
    }
    *why = "its section table cannot be followed";
    return read_sections(image, &head, out);
}

bool
bp_kit_elf_read(const char *path, struct bp_kit_elf *out, const char **why)
{
    struct stat st;
    memset(out, 0, sizeof *out);
    *why = "it cannot be read";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool fine = false;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        size_t size = (size_t)st.st_size;
        void *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED) {
            fine = read_image(&(struct image){.at = at, .size = size}, out, why);
            (void)munmap(at, size); /* names were copied */
        }
    }
    (void)close(fd); /* opened for reading */
    return fine;
}
