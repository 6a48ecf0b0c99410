/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of one instance.  Users and groups are looked up once, here.
 */
#include "plugins/storage-local/config.h"

#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

#define NO_UID ((uid_t)-1)
#define NO_GID ((gid_t)-1)

const struct bp_config_key bp_local_keys[BP_LOCAL_N_KEYS] = {
    {.name = "root",
     .type = BP_CONFIG_PATH,
     .flags = BP_CONFIG_REQUIRED,
     .help = "directory that holds the objects; no key ever leads out of it"},
    {.name = "server_root",
     .type = BP_CONFIG_STRING,
     .help = "the same directory as the database server sees it (container, other mount point)"},
    {.name = "create_root",
     .type = BP_CONFIG_BOOL,
     .def = "true",
     .help = "make the root directory with its parents at the first write; until then it counts "
             "as empty"},
    {.name = "file_mode",
     .type = BP_CONFIG_STRING,
     .def = "0644",
     .help = "octal mode of new files, whatever the umask"},
    {.name = "dir_mode",
     .type = BP_CONFIG_STRING,
     .def = "0755",
     .help = "octal mode of new directories, whatever the umask"},
    {.name = "owner",
     .type = BP_CONFIG_STRING,
     .help = "user, user:group or :group that new files and directories belong to, by name or "
             "number; needs the right to give files away"},
    {.name = "server_user",
     .type = BP_CONFIG_STRING,
     .help = "user that the database server runs as, by name or number (else: the owner of the "
             "source's own data); checked before the server is asked to read from here"},
    {.name = "link",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "copy immutable objects within one file system as hard links"},
};

static bp_status
load_mode(const struct bp_host *host, const struct bp_config *config, const char *key, mode_t least,
          mode_t *out, struct bp_error *error)
{
    const char *text = bp_setting_text(host, config, key);
    unsigned mode = 0;
    size_t len = text == NULL ? 0 : strlen(text);
    bool octal = len >= 3 && len <= 5 && strspn(text, "01234567") == len;
    for (size_t i = 0; octal && i < len; i++) {
        mode = mode * 8 + (unsigned)(text[i] - '0');
    }
    if (!octal || mode > 07777) {
        return bp_fail(error, BP_ERR_INVALID, "%s: \"%s\" is not an octal mode such as 0750", key,
                       text == NULL ? "" : text);
    }
    if ((mode & least) != least) {
        return bp_fail(error, BP_ERR_INVALID,
                       "%s: %s would lock out the owner, who needs at least %04o", key, text,
                       (unsigned)least);
    }
    *out = (mode_t)mode;
    return BP_OK;
}

/* Numbers are taken as they are: a user of a container need not exist here. */
static bool
find_user(const char *name, uid_t *uid, gid_t *gid)
{
    uint64_t number;
    struct passwd entry, *found = NULL;
    char buffer[4096];
    *gid = NO_GID;
    if (bp_parse_u64(name, &number) == 0) {
        if (number >= NO_UID) {
            return false;
        }
        *uid = (uid_t)number;
        if (getpwuid_r(*uid, &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL) {
            *gid = entry.pw_gid;
        }
        return true;
    }
    if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 || found == NULL) {
        return false;
    }
    *uid = entry.pw_uid;
    *gid = entry.pw_gid;
    return true;
}

static bool
find_group(const char *name, gid_t *gid)
{
    uint64_t number;
    struct group entry, *found = NULL;
    char buffer[16384];
    if (bp_parse_u64(name, &number) == 0) {
        *gid = (gid_t)number;
        return number < NO_GID;
    }
    if (getgrnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 || found == NULL) {
        return false;
    }
    *gid = entry.gr_gid;
    return true;
}

static bp_status
load_owner(struct bp_local_config *values, const char *text, struct bp_error *error)
{
    if (text == NULL || text[0] == '\0') {
        return BP_OK;
    }
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    gid_t own_group;
    if (parts[0][0] != '\0' && !find_user(parts[0], &values->owner, &own_group)) {
        return bp_fail(error, BP_ERR_INVALID, "owner: there is no user \"%s\" here", parts[0]);
    }
    if (parts[1] != NULL && !find_group(parts[1], &values->group)) {
        return bp_fail(error, BP_ERR_INVALID, "owner: there is no group \"%s\" here", parts[1]);
    }
    return BP_OK;
}

static bp_status
load_server(struct bp_local_config *values, const struct bp_host *host,
            const struct bp_config *config, struct bp_error *error)
{
    const char *root = bp_setting_text(host, config, "server_root");
    if (root != NULL && root[0] != '\0') {
        values->server_root = g_strdup(root);
    }
    const char *user = bp_setting_text(host, config, "server_user");
    if (user == NULL || user[0] == '\0') {
        return BP_OK;
    }
    if (!find_user(user, &values->server_uid, &values->server_gid)) {
        return bp_fail(error, BP_ERR_INVALID,
                       "server_user: there is no user \"%s\" here; a number works too", user);
    }
    values->server_user = g_strdup(user);
    return BP_OK;
}

static bp_status
load_root(struct bp_local_config *values, const char *text, struct bp_error *error)
{
    if (text == NULL || text[0] != '/') {
        return bp_fail(error, BP_ERR_INVALID, "root: \"%s\" is not an absolute path",
                       text == NULL ? "" : text);
    }
    size_t len = strlen(text);
    while (len > 1 && text[len - 1] == '/') {
        len--;
    }
    if (len > 1000) {
        return bp_fail(error, BP_ERR_INVALID, "root: longer than 1000 bytes");
    }
    values->root = g_strndup(text, len);
    return BP_OK;
}

/* umask() cannot be asked without setting it, which other threads would notice. */
static mode_t
process_umask(void)
{
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
    text[n < 0 ? 0 : n] = '\0';
    const char *line = strstr(text, "\nUmask:");
    /* Unknown: as if it took everything away, so that modes are always set. */
    return line == NULL ? 07777 : (mode_t)g_ascii_strtoull(line + strlen("\nUmask:"), NULL, 8);
}

bp_status
bp_local_config_load(struct bp_local_config *values, const struct bp_host *host,
                     const struct bp_config *config, struct bp_error *error)
{
    memset(values, 0, sizeof(*values));
    values->owner = values->server_uid = NO_UID;
    values->group = values->server_gid = NO_GID;
    values->create_root = bp_setting_bool(host, config, "create_root", true);
    values->link = bp_setting_bool(host, config, "link", false);

    bp_status status = load_root(values, bp_setting_text(host, config, "root"), error);
    if (status == BP_OK) {
        status = load_mode(host, config, "file_mode", 0600, &values->file_mode, error);
    }
    if (status == BP_OK) {
        status = load_mode(host, config, "dir_mode", 0700, &values->dir_mode, error);
    }
    if (status == BP_OK) {
        status = load_owner(values, bp_setting_text(host, config, "owner"), error);
    }
    if (status == BP_OK) {
        status = load_server(values, host, config, error);
    }

    /* Special bits are not given at creation, either. */
    mode_t mask = process_umask() | 07000;
    values->chmod_files = (values->file_mode & mask) != 0;
    values->chmod_dirs = (values->dir_mode & mask) != 0;
    return status;
}

void
bp_local_config_clear(struct bp_local_config *values)
{
    g_clear_pointer(&values->root, g_free);
    g_clear_pointer(&values->server_root, g_free);
    g_clear_pointer(&values->server_user, g_free);
}
