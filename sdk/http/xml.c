/* SPDX-License-Identifier: Apache-2.0
 *
 * A parser context per document: options, callbacks and errors are its own, nothing is set for the
 * process.  What a document type could bring (entities, defaults, files to load) is refused where
 * it begins.
 */
#include "sdk/http/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

/* No XML_PARSE_HUGE: libxml2 then stops at 256 levels and at texts of 10 MB.  No XML_PARSE_NOENT
 * and no XML_PARSE_DTDLOAD.  CDATA becomes text like any other. */
#define OPTIONS (XML_PARSE_NONET | XML_PARSE_NOCDATA)

/* Elements and attributes of one document, each of which takes a hundred times the memory that its
 * four bytes of text do.  The longest answers that there are, 100,000 blocks of an Azure blob, have
 * three for each. */
#define MAX_NODES 400000

/* What the callbacks know of a document beside its parser. */
struct course {
    int has_type;
    size_t nodes;
};

#if LIBXML_VERSION >= 21200
typedef const xmlError problem;
#else
typedef xmlError problem;
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Unlike parsing, libxml2's first steps are not for several threads at a time. */
static void
first(void)
{
    xmlInitParser();
}

static void
on_document_type(void *ctx, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    xmlParserCtxt *parser = ctx;
    (void)name;
    (void)public_id;
    (void)system_id;
    struct course *course = parser->_private;
    course->has_type = 1;
    xmlStopParser(parser);
}

/* Counts elements at their ends: no more than 256 are open, so none gets far without one. */
static void
on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxt *parser = ctx;
    struct course *course = parser->_private;
    const xmlAttr *attribute = parser->node != NULL ? parser->node->properties : NULL;
    for (; attribute != NULL; attribute = attribute->next) {
        course->nodes++;
    }
    course->nodes++;
    xmlSAX2EndElementNs(ctx, name, prefix, uri);
    if (course->nodes > MAX_NODES) {
        xmlStopParser(parser);
    }
}

/* Keeps errors from the process-wide handler, which prints; the context remembers the last one. */
static void
on_error(void *ctx, problem *what)
{
    (void)ctx;
    (void)what;
}

static bp_status
report(const xmlParserCtxt *parser, struct bp_error *error)
{
    const xmlError *last = &parser->lastError;
    const struct course *course = parser->_private;
    if (course->has_type) {
        return bp_fail(error, BP_ERR_CORRUPT, "XML with a document type, which is not accepted");
    }
    if (course->nodes > MAX_NODES) {
        return bp_fail(error, BP_ERR_CORRUPT, "XML of more than %d elements", MAX_NODES);
    }
    if (last->code == XML_ERR_NO_MEMORY) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read XML");
    }
    const char *text = last->message != NULL ? last->message : "not well-formed";
    return bp_fail(error, BP_ERR_CORRUPT, "XML line %d: %.*s", last->line, (int)strcspn(text, "\n"),
                   text);
}

bp_status
bp_xml_parse(const void *bytes, size_t n, bp_xml **out, struct bp_error *error)
{
    *out = NULL;
    if (n > INT_MAX) {
        return bp_fail(error, BP_ERR_CORRUPT, "XML of more than 2 GiB");
    }
    (void)pthread_once(&once, first);
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (parser == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read XML");
    }
    struct course course = {0};
    parser->_private = &course;
    parser->sax->internalSubset = on_document_type;
    parser->sax->endElementNs = on_end;
    parser->sax->serror = on_error;
    parser->sax->comment = NULL; /* would cut a text in two */
    parser->sax->processingInstruction = NULL;
    xmlDoc *document = xmlCtxtReadMemory(parser, bytes, (int)n, NULL, NULL, OPTIONS);
    bp_status status = BP_OK;
    if (document == NULL || course.has_type || course.nodes > MAX_NODES ||
        xmlDocGetRootElement(document) == NULL) {
        status = report(parser, error);
        xmlFreeDoc(document);
        document = NULL;
    }
    xmlFreeParserCtxt(parser);
    *out = (bp_xml *)document;
    return status;
}

void
bp_xml_free(bp_xml *xml)
{
    xmlFreeDoc((xmlDoc *)xml);
}

static const xmlNode *
element_from(const xmlNode *node, const char *name)
{
    while (node != NULL && (node->type != XML_ELEMENT_NODE ||
                            (name != NULL && strcmp((const char *)node->name, name) != 0))) {
        node = node->next;
    }
    return node;
}

const bp_xml_node *
bp_xml_root(const bp_xml *xml)
{
    const xmlDoc *document = (const xmlDoc *)xml;
    return (const bp_xml_node *)element_from(document->children, NULL);
}

const char *
bp_xml_name(const bp_xml_node *node)
{
    return (const char *)((const xmlNode *)node)->name;
}

const bp_xml_node *
bp_xml_first(const bp_xml_node *parent, const char *name)
{
    return (const bp_xml_node *)element_from(((const xmlNode *)parent)->children, name);
}

const bp_xml_node *
bp_xml_next(const bp_xml_node *node, const char *name)
{
    return (const bp_xml_node *)element_from(((const xmlNode *)node)->next, name);
}

/* What an attribute's value or an element's text begins with; as no entities are known, that is all
 * of a value. */
static const char *
text_of(const xmlNode *child)
{
    return child != NULL && child->type == XML_TEXT_NODE ? (const char *)child->content : "";
}

const char *
bp_xml_own_text(const bp_xml_node *node)
{
    return text_of(((const xmlNode *)node)->children);
}

const char *
bp_xml_attribute(const bp_xml_node *node, const char *name)
{
    const xmlAttr *attribute = ((const xmlNode *)node)->properties;
    while (attribute != NULL && strcmp((const char *)attribute->name, name) != 0) {
        attribute = attribute->next;
    }
    return attribute != NULL ? text_of(attribute->children) : NULL;
}

const char *
bp_xml_text(const bp_xml_node *parent, const char *name)
{
    const bp_xml_node *child = bp_xml_first(parent, name);
    return child != NULL ? bp_xml_own_text(child) : NULL;
}
