/* SPDX-License-Identifier: Apache-2.0
 *
 * From libyaml's events to nodes.  The parser is asked for one event at a time, so that hostile
 * input is refused where a limit is crossed and not after it was swallowed.
 */
#include "core/config/yaml.h"

#include <string.h>
#include <yaml.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

typedef struct {
    yaml_parser_t parser;
    const char *what;
    const char *text; /* the input, to count lines where libyaml only knows an offset */
    gsize size;
    guint nodes, depth;
} reader;

static bp_node *read_node(reader *in, const yaml_event_t *event, GError **error);

static guint
mark_line(yaml_mark_t mark)
{
    return (guint)mark.line + 1;
}

static guint
line_at(const char *text, gsize offset)
{
    guint line = 1;
    for (gsize i = 0; i < offset; i++) {
        line += text[i] == '\n';
    }
    return line;
}

static bool
refuse(const reader *in, guint line, GError **error, const char *why)
{
    bp_set_error(error, BP_ERR_INVALID, "%s:%u: %s", in->what, line, why);
    return false;
}

static bool
syntax_error(const reader *in, GError **error)
{
    const yaml_parser_t *parser = &in->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be parsed";
    guint line = mark_line(parser->problem_mark);
    if (parser->error == YAML_READER_ERROR) {
        line = line_at(in->text, MIN(parser->problem_offset, in->size));
    }
    bp_set_error(error, BP_ERR_INVALID, "%s:%u: not valid YAML: %s", in->what, line, problem);
    return false;
}

static bool
next_event(reader *in, yaml_event_t *event, GError **error)
{
    return yaml_parser_parse(&in->parser, event) == 1 || syntax_error(in, error);
}

static bool
check_plainness(const reader *in, const yaml_event_t *event, GError **error)
{
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    }
    guint line = mark_line(event->start_mark);
    if (anchor != NULL || event->type == YAML_ALIAS_EVENT) {
        return refuse(in, line, error, "anchors and aliases (& and *) are not accepted");
    }
    return tag == NULL || refuse(in, line, error, "tags (!) are not accepted");
}

static bool
is_null_word(const yaml_event_t *event)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return false;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp((const char *)event->data.scalar.value, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The text of a scalar event, or NULL (error set) when C cannot hold it. */
static char *
scalar_text(const reader *in, const yaml_event_t *event, GError **error)
{
    const char *value = (const char *)event->data.scalar.value;
    if (strlen(value) != event->data.scalar.length) {
        refuse(in, mark_line(event->start_mark), error, "a text holds a NUL byte");
        return NULL;
    }
    return g_strdup(value);
}

static bool
read_key(reader *in, const yaml_event_t *event, const bp_node *map, char **name, GError **error)
{
    guint line = mark_line(event->start_mark);
    if (!check_plainness(in, event, error)) {
        return false;
    }
    if (event->type != YAML_SCALAR_EVENT) {
        return refuse(in, line, error, "a key must be plain text");
    }
    g_autofree char *text = scalar_text(in, event, error);
    if (text == NULL) {
        return false;
    }
    if (*text == '\0' || strpbrk(text, ". \t\r\n") != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "%s:%u: \"%s\" cannot be a key", in->what, line, text);
        bp_error_add_hint(error, "write nested keys as maps: {concurrency: {units: 4}}");
        return false;
    }
    const bp_node *twin = bp_node_child(map, text);
    if (twin != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "%s:%u: key \"%s\" was given already in line %u",
                     in->what, line, text, twin->line);
        return false;
    }
    *name = g_steal_pointer(&text);
    return true;
}

static bool
read_value(reader *in, GError **error, bp_node **out)
{
    yaml_event_t event;
    if (!next_event(in, &event, error)) {
        return false;
    }
    *out = read_node(in, &event, error);
    yaml_event_delete(&event);
    return *out != NULL;
}

/* One key and its value, or one element. */
static bool
read_member(reader *in, const yaml_event_t *event, bp_node *parent, GError **error)
{
    bp_node *child = NULL;
    if (parent->kind == BP_NODE_LIST) {
        child = read_node(in, event, error);
    } else {
        g_autofree char *name = NULL;
        guint line = mark_line(event->start_mark);
        if (!read_key(in, event, parent, &name, error) || !read_value(in, error, &child)) {
            return false;
        }
        child->name = g_steal_pointer(&name);
        child->line = line;
    }
    if (child != NULL) {
        g_ptr_array_add(parent->children, child);
    }
    return child != NULL;
}

static bool
read_members(reader *in, bp_node *parent, GError **error)
{
    yaml_event_type_t end =
        parent->kind == BP_NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    bool more = true;
    while (more) {
        yaml_event_t event;
        if (!next_event(in, &event, error)) {
            return false;
        }
        more = event.type != end;
        bool ok = !more || read_member(in, &event, parent, error);
        yaml_event_delete(&event);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bp_node *
read_node(reader *in, const yaml_event_t *event, GError **error)
{
    guint line = mark_line(event->start_mark);
    if (!check_plainness(in, event, error)) {
        return NULL;
    }
    if (++in->nodes > BP_YAML_MAX_NODES) {
        refuse(in, line, error, "too many values (more than " G_STRINGIFY(BP_YAML_MAX_NODES) ")");
        return NULL;
    }
    g_autoptr(bp_node) node = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        node = bp_node_new(BP_NODE_TEXT);
        node->line = line;
        if (!is_null_word(event)) {
            node->text = scalar_text(in, event, error);
            return node->text != NULL ? g_steal_pointer(&node) : NULL;
        }
        return g_steal_pointer(&node);
    }
    if (in->depth == BP_YAML_MAX_DEPTH) {
        refuse(in, line, error, "nested too deeply (" G_STRINGIFY(BP_YAML_MAX_DEPTH) " levels)");
        return NULL;
    }
    node = bp_node_new(event->type == YAML_MAPPING_START_EVENT ? BP_NODE_MAP : BP_NODE_LIST);
    node->line = line;
    in->depth++;
    bool ok = read_members(in, node, error);
    in->depth--;
    return ok ? g_steal_pointer(&node) : NULL;
}

/* Reads events up to the first that carries content, or the end. */
static bool
skip_to_content(reader *in, yaml_event_t *event, GError **error)
{
    for (;;) {
        if (!next_event(in, event, error)) {
            return false;
        }
        if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT &&
            event->type != YAML_DOCUMENT_END_EVENT) {
            return true;
        }
        yaml_event_delete(event);
    }
}

static bool
check_end(reader *in, GError **error)
{
    yaml_event_t event;
    if (!skip_to_content(in, &event, error)) {
        return false;
    }
    bool ok = event.type == YAML_STREAM_END_EVENT;
    guint line = mark_line(event.start_mark);
    yaml_event_delete(&event);
    return ok || refuse(in, line, error, "a second document is not accepted");
}

static bp_node *
read_document(reader *in, GError **error)
{
    yaml_event_t event;
    if (!skip_to_content(in, &event, error)) {
        return NULL;
    }
    if (event.type == YAML_STREAM_END_EVENT) {
        yaml_event_delete(&event);
        return bp_node_new(BP_NODE_MAP);
    }
    g_autoptr(bp_node) root = read_node(in, &event, error);
    yaml_event_delete(&event);
    if (root == NULL || !check_end(in, error)) {
        return NULL;
    }
    if (bp_node_is_null(root)) {
        return bp_node_new(BP_NODE_MAP);
    }
    if (root->kind != BP_NODE_MAP) {
        refuse(in, root->line, error, "expected keys with values");
        return NULL;
    }
    return g_steal_pointer(&root);
}

bp_node *
bp_yaml_parse(const char *text, gsize n, const char *what, GError **error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    const char *bad = NULL;
    if (n > BP_YAML_MAX_BYTES) {
        bp_set_error(error, BP_ERR_INVALID, "%s: larger than %d bytes", what, BP_YAML_MAX_BYTES);
        return NULL;
    }
    if (!g_utf8_validate_len(text, n, &bad)) {
        bp_set_error(error, BP_ERR_INVALID, "%s:%u: not UTF-8 text", what,
                     line_at(text, (gsize)(bad - text)));
        return NULL;
    }
    if (n >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3;
        n -= 3;
    }
    reader in = {.what = what, .text = text, .size = n};
    if (yaml_parser_initialize(&in.parser) != 1) {
        bp_set_error(error, BP_ERR_NOMEM, "%s: no memory for the YAML parser", what);
        return NULL;
    }
    yaml_parser_set_encoding(&in.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&in.parser, (const unsigned char *)text, n);
    bp_node *root = read_document(&in, error);
    yaml_parser_delete(&in.parser);
    return root;
}
