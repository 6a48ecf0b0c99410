/* SPDX-License-Identifier: Apache-2.0
 *
 * core/grpc/wire: against bytes that protobuf 7.36 for Python made of the same JSON, with the
 * descriptors of core/grpc/proto; and what nobody honest would send.
 */
#include "core/grpc/wire.h"

#include "core/base/json.h"
#include "core/compat/messages_v1.h"
#include "core/grpc/messages.h"
#include "tests/harness/suite.h"

#define N_MUTATIONS 10000
#define SEED 20261126
#define MAX_BYTES 4096

typedef struct {
    const bp_message *message;
    const char *text, *hex;
} golden;

static const golden goldens[] = {
    {&bp_v1_create_backup_request,
     "{\"requestId\":\"r\",\"backup_name\":\"nächtlich\",\"collection_names\":[\"a\",\"\",\"db.c\"]"
     ","
     "\"async\":true,\"db_collections\":{\"db\":[\"c\",1,true,null,{\"x\":-2.5}]},"
     "\"gc_pause_seconds\":-1,\"filter\":{\"db1\":{\"colls\":[\"*\"]}}}",
     "0a0172120a6ec3a46368746c6963681a01611a001a0464622e6320012a382a360a340a026462122e322c0a031a016"
     "3"
     "0a0911000000000000f03f0a0220010a0208000a122a100a0e0a017812091100000000000004c048fffffffffffff"
     "f"
     "ffff016a0a0a0364623112030a012a"},
    {&bp_v1_create_backup_request, "{\"gc_pause_seconds\":2147483647,\"db_collections\":\"text\"}",
     "2a061a047465787448ffffffff07"},
    {&bp_v1_restore_backup_request,
     "{\"backup_name\":\"b\",\"collection_renames\":{\"a\":\"b\"},\"restoreIndex\":true,"
     "\"maxShardNum\":-2147483648,\"skipParams\":{\"indexParams\":[\"m\"]},\"restorePlan\":"
     "{\"mapping\":[{\"source\":\"d\",\"colls\":[{\"source\":\"c\",\"override\":{\"shardNum\":2}}]}"
     "]},\"ezkMapping\":{\"k\":\"\"}}",
     "1201622a060a01611201625801980180808080f8ffffffff01a2010322016dc2010e0a0c0a016422070a01631a020"
     "8"
     "02ca01050a016b1200"},
    {&bp_v1_backup_info_response,
     "{\"code\":404,\"msg\":\"m\",\"data\":{\"state_code\":2,\"start_time\":1752460000123,"
     "\"end_time\":-62135596800,\"progress\":100,\"backup_timestamp\":9223372036854775807,"
     "\"collection_backups\":[{\"collection_id\":459,\"schema\":{\"fields\":[{\"fieldID\":100,"
     "\"is_primary_key\":true,\"data_type\":5}],\"functions\":[{\"input_field_ids\":[100,-1,"
     "3000000000]}]},\"has_index\":true,\"index_infos\":[{\"params\":{\"M\":\"16\"}}]}],"
     "\"size\":73012}}",
     "1094031a016d2256100220fbf685b68033288092b8c398feffffff01306440ffffffffffffffff7f4a3038cb03521"
     "c"
     "22060864180128053a12321064ffffffffffffffffff0180bcc1960b8001018a010922070a014d1202313650b4ba0"
     "4"},
    {&bp_grpc_reflection_response,
     "{\"file_descriptor_response\":{\"file_descriptor_proto\":[\"AP8QgA==\",\"AA==\"]}}",
     "22090a0400ff10800a0100"},
};

static gsize
bytes_of(const char *hex, guint8 *out)
{
    gsize n = strlen(hex) / 2;
    ck_assert_uint_le(n, MAX_BYTES);
    for (gsize i = 0; i < n; i++) {
        out[i] =
            (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    }
    return n;
}

/* Returns: (transfer full) (nullable) */
static json_t *
read_hex(const bp_message *message, const char *hex, GError **error)
{
    guint8 bytes[MAX_BYTES];
    gsize n = bytes_of(hex, bytes);
    /* Of their very size, so that reading beyond shows. */
    g_autofree guint8 *exact = n > 0 ? g_memdup2(bytes, n) : NULL;
    return bp_wire_read(message, exact, n, error);
}

static void
assert_reads(const bp_message *message, const char *hex, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) read = read_hex(message, hex, &error);
    ASSERT_FINE(read != NULL, error);
    g_autofree char *got = bp_json_line(read);
    ck_assert_str_eq(got, line);
}

static void
assert_refuses(const bp_message *message, const char *hex, const char *why)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) read = read_hex(message, hex, &error);
    ck_assert_msg(read == NULL, "%s was read", hex);
    ASSERT_ERROR(error, BP_ERR_INVALID, why);
}

START_TEST(test_read__what_protobuf_wrote)
{
    for (gsize i = 0; i < G_N_ELEMENTS(goldens); i++) {
        g_autoptr(json_t) wanted = json_loads(goldens[i].text, 0, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) read = read_hex(goldens[i].message, goldens[i].hex, &error);
        ASSERT_FINE(read != NULL, error);
        g_autofree char *got = bp_json_line(read);
        ck_assert_msg(json_equal(read, wanted), "%s", got);
    }
}
END_TEST

START_TEST(test_write__as_protobuf_writes)
{
    for (gsize i = 0; i < G_N_ELEMENTS(goldens); i++) {
        guint8 wanted[MAX_BYTES];
        gsize n_wanted = bytes_of(goldens[i].hex, wanted);
        g_autoptr(json_t) value = json_loads(goldens[i].text, 0, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) written = bp_wire_write(goldens[i].message, value, &error);
        ASSERT_FINE(written != NULL, error);
        gsize n = 0;
        const guint8 *bytes = g_bytes_get_data(written, &n);
        ck_assert_uint_eq(n, n_wanted);
        ck_assert_int_eq(memcmp(bytes, wanted, n), 0);
    }
}
END_TEST

START_TEST(test_write__leaves_out_what_is_empty_or_has_no_number)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_loads(
        "{\"code\":0,\"msg\":\"\",\"data\":{\"size\":0,\"has_index\":false,\"meta_size\":5,"
        "\"collection_backups\":null,\"unknown\":1}}",
        0, NULL);
    g_autoptr(GBytes) written = bp_wire_write(&bp_v1_backup_info_response, value, &error);
    ASSERT_FINE(written != NULL, error);
    gsize n = 0;
    const guint8 *bytes = g_bytes_get_data(written, &n);
    ck_assert_uint_eq(n, 2); /* a `data` that is there, with nothing in it */
    ck_assert_uint_eq(bytes[0], 0x22);
    ck_assert_uint_eq(bytes[1], 0);
}
END_TEST

START_TEST(test_write__of_another_type)
{
    static const char *const texts[] = {"{\"msg\":1}", "{\"code\":\"x\"}", "{\"data\":[]}",
                                        "{\"data\":{\"collection_backups\":{\"a\":1}}}",
                                        "{\"data\":{\"size\":1.5}}"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) value = json_loads(texts[i], 0, NULL);
        g_autoptr(GBytes) written = bp_wire_write(&bp_v1_backup_info_response, value, &error);
        ck_assert_msg(written == NULL, "%s", texts[i]);
        ASSERT_ERROR(error, BP_ERR_INVALID, "the value is of another type");
    }
}
END_TEST

START_TEST(test_read__nothing_is_all_empty)
{
    assert_reads(&bp_v1_create_backup_request, "", "{}");
}
END_TEST

/* f8 1f: field 511 as a number; fa 1f: as bytes; f9, fd: fixed. */
START_TEST(test_read__skips_what_it_does_not_know)
{
    assert_reads(&bp_v1_delete_backup_request,
                 "f81f05120162fa1f03ffffff"
                 "f91f0000000000000000fd1f00000000",
                 "{\"backup_name\":\"b\"}");
    /* Also in the entry of a map, and in a Value. */
    assert_reads(&bp_v1_restore_backup_request, "2a080a01611201621801",
                 "{\"collection_renames\":{\"a\":\"b\"}}");
    assert_reads(&bp_v1_create_backup_request, "2a0520014a0100", "{\"db_collections\":true}");
}
END_TEST

START_TEST(test_read__the_last_counts_and_pieces_are_joined)
{
    assert_reads(&bp_v1_delete_backup_request, "12016112016212024141", "{\"backup_name\":\"AA\"}");
    assert_reads(&bp_v1_restore_backup_request, "a2010322016da201030a0170",
                 "{\"skipParams\":{\"indexParams\":[\"m\"],\"collectionProperties\":[\"p\"]}}");
    assert_reads(&bp_v1_restore_backup_request, "2a060a01611201622a060a0161120163",
                 "{\"collection_renames\":{\"a\":\"c\"}}");
}
END_TEST

/* A field's numbers one by one, in one piece, and both. */
START_TEST(test_read__packed_or_not)
{
    static const char line[] = "{\"data\":{\"collection_backups\":[{\"schema\":{\"functions\":["
                               "{\"input_field_ids\":[1,2,300]}]}}]}}";
    assert_reads(&bp_v1_backup_info_response, "220d4a0b52093a073001300230ac02", line);
    assert_reads(&bp_v1_backup_info_response, "220c4a0a52083a0632040102ac02", line);
    assert_reads(&bp_v1_backup_info_response, "220d4a0b52093a073001320302ac02", line);
}
END_TEST

START_TEST(test_read__entries_without_key_or_value)
{
    assert_reads(&bp_v1_restore_backup_request, "2a00", "{\"collection_renames\":{\"\":\"\"}}");
    assert_reads(&bp_v1_create_backup_request, "6a030a0164", "{\"filter\":{\"d\":{}}}");
}
END_TEST

START_TEST(test_read__null_is_empty)
{
    assert_reads(&bp_v1_create_backup_request, "2a020800", "{}");
    assert_reads(&bp_v1_create_backup_request, "2a00", "{}");
    assert_reads(&bp_v1_create_backup_request, "2a031a01612a00", "{}");
}
END_TEST

START_TEST(test_read__cut_or_malformed)
{
    static const struct {
        const char *hex, *why;
    } cases[] = {
        {"12", "CreateBackupRequest: backup_name: it ends in the middle"},
        {"1205", "it ends in the middle"},
        {"120561", "it ends in the middle"},
        {"12ffffffffffffffffff01", "it ends in the middle"}, /* a length of 2^64 - 1 */
        {"20", "async: it ends in the middle"},
        {"2080", "it ends in the middle"},
        {"80", "it ends in the middle"},
        {"20ffffffffffffffffff02", "more than 64 bits"},
        {"20ffffffffffffffffffff01", "more than 64 bits"},
        {"0001", "there is no field 0"},
        {"f8ffffffff0f01", "there is no field"},
        {"1301", "there is no wire type 3"},
        {"1401", "there is no wire type 4"},
        {"1601", "there is no wire type 6"},
        {"1701", "there is no wire type 7"},
        {"1001", "backup_name: it has wire type 0 instead of 2"},
        {"220161", "async: it has wire type 2 instead of 0"},
        {"1801", "collection_names: it has wire type 0 instead of 2"},
        {"1d00000000", "collection_names: it has wire type 5"},
        {"6801", "filter: it has wire type 0"},
        {"1201ff", "backup_name: it is no text in UTF-8"},
        {"12016100", "there is no field 0"},
        {"120100", "backup_name: it is no text in UTF-8"},
        {"4880808080808001", "gc_pause_seconds: it is not in its range"},
        {"2a0a11000000000000f07f", "it ends in the middle"},
        {"2a0911000000000000f07f", "db_collections: it is no number"},
        {"2a0911000000000000f87f", "db_collections: it is no number"},
        {"2a021001", "db_collections: it has wire type 0 instead of 1"},
        {"2a021801", "db_collections: it has wire type 0 instead of 2"},
        {"fa1f0561", "it ends in the middle"},
        {"f91f00", "it ends in the middle"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_refuses(&bp_v1_create_backup_request, cases[i].hex, cases[i].why);
    }
    /* Beyond what JSON carries. */
    assert_refuses(&bp_v1_backup_info_response, "220b40ffffffffffffffffff01", "not in its range");
}
END_TEST

/* n lists in each other, in a Value. */
static json_t *
read_nested(guint n, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (guint i = 0; i < n; i++) { /* from the inside: value { list { values: value } } */
        guint8 head[32];
        guint at = sizeof head;
        for (guint level = 0; level < 2; level++) {
            guint size = bytes->len + (guint)sizeof head - at;
            head[--at] = (guint8)(size >> 21 & 0x7f);
            head[--at] = (guint8)((size >> 14 & 0x7f) | 0x80);
            head[--at] = (guint8)((size >> 7 & 0x7f) | 0x80);
            head[--at] = (guint8)((size & 0x7f) | 0x80);
            head[--at] = level == 0 ? 0x0a : 0x32;
        }
        g_byte_array_prepend(bytes, head + at, (guint)sizeof head - at);
    }
    guint size = bytes->len;
    guint8 head[] = {0x2a, (guint8)((size & 0x7f) | 0x80), (guint8)((size >> 7 & 0x7f) | 0x80),
                     (guint8)((size >> 14 & 0x7f) | 0x80), (guint8)(size >> 21 & 0x7f)};
    g_byte_array_prepend(bytes, head, sizeof head);
    return bp_wire_read(&bp_v1_create_backup_request, bytes->data, bytes->len, error);
}

START_TEST(test_read__nested_too_deeply)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) fine = read_nested(4, &error);
    ASSERT_FINE(fine != NULL, error);
    ck_assert_uint_eq(json_array_size(json_object_get(fine, "db_collections")), 1);
    ck_assert_ptr_null(read_nested(20, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "nested too deeply");
    ck_assert_ptr_null(read_nested(5000, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "nested too deeply");
}
END_TEST

/* Two bytes each on the wire, many times that in memory. */
START_TEST(test_read__too_many_values)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *bytes = g_malloc(2 * (BP_WIRE_MAX_VALUES + 1));
    for (guint i = 0; i <= BP_WIRE_MAX_VALUES; i++) {
        bytes[2 * i] = 0x1a;
        bytes[2 * i + 1] = 0;
    }
    g_autoptr(json_t) fine =
        bp_wire_read(&bp_v1_create_backup_request, bytes, 2 * BP_WIRE_MAX_VALUES, &error);
    ASSERT_FINE(fine != NULL, error);
    ck_assert_ptr_null(
        bp_wire_read(&bp_v1_create_backup_request, bytes, 2 * (BP_WIRE_MAX_VALUES + 1), &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "collection_names: it has more than 65536 values");
}
END_TEST

/* One to four changes: another byte, one less, one more, the end cut off. */
static gsize
mutate(GRand *rand, guint8 *bytes, gsize n)
{
    for (gint left = g_rand_int_range(rand, 1, 5); left > 0 && n > 1 && n < MAX_BYTES; left--) {
        gsize at = (gsize)g_rand_int_range(rand, 0, (gint32)n);
        switch (g_rand_int_range(rand, 0, 4)) {
        case 0:
            bytes[at] = (guint8)g_rand_int(rand);
            break;
        case 1:
            memmove(bytes + at, bytes + at + 1, n - at - 1);
            n--;
            break;
        case 2:
            memmove(bytes + at + 1, bytes + at, n - at);
            n++;
            break;
        default:
            n = at + 1;
            break;
        }
    }
    return n;
}

/* What was understood is written, and understood again as the same. */
static void
assert_stable(const bp_message *message, const json_t *read)
{
    g_autoptr(GBytes) once = bp_wire_write(message, read, NULL);
    ck_assert_ptr_nonnull(once);
    gsize n = 0;
    const void *bytes = g_bytes_get_data(once, &n);
    g_autoptr(json_t) again = bp_wire_read(message, bytes, n, NULL);
    ck_assert_ptr_nonnull(again);
    g_autoptr(GBytes) twice = bp_wire_write(message, again, NULL);
    ck_assert(g_bytes_equal(once, twice));
}

START_TEST(test_read__mutated_messages)
{
    GRand *rand = g_rand_new_with_seed(SEED);
    guint n_read = 0;
    for (guint i = 0; i < N_MUTATIONS; i++) {
        const golden *from = &goldens[i % G_N_ELEMENTS(goldens)];
        guint8 bytes[MAX_BYTES];
        gsize n = mutate(rand, bytes, bytes_of(from->hex, bytes));
        g_autofree guint8 *exact = g_memdup2(bytes, n);
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) read = bp_wire_read(from->message, exact, n, &error);
        ck_assert((read == NULL) == (error != NULL));
        if (read != NULL) {
            assert_stable(from->message, read);
            n_read++;
        }
    }
    g_rand_free(rand);
    /* Both happen, or nothing was tried. */
    ck_assert_uint_gt(n_read, N_MUTATIONS / 20);
    ck_assert_uint_lt(n_read, N_MUTATIONS * 19 / 20);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "wire", NULL, NULL, test_read__what_protobuf_wrote, test_write__as_protobuf_writes,
        test_write__leaves_out_what_is_empty_or_has_no_number, test_write__of_another_type,
        test_read__nothing_is_all_empty, test_read__skips_what_it_does_not_know,
        test_read__the_last_counts_and_pieces_are_joined, test_read__packed_or_not,
        test_read__entries_without_key_or_value, test_read__null_is_empty,
        test_read__cut_or_malformed, test_read__nested_too_deeply, test_read__too_many_values,
        test_read__mutated_messages);
}
