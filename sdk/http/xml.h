/* SPDX-License-Identifier: Apache-2.0
 *
 * XML answers of servers, over libxml2 in its safe mode: no document type, no entities but the five
 * of XML itself, nothing loaded, nothing printed, at most 256 levels deep, at most 400,000 elements
 * and attributes.  The caller bounds the size.  Comments and processing instructions are skipped.
 *
 * Threads: any; one document is read by any number of threads.
 */
#ifndef BAKPLANE_HTTP_XML_H
#define BAKPLANE_HTTP_XML_H

#include <bakplane/error.h>

BP_BEGIN_DECLS

typedef struct bp_xml bp_xml;           /**< a parsed document */
typedef struct bp_xml_node bp_xml_node; /**< an element; lives as long as its document */

/** Errors: CORRUPT (not well-formed, a document type, too deep or too many elements; names the
 *  line), NOMEM. */
bp_status bp_xml_parse(const void *bytes, size_t n, bp_xml **out, struct bp_error *error);
/** NULL is fine. */
void bp_xml_free(bp_xml *xml);

/** Never NULL. */
const bp_xml_node *bp_xml_root(const bp_xml *xml);

/** Without the prefix of a namespace. */
const char *bp_xml_name(const bp_xml_node *node);

/** First child element of that name, or the next element of that name beside it; NULL = none.
 *  name NULL = any. */
const bp_xml_node *bp_xml_first(const bp_xml_node *parent, const char *name);
const bp_xml_node *bp_xml_next(const bp_xml_node *node, const char *name);

/** Text of the first child element of that name, blanks and all; "" = empty, NULL = no such child.
 *  Borrowed from the document. */
const char *bp_xml_text(const bp_xml_node *parent, const char *name);
/** Text of the element itself, up to the first element in it. */
const char *bp_xml_own_text(const bp_xml_node *node);
/** Value of the element's attribute of that name, without the prefix of a namespace; NULL = none.
 *  Borrowed from the document. */
const char *bp_xml_attribute(const bp_xml_node *node, const char *name);

BP_END_DECLS

#endif
