/* SPDX-License-Identifier: Apache-2.0
 *
 * See select.h.
 */
#include "core/verb/select.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"

#include "sdk/lib/ban.h"

typedef struct {
    char *text; /* as the user wrote it */
    char *parent;
    char *child; /* NULL: the parent alone; "*": all children */
    bool matched;
} rule;

struct bp_selection {
    char *default_parent;
    GPtrArray *rules;
};

typedef struct {
    rule from;
    char *parent, *child;
} rename_rule;

struct bp_renames {
    char *default_parent, *suffix;
    GPtrArray *rules;
};

static void
rule_clear(rule *r)
{
    g_free(r->text);
    g_free(r->parent);
    g_free(r->child);
}

static void
rule_free(gpointer data)
{
    rule_clear(data);
    g_free(data);
}

static void
rename_rule_free(gpointer data)
{
    rename_rule *r = data;
    rule_clear(&r->from);
    g_free(r->parent);
    g_free(r->child);
    g_free(r);
}

/* A name as it may stand in a term: anything but separators and the wildcard. */
static bool
is_name(const char *text, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (strchr(".*:,", text[i]) != NULL || (unsigned char)text[i] <= ' ') {
            return false;
        }
    }
    return n > 0;
}

/* "db.*", "db.coll", "coll", "db." -> parent and child as in struct rule. */
static bool
parse_term(const char *term, const char *default_parent, char **parent, char **child)
{
    const char *dot = strchr(term, '.');
    if (dot == NULL) {
        if (!is_name(term, strlen(term))) {
            return false;
        }
        *parent = g_strdup(default_parent);
        *child = g_strdup(term);
        return true;
    }
    const char *rest = dot + 1;
    bool fine = *rest == '\0' || strcmp(rest, "*") == 0 || is_name(rest, strlen(rest));
    if (!is_name(term, (gsize)(dot - term)) || !fine) {
        return false;
    }
    *parent = g_strndup(term, (gsize)(dot - term));
    *child = *rest != '\0' ? g_strdup(rest) : NULL;
    return true;
}

bp_selection *
bp_selection_new(const char *default_parent)
{
    bp_selection *selection = g_new0(bp_selection, 1);
    selection->default_parent = g_strdup(default_parent);
    selection->rules = g_ptr_array_new_with_free_func(rule_free);
    return selection;
}

void
bp_selection_free(bp_selection *selection)
{
    if (selection != NULL) {
        g_free(selection->default_parent);
        g_ptr_array_unref(selection->rules);
        g_free(selection);
    }
}

static void
add_rule(bp_selection *selection, const char *text, char *take_parent, char *take_child)
{
    rule *r = g_new0(rule, 1);
    r->text = g_strdup(text);
    r->parent = take_parent;
    r->child = take_child;
    g_ptr_array_add(selection->rules, r);
}

/* Calls `add` for each trimmed term; an empty list or term is an error. */
static bool
each_term(bp_selection *selection, const char *text, const char *what,
          bool (*add)(bp_selection *, const char *), GError **error)
{
    g_auto(GStrv) terms = g_strsplit(text, ",", -1);
    if (terms[0] == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "%s: the list is empty", what);
        return false;
    }
    for (char **term = terms; *term != NULL; term++) {
        if (!add(selection, g_strstrip(*term))) {
            bp_set_error(error, BP_ERR_INVALID, "%s: '%s' is no valid term in '%s'", what, *term,
                         text);
            return false;
        }
    }
    return true;
}

static bool
add_filter_term(bp_selection *selection, const char *term)
{
    char *parent = NULL;
    char *child = NULL;
    if (!parse_term(term, selection->default_parent, &parent, &child)) {
        return false;
    }
    add_rule(selection, term, parent, child);
    return true;
}

static bool
add_child_term(bp_selection *selection, const char *term)
{
    return strchr(term, '*') == NULL && !g_str_has_suffix(term, ".") &&
           add_filter_term(selection, term);
}

static bool
add_parent_term(bp_selection *selection, const char *term)
{
    if (!is_name(term, strlen(term))) {
        return false;
    }
    add_rule(selection, term, g_strdup(term), g_strdup("*"));
    return true;
}

bool
bp_selection_add_filter(bp_selection *selection, const char *text, GError **error)
{
    return each_term(selection, text, "filter", add_filter_term, error);
}

bool
bp_selection_add_children(bp_selection *selection, const char *text, GError **error)
{
    return each_term(selection, text, "collections", add_child_term, error);
}

bool
bp_selection_add_parents(bp_selection *selection, const char *text, GError **error)
{
    return each_term(selection, text, "databases", add_parent_term, error);
}

static bool
add_json_parent(bp_selection *selection, const char *parent, const json_t *children)
{
    if (!is_name(parent, strlen(parent)) || !json_is_array(children)) {
        return false;
    }
    if (json_array_size(children) == 0) {
        return add_parent_term(selection, parent);
    }
    for (gsize i = 0; i < json_array_size(children); i++) {
        const char *child = json_string_value(json_array_get(children, i));
        if (child == NULL || !is_name(child, strlen(child))) {
            return false;
        }
        g_autofree char *text = g_strdup_printf("%s.%s", parent, child);
        add_rule(selection, text, g_strdup(parent), g_strdup(child));
    }
    return true;
}

bool
bp_selection_add_json(bp_selection *selection, const char *text, GError **error)
{
    g_autoptr(json_t) object = bp_json_parse(text, strlen(text), "database_collections", error);
    if (object == NULL) {
        if (error != NULL && *error != NULL) {
            (*error)->code = BP_ERR_INVALID; /* it came from a command line, not from storage */
        }
        return false;
    }
    const char *parent = NULL;
    json_t *children = NULL;
    json_object_foreach(object, parent, children)
    {
        if (!add_json_parent(selection, parent, children)) {
            bp_set_error(error, BP_ERR_INVALID,
                         "database_collections: '%s' must be a name with a list of names", parent);
            return false;
        }
    }
    return true;
}

bool
bp_selection_is_empty(const bp_selection *selection)
{
    return selection->rules->len == 0;
}

bool
bp_selection_wants_parent(bp_selection *selection, const char *parent)
{
    bool wanted = bp_selection_is_empty(selection);
    for (guint i = 0; i < selection->rules->len; i++) {
        rule *r = g_ptr_array_index(selection->rules, i);
        if (strcmp(r->parent, parent) == 0) {
            wanted = true;
            r->matched |= r->child == NULL || strcmp(r->child, "*") == 0;
        }
    }
    return wanted;
}

bool
bp_selection_names_parent(bp_selection *selection, const char *parent)
{
    bool named = bp_selection_is_empty(selection);
    for (guint i = 0; i < selection->rules->len; i++) {
        rule *r = g_ptr_array_index(selection->rules, i);
        if (strcmp(r->parent, parent) == 0 && (r->child == NULL || strcmp(r->child, "*") == 0)) {
            named = true;
            r->matched = true;
        }
    }
    return named;
}

bool
bp_selection_wants_child(bp_selection *selection, const char *parent, const char *child)
{
    bool wanted = bp_selection_is_empty(selection);
    for (guint i = 0; i < selection->rules->len; i++) {
        rule *r = g_ptr_array_index(selection->rules, i);
        if (r->child != NULL && strcmp(r->parent, parent) == 0 &&
            (strcmp(r->child, "*") == 0 || strcmp(r->child, child) == 0)) {
            wanted = true;
            r->matched = true;
        }
    }
    return wanted;
}

static void
append_unmatched(GString *out, const rule *r)
{
    if (!r->matched) {
        g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", r->text);
    }
}

static char *
free_to_text(GString *out)
{
    if (out->len == 0) {
        g_string_free(out, TRUE);
        return NULL;
    }
    return g_string_free(out, FALSE);
}

char *
bp_selection_unmatched(const bp_selection *selection)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < selection->rules->len; i++) {
        append_unmatched(out, g_ptr_array_index(selection->rules, i));
    }
    return free_to_text(out);
}

bp_selection *
bp_select_parse(const bp_select_text *text, const char *default_parent, GError **error)
{
    g_autoptr(bp_selection) all = bp_selection_new(default_parent);
    bool fine = (text->filter == NULL || bp_selection_add_filter(all, text->filter, error)) &&
                (text->children == NULL || bp_selection_add_children(all, text->children, error)) &&
                (text->parents == NULL || bp_selection_add_parents(all, text->parents, error)) &&
                (text->json == NULL || bp_selection_add_json(all, text->json, error));
    return fine ? g_steal_pointer(&all) : NULL;
}

/* Both sides of a rename must have the same form: name, db.name or db.* */
static bool
same_form(const char *from, const char *to)
{
    bool from_dot = strchr(from, '.') != NULL;
    bool to_dot = strchr(to, '.') != NULL;
    return from_dot == to_dot && g_str_has_suffix(from, "*") == g_str_has_suffix(to, "*");
}

static bool
add_rename(bp_renames *renames, const char *text)
{
    g_auto(GStrv) sides = g_strsplit(text, ":", -1);
    if (g_strv_length(sides) != 2) {
        return false;
    }
    const char *from = g_strstrip(sides[0]);
    const char *to = g_strstrip(sides[1]);
    rename_rule *r = g_new0(rename_rule, 1);
    g_ptr_array_add(renames->rules, r);
    r->from.text = g_strdup(text);
    return same_form(from, to) &&
           parse_term(from, renames->default_parent, &r->from.parent, &r->from.child) &&
           parse_term(to, renames->default_parent, &r->parent, &r->child) &&
           r->from.child != NULL && r->child != NULL;
}

bp_renames *
bp_renames_new(const char *default_parent, const char *rules, const char *suffix, GError **error)
{
    g_autoptr(bp_renames) renames = g_new0(bp_renames, 1);
    renames->default_parent = g_strdup(default_parent);
    renames->suffix = g_strdup(suffix);
    renames->rules = g_ptr_array_new_with_free_func(rename_rule_free);
    if (suffix != NULL && !is_name(suffix, strlen(suffix))) {
        bp_set_error(error, BP_ERR_INVALID, "suffix '%s' cannot be part of a name", suffix);
        return NULL;
    }
    g_auto(GStrv) texts = g_strsplit(rules != NULL ? rules : "", ",", -1);
    for (char **text = texts; *text != NULL; text++) {
        if (!add_rename(renames, g_strstrip(*text))) {
            bp_set_error(error, BP_ERR_INVALID,
                         "rename: '%s' is no rule\nhint: write c1:c2, db1.c1:db2.c2 or "
                         "db1.*:db2.*",
                         *text);
            return NULL;
        }
    }
    return g_steal_pointer(&renames);
}

void
bp_renames_free(bp_renames *renames)
{
    if (renames != NULL) {
        g_free(renames->default_parent);
        g_free(renames->suffix);
        g_ptr_array_unref(renames->rules);
        g_free(renames);
    }
}

static rename_rule *
find_rename(bp_renames *renames, const char *parent, const char *child)
{
    for (guint i = 0; i < renames->rules->len; i++) {
        rename_rule *r = g_ptr_array_index(renames->rules, i);
        if (strcmp(r->from.parent, parent) == 0 && strcmp(r->from.child, child) == 0) {
            r->from.matched = true;
            return r;
        }
    }
    return NULL;
}

void
bp_renames_apply(bp_renames *renames, const char *parent, const char *child, char **to_parent,
                 char **to_child)
{
    const rename_rule *exact = find_rename(renames, parent, child);
    if (exact != NULL) {
        *to_parent = g_strdup(exact->parent);
        *to_child = g_strdup(exact->child);
        return;
    }
    *to_parent = bp_renames_parent(renames, parent);
    *to_child = g_strconcat(child, renames->suffix, NULL); /* a NULL suffix ends the list */
}

char *
bp_renames_parent(bp_renames *renames, const char *parent)
{
    const rename_rule *all = find_rename(renames, parent, "*");
    return g_strdup(all != NULL ? all->parent : parent);
}

char *
bp_renames_unmatched(const bp_renames *renames)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < renames->rules->len; i++) {
        const rename_rule *r = g_ptr_array_index(renames->rules, i);
        append_unmatched(out, &r->from);
    }
    return free_to_text(out);
}
