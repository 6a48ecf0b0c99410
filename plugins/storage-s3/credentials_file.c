/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys in AWS' files.  Their form: "Configuration and credential file settings" of the AWS CLI's
 * user guide.  A profile may name a role and the profile whose keys assume it.  No program is run:
 * credential_process is refused.
 */
#include "plugins/storage-s3/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define MAX_FILE 65536
#define MAX_CHAIN 5 /* profiles that refer to one another */

bp_status
bp_s3_read_file(const char *path, char **out, struct bp_error *error)
{
    size_t n = 0;
    ssize_t got = 0;
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int errnum = errno;
        (void)bp_fail_errno(error, errnum, "cannot open %s", path);
        error->cls = BP_ERR_AUTH;
        return BP_ERR_AUTH;
    }
    char *text = g_malloc(MAX_FILE + 1);
    while (n < MAX_FILE && (got = read(fd, text + n, MAX_FILE - n)) != 0) {
        if (got < 0 && errno != EINTR) {
            break;
        }
        n += got > 0 ? (size_t)got : 0;
    }
    int errnum = errno;
    (void)close(fd); /* opened for reading */
    text[n] = '\0';
    bp_status status = BP_OK;
    if (got < 0) {
        (void)bp_fail_errno(error, errnum, "cannot read %s", path);
        status = error->cls = BP_ERR_AUTH;
    } else if (n == MAX_FILE) {
        status = bp_fail(error, BP_ERR_AUTH, "%s is longer than %d bytes", path, MAX_FILE);
    } else {
        *out = g_strdup(g_strstrip(text));
    }
    bp_secret_wipe(text, MAX_FILE + 1);
    g_free(text);
    return status;
}

/* What a file says of one profile; all NULL when it does not know it. */
struct profile {
    bool found;
    char *access_key, *secret_key, *session_token;
    char *role_arn, *source_profile, *credential_source, *external_id, *session_name, *token_file;
    char *process;
};

static void
profile_clear(struct profile *profile)
{
    if (profile->secret_key != NULL) {
        bp_secret_wipe(profile->secret_key, strlen(profile->secret_key));
    }
    if (profile->session_token != NULL) {
        bp_secret_wipe(profile->session_token, strlen(profile->session_token));
    }
    g_free(profile->access_key);
    g_free(profile->secret_key);
    g_free(profile->session_token);
    g_free(profile->role_arn);
    g_free(profile->source_profile);
    g_free(profile->credential_source);
    g_free(profile->external_id);
    g_free(profile->session_name);
    g_free(profile->token_file);
    g_free(profile->process);
    *profile = (struct profile){0};
}

static void
take_setting(struct profile *out, const char *name, const char *value)
{
    const struct {
        const char *name;
        char **field;
    } fields[] = {
        {"aws_access_key_id", &out->access_key},
        {"aws_secret_access_key", &out->secret_key},
        {"aws_session_token", &out->session_token},
        {"role_arn", &out->role_arn},
        {"source_profile", &out->source_profile},
        {"credential_source", &out->credential_source},
        {"external_id", &out->external_id},
        {"role_session_name", &out->session_name},
        {"web_identity_token_file", &out->token_file},
        {"credential_process", &out->process},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (strcmp(fields[i].name, name) == 0 && *value != '\0') {
            /* The credentials file, which is read first, goes before the other. */
            if (*fields[i].field == NULL) {
                *fields[i].field = g_strdup(value);
            }
        }
    }
}

/* "[name]", or "[profile name]" in the config file. */
static bool
is_section(const char *line, const char *name, bool config)
{
    size_t n = strcspn(line, "]");
    if (line[0] != '[' || line[n] != ']') {
        return false;
    }
    g_autofree char *inside = g_strndup(line + 1, n - 1);
    char *title = g_strstrip(inside);
    if (config && g_str_has_prefix(title, "profile") && g_ascii_isspace(title[7])) {
        return strcmp(g_strchug(title + 7), name) == 0;
    }
    return strcmp(title, name) == 0 && (!config || strcmp(name, "default") == 0);
}

static void
read_section(const char *text, const char *name, bool config, struct profile *out)
{
    bool inside = false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        /* An indented line belongs to the setting above it. */
        bool nested = g_ascii_isspace(lines[i][0]);
        size_t len = strlen(lines[i]);
        char *line = g_strstrip(lines[i]);
        if (*line == '\0' || *line == '#' || *line == ';' || nested) {
            continue;
        }
        if (*line == '[') {
            inside = is_section(line, name, config);
            out->found = out->found || inside;
            continue;
        }
        char *sign = strchr(line, '=');
        if (inside && sign != NULL) {
            *sign = '\0';
            g_autofree char *key = g_ascii_strdown(g_strchomp(line), -1);
            take_setting(out, key, g_strchug(sign + 1));
        }
        bp_secret_wipe(line, len); /* with what stands behind the sign, which has become a NUL */
    }
}

static char *
file_path(const char *setting, const char *variable, const char *usual)
{
    const char *said = getenv(variable);
    if (setting != NULL) {
        return g_strdup(setting);
    }
    if (said != NULL && *said != '\0') {
        return g_strdup(said);
    }
    const char *home = getenv("HOME");
    return g_build_filename(home == NULL ? "/" : home, ".aws", usual, NULL);
}

/* A file that is not there has no profiles; one that cannot be read is an error. */
static bp_status
read_profile_from(const char *path, bool must, const char *name, bool config, struct profile *out,
                  struct bp_error *error)
{
    char *text = NULL;
    if (!must && access(path, F_OK) != 0) {
        return BP_OK;
    }
    bp_status status = bp_s3_read_file(path, &text, error);
    if (status == BP_OK && text != NULL) {
        read_section(text, name, config, out);
        bp_secret_wipe(text, strlen(text));
        g_free(text);
    }
    return status;
}

static bp_status
read_profile(struct bp_storage *storage, const char *name, struct profile *out,
             struct bp_error *error)
{
    const struct bp_s3_login *login = &storage->set.login;
    g_autofree char *credentials =
        file_path(login->credentials_file, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    g_autofree char *config = file_path(login->config_file, "AWS_CONFIG_FILE", "config");
    bp_status status =
        read_profile_from(credentials, login->credentials_file != NULL, name, false, out, error);
    if (status == BP_OK) {
        status = read_profile_from(config, login->config_file != NULL, name, true, out, error);
    }
    return status;
}

static bp_status keys_of(struct bp_storage *storage, const struct bp_op *op, const char *name,
                         int depth, struct bp_s3_keys **out, struct bp_error *error);

static bp_status
keys_of_source(struct bp_storage *storage, const struct bp_op *op, const char *source,
               struct bp_s3_keys **out, struct bp_error *error)
{
    bp_status status = BP_OK;
    if (strcmp(source, "Ec2InstanceMetadata") == 0) {
        status = bp_s3_keys_of_ec2(storage, op, out, error);
    } else if (strcmp(source, "EcsContainer") == 0) {
        status = bp_s3_keys_of_ecs(storage, op, out, error);
    } else if (strcmp(source, "Environment") == 0) {
        const char *access = getenv("AWS_ACCESS_KEY_ID");
        const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
        if (access != NULL && secret != NULL) {
            *out = bp_s3_keys_new(access, secret, getenv("AWS_SESSION_TOKEN"), NULL,
                                  "the environment");
        }
    } else {
        return bp_fail(error, BP_ERR_INVALID, "credential_source: \"%s\" is not known", source);
    }
    if (status == BP_OK && *out == NULL) {
        status = bp_fail(error, BP_ERR_AUTH, "credential_source %s has no keys", source);
    }
    return status;
}

static bp_status
keys_of_role(struct bp_storage *storage, const struct bp_op *op, const struct profile *profile,
             int depth, struct bp_s3_keys **out, struct bp_error *error)
{
    struct bp_s3_keys *with = NULL;
    const struct bp_s3_role role = {
        profile->role_arn, profile->external_id,
        profile->session_name != NULL ? profile->session_name : storage->set.login.session_name};
    if (profile->token_file != NULL) {
        return bp_s3_assume_role_by_token(storage, op, profile->token_file, &role, out, error);
    }
    bp_status status = BP_OK;
    if (profile->source_profile != NULL) {
        status = keys_of(storage, op, profile->source_profile, depth + 1, &with, error);
    } else if (profile->credential_source != NULL) {
        status = keys_of_source(storage, op, profile->credential_source, &with, error);
    } else {
        status =
            bp_fail(error, BP_ERR_AUTH, "role %s has neither source_profile nor credential_source",
                    profile->role_arn);
    }
    if (status == BP_OK) {
        status = bp_s3_assume_role(storage, op, with, &role, out, error);
        bp_s3_keys_unref(with);
    }
    return status;
}

static bp_status
keys_of(struct bp_storage *storage, const struct bp_op *op, const char *name, int depth,
        struct bp_s3_keys **out, struct bp_error *error)
{
    struct profile profile = {0};
    bp_status status = read_profile(storage, name, &profile, error);
    if (status == BP_OK && depth > MAX_CHAIN) {
        status = bp_fail(error, BP_ERR_AUTH, "profile %s: its source_profile goes round in circles",
                         name);
    } else if (status == BP_OK && profile.access_key != NULL && profile.secret_key != NULL &&
               (profile.role_arn == NULL || depth > 0)) {
        *out = bp_s3_keys_new(profile.access_key, profile.secret_key, profile.session_token, NULL,
                              "an AWS profile");
    } else if (status == BP_OK && profile.role_arn != NULL) {
        status = keys_of_role(storage, op, &profile, depth, out, error);
    } else if (status == BP_OK && profile.process != NULL) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "profile %s: credential_process would run a program, which bakplane does "
                         "not do; put its keys into the environment",
                         name);
    } else if (status == BP_OK && profile.found && profile.access_key != NULL) {
        status = bp_fail(error, BP_ERR_AUTH, "profile %s has no aws_secret_access_key", name);
    } else if (status == BP_OK && depth > 0) {
        status = bp_fail(error, BP_ERR_AUTH, "there is no profile %s with access keys", name);
    }
    profile_clear(&profile);
    return status;
}

bp_status
bp_s3_keys_of_profile(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
                      struct bp_error *error)
{
    const struct bp_s3_login *login = &storage->set.login;
    const char *said = getenv("AWS_PROFILE");
    const char *name = login->profile != NULL          ? login->profile
                       : said != NULL && *said != '\0' ? said
                                                       : "default";
    bp_status status = keys_of(storage, op, name, 0, out, error);
    if (status == BP_OK && *out == NULL && login->profile != NULL) {
        status = bp_fail(error, BP_ERR_AUTH,
                         "profile: there is none called \"%s\" with access keys", name);
    }
    return status;
}
