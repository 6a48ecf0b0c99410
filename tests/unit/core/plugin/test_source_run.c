/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/source_run and source_items: a capture, and what is refused in one.
 */
#include <stdatomic.h>

#include "core/base/fault.h"
#include "core/plugin/host.h"
#include "sdk/lib/errors.h"
#include "tests/unit/core/plugin/source_fixture.h"

static bool
stop_item(void *ctx, const struct bp_item *item)
{
    (void)ctx;
    (void)item;
    return false;
}

static const bp_item_fns noting = {.item = note_item}, stopping = {.item = stop_item};

START_TEST(test_items__named_and_proven)
{
    g_autoptr(GError) error = NULL;
    struct bp_proof proof;
    bp_source_run *run = begin_run();
    ASSERT_FINE(bp_source_unit_items(run, &call, "a", &noting, &error), error);
    ck_assert_str_eq(seen->str, "items/a/1=a/1@db items/a/2=a/2@db ");
    ASSERT_FINE(bp_source_unit_prove(run, &call, "a", &proof, &error), error);
    ck_assert_uint_eq(proof.low, 2);
    ck_assert_uint_eq(proof.found, 2);
    ck_assert_str_eq(proof.note, "objects listed");
    ASSERT_FINE(bp_source_unit_refresh(run, &call, "a", &error), error);
    ASSERT_FINE(bp_source_unit_end(run, &call, "a", BP_OUTCOME_DONE, &error), error);
    end_run(run);
}
END_TEST

/* The second page fails when its items were told; none of them may come twice. */
START_TEST(test_items__a_page_that_failed_is_asked_for_again)
{
#if BP_FAULTS
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) whole = NULL;
    for (guint i = 0; i < 2500; i++) {
        g_autofree char *key = g_strdup_printf("a/k%04u", i);
        test_ops_seed("db", key, "x");
    }
    const bp_retry_params twice = {.attempts = 2, .max_delay_ns = 1};
    bp_item_fns stubborn = {.item = note_item, .retry = &twice};
    bp_source_run *run = begin_run();
    ASSERT_FINE(bp_source_unit_items(run, &call, "a", &noting, &error), error);
    whole = g_string_new(seen->str);
    g_string_truncate(seen, 0);
    ASSERT_FINE(bp_fault_load("source.unit_items:files:after:nth=2:class=retryable", &error),
                error);
    ASSERT_FINE(bp_source_unit_items(run, &call, "a", &stubborn, &error), error);
    ASSERT_FINE(bp_fault_load("", &error), error);
    ck_assert_str_eq(seen->str, whole->str);
    end_run(run);
#endif
}
END_TEST

START_TEST(test_items__many_pages_and_stop)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 2500; i++) {
        g_autofree char *key = g_strdup_printf("a/k%04u", i);
        test_ops_seed("db", key, "x");
    }
    bp_source_run *run = begin_run();
    struct bp_proof proof;
    ASSERT_FINE(bp_source_unit_items(run, &call, "a", &noting, &error), error);
    ASSERT_FINE(bp_source_unit_prove(run, &call, "a", &proof, &error), error);
    ck_assert_uint_eq(proof.found, 2502);
    ck_assert(!bp_source_unit_items(run, &call, "a", &stopping, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "source files: unit_items was stopped");
    end_run(run);
}
END_TEST

START_TEST(test_items__stream_is_unsupported_here)
{
    g_autoptr(GError) error = NULL;
    bp_source_run *run = begin_run();
    const struct bp_item_open_args args = {
        .struct_size = sizeof args, .unit_id = "a", .item_id = "x"};
    ck_assert_ptr_null(bp_source_item_open(run, &call, &args, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "source files has no streamed items");
    end_run(run);
}
END_TEST

/* A source of two pages, the second of which waits until it is asked for nothing more. */
static struct {
    atomic_bool asked; /* for the second page */
    bool waits;
} ahead;

static bp_status
two_pages(struct bp_run *run, const struct bp_op *op, const char *unit_id, const char *token,
          const struct bp_item_sink *sink, struct bp_error *error)
{
    (void)run;
    (void)unit_id;
    const struct bp_item item = {.struct_size = sizeof item,
                                 .id = "i",
                                 .key = token == NULL ? "items/1" : "items/2",
                                 .ref = "db",
                                 .ref_key = "a/1"};
    if (token == NULL) {
        return sink->item(sink->ctx, &item) + sink->next(sink->ctx, "second");
    }
    atomic_store(&ahead.asked, true);
    while (ahead.waits) {
        if (bp_host_table()->cancelled(op) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "was told to stop");
        }
    }
    return sink->item(sink->ctx, &item);
}

static bool
item_when_asked_ahead(void *ctx, const struct bp_item *item)
{
    (void)ctx;
    while (!atomic_load(&ahead.asked)) {
        g_thread_yield();
    }
    (void)note_item(NULL, item);
    return !ahead.waits;
}

START_TEST(test_items__next_page_is_asked_for_meanwhile)
{
    g_autoptr(GError) error = NULL;
    const bp_item_fns fns = {.item = item_when_asked_ahead};
    bp_source_run *run = begin_run();
    source_module->source.unit_items = two_pages;
    ASSERT_FINE(bp_source_unit_items(run, &call, "a", &fns, &error), error);
    ck_assert_str_eq(seen->str, "items/1=a/1@db items/2=a/1@db ");
    end_run(run);
}
END_TEST

START_TEST(test_items__next_page_is_cancelled_with_the_first)
{
    g_autoptr(GError) error = NULL;
    const bp_item_fns fns = {.item = item_when_asked_ahead};
    bp_source_run *run = begin_run();
    source_module->source.unit_items = two_pages;
    ahead.waits = true;
    ck_assert(!bp_source_unit_items(run, &call, "a", &fns, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "source files: unit_items was stopped");
    ck_assert_str_eq(seen->str, "items/1=a/1@db ");
    end_run(run);
}
END_TEST

static struct bp_item lying_item;
static const char *lying_token;

static bp_status
lying_items(struct bp_run *run, const struct bp_op *op, const char *unit_id, const char *token,
            const struct bp_item_sink *sink, struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)unit_id;
    (void)token;
    (void)error;
    if (lying_token != NULL) {
        return sink->next(sink->ctx, lying_token) * 0;
    }
    return sink->item(sink->ctx, &lying_item) * 0;
}

#define ITEM .struct_size = sizeof(struct bp_item), .id = "i"

START_TEST(test_items__lies)
{
    static const struct {
        struct bp_item item;
        const char *message;
    } cases[] = {
        {{ITEM, .key = "bakplane/manifest.json"}, "lies where only the host may write"},
        {{ITEM, .key = "bakplane"}, "lies where only the host may write"},
        {{ITEM, .key = "../x"}, "item key \"../x\" has a part"},
        {{ITEM, .key = "k", .ref = "elsewhere", .ref_key = "k"},
         "item k lies on storage \"elsewhere\", which is out of its reach"},
        {{ITEM, .key = "k", .ref = "db", .ref_key = "/etc"}, "item's key on its storage"},
        {{ITEM, .key = "k", .ref = "db", .ref_key = "k", .size = G_MAXUINT64 - 1},
         "item k has an impossible size"},
        {{ITEM, .key = "k", .kind = BP_ITEM_STREAM}, "but item_open is missing"},
        {{ITEM, .key = "k", .kind = 7}, "item k has kind 7"},
    };
    bp_source_run *run = begin_run();
    source_module->source.unit_items = lying_items;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        lying_item = cases[i].item;
        ck_assert(!bp_source_unit_items(run, &call, "a", &noting, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
    g_autoptr(GError) error = NULL;
    lying_token = "again";
    ck_assert(!bp_source_unit_items(run, &call, "a", &noting, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "answered the same token again");
    lying_token = NULL;
    ck_assert_str_eq(seen->str, "");
    end_run(run);
}
END_TEST

static bool
note_begin(void *ctx, const char *key, bool commit)
{
    (void)ctx;
    g_string_append_printf(seen, "%s%s:", key, commit ? "!" : "");
    return true;
}

static bool
note_write(void *ctx, const void *bytes, gsize n)
{
    (void)ctx;
    g_string_append_len(seen, bytes, (gssize)n);
    return true;
}

static bool
note_end(void *ctx)
{
    (void)ctx;
    return true;
}

static bool
refuse_end(void *ctx)
{
    (void)ctx;
    return false;
}

static const bp_document_fns document_fns = {
    .begin = note_begin, .write = note_write, .end = note_end};

START_TEST(test_documents__one_with_commit)
{
    g_autoptr(GError) error = NULL;
    bp_source_run *run = begin_run();
    ASSERT_FINE(bp_source_documents(run, &call, &document_fns, &error), error);
    ck_assert_str_eq(seen->str,
                     "meta/files.json!:{\"units\": [\n  {\"name\": \"a\", \"objects\": 0}\n]}\n");
    bp_document_fns refusing = {.begin = note_begin, .write = note_write, .end = refuse_end};
    ck_assert(!bp_source_documents(run, &call, &refusing, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "documents was stopped");
    end_run(run);
}
END_TEST

static const char *script; /* b: begin, c: begin the commit document, w: write, e: end */

static bp_status
scripted_documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
                   struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)error;
    int32_t stop = 0;
    for (const char *step = script; *step != '\0' && stop == 0; step++) {
        stop = *step == 'b'   ? sink->begin(sink->ctx, "meta/x.json", 0)
               : *step == 'c' ? sink->begin(sink->ctx, "meta/files.json", BP_DOCUMENT_COMMIT)
               : *step == 'x' ? sink->begin(sink->ctx, "meta/x.json", BP_DOCUMENT_COMMIT)
               : *step == 'w' ? sink->write(sink->ctx, "x", 1)
                              : sink->end(sink->ctx);
    }
    return BP_OK;
}

START_TEST(test_documents__lies)
{
    static const struct {
        const char *script, *message;
    } cases[] = {
        {"bwe", "there is no commit document"},
        {"cwebwe", "a document follows the commit document"},
        {"bb", "a document begins inside of another"},
        {"w", "text outside of a document"},
        {"e", "the end of a document that did not begin"},
        {"cw", "the last document has no end"},
        {"xwe", "the commit document is not the one that info names"},
    };
    bp_source_run *run = begin_run();
    source_module->source.documents = scripted_documents;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        script = cases[i].script;
        ck_assert(!bp_source_documents(run, &call, &document_fns, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
    end_run(run);
}
END_TEST

static bp_status
lying_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id, struct bp_proof *out,
            struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)unit_id;
    (void)error;
    out->low = 5;
    out->high = 4;
    return BP_OK;
}

START_TEST(test_prove__bounds_upside_down)
{
    g_autoptr(GError) error = NULL;
    struct bp_proof proof;
    bp_source_run *run = begin_run();
    source_module->source.unit_prove = lying_prove;
    ck_assert(!bp_source_unit_prove(run, &call, "a", &proof, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "proof of a has low 5 above high 4");
    end_run(run);
}
END_TEST

START_TEST(test_optional__missing_operations)
{
    g_autoptr(GError) error = NULL;
    struct bp_adopt_info info;
    bp_adopt_fns fns = {0};
    bp_source_run *run = begin_run();
    ck_assert(!bp_source_adopt(source, &call, "@backup", &fns, &info, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED,
                 "source files has no way to read backups of other programs");
    ASSERT_FINE(bp_source_run_keepalive(run, &call, &error), error);
    source_module->source.unit_refresh = NULL;
    ck_assert(!bp_source_unit_refresh(run, &call, "a", &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "source files has no way to look at a unit again");
    end_run(run);
}
END_TEST

/* STREAM items: a reader that yields "stream" from its offset on. */

struct bp_item_reader {
    gsize at;
};

static gsize lying_amount;

static bp_status
stream_open(struct bp_run *run, const struct bp_op *op, const struct bp_item_open_args *args,
            struct bp_item_reader **out, struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)error;
    if (strcmp(args->item_id, "empty-handed") == 0) {
        return BP_OK;
    }
    ck_assert_uint_eq(args->struct_size, sizeof *args);
    ck_assert_str_eq(args->unit_id, "a");
    ck_assert_str_eq(args->etag, "v1");
    *out = g_new0(struct bp_item_reader, 1);
    (*out)->at = args->offset;
    return BP_OK;
}

static bp_status
stream_read(struct bp_item_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
            size_t *n, struct bp_error *error)
{
    (void)op;
    (void)error;
    *n = MIN(cap, strlen("stream") - reader->at);
    memcpy(buffer, "stream" + reader->at, *n);
    reader->at += *n;
    *n += lying_amount;
    return BP_OK;
}

static void
stream_close(struct bp_item_reader *reader)
{
    g_free(reader);
}

START_TEST(test_stream__read_from_an_offset)
{
    g_autoptr(GError) error = NULL;
    char buffer[16];
    gsize n = 0;
    bp_source_run *run = begin_run();
    source_module->source.item_open = stream_open;
    source_module->source.item_read = stream_read;
    source_module->source.item_close = stream_close;
    struct bp_item_open_args args = {
        .struct_size = sizeof args, .unit_id = "a", .item_id = "i", .etag = "v1", .offset = 2};
    bp_source_reader *reader = bp_source_item_open(run, &call, &args, &error);
    ASSERT_FINE(reader != NULL, error);
    ASSERT_FINE(bp_source_item_read(reader, &call, buffer, 3, &n, &error), error);
    ck_assert_uint_eq(n, 3);
    ck_assert_mem_eq(buffer, "rea", 3);
    lying_amount = 20;
    ck_assert(!bp_source_item_read(reader, &call, buffer, 3, &n, &error));
    lying_amount = 0;
    ck_assert_uint_eq(n, 0);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "item_read: answered 21 bytes into room for 3");
    bp_source_item_close(reader);
    bp_source_item_close(NULL);
    args.item_id = "empty-handed";
    ck_assert_ptr_null(bp_source_item_open(run, &call, &args, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: files item_open: answered no reader");
    end_run(run);
}
END_TEST

/* LeakSanitizer would see a run that is lost. */
START_TEST(test_fault__run_that_began_is_ended)
{
#if BP_FAULTS
    g_autoptr(GError) error = NULL;
    guint32 keepalive_ms = 0;
    struct bp_run_args args = {.struct_size = sizeof args, .run_id = "r1", .backup = "nightly"};
    ASSERT_FINE(bp_fault_load("source.run_begin:files:after:class=retryable", &error), error);
    ck_assert_ptr_null(bp_source_run_begin(source, &call, &args, &keepalive_ms, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "injected fault at source.run_begin of files");
    ASSERT_FINE(bp_fault_load("", &error), error);
#endif
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/plugin/source_run", source_setup, source_teardown, test_items__named_and_proven,
        test_items__a_page_that_failed_is_asked_for_again, test_items__many_pages_and_stop,
        test_items__next_page_is_asked_for_meanwhile,
        test_items__next_page_is_cancelled_with_the_first, test_items__stream_is_unsupported_here,
        test_items__lies, test_documents__one_with_commit, test_documents__lies,
        test_prove__bounds_upside_down, test_optional__missing_operations,
        test_stream__read_from_an_offset, test_fault__run_that_began_is_ended);
}
