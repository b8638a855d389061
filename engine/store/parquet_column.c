#include "engine/store/parquet_column.h"

#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    WINDOW_BYTES = 256 << 10,
    HEADER_BYTES = 128, /* most are shorter; statistics can make them long */
    MAX_HEADER = 16 << 20,
    MAX_PAGE = 1 << 30,
    MAX_TEXTS = 64 << 20, /* texts of one delta-encoded page */
    PADDING = 8,
};

struct page_bytes {
    struct page_bytes *next;
    size_t len, cap;
    uint8_t bytes[];
};

static enum errc damaged(const struct parquet_column *c, const char *what,
                         struct err *err)
{
    return err_set(err, ERR_CORRUPT, "%s: column %.*s: %s", c->path,
                   (int)c->leaf->name.len, c->leaf->name.p, what);
}

/* ---- bytes of the chunk ---- */

/* At least n unread bytes in the window. */
static enum errc need(struct parquet_column *c, size_t n, struct err *err)
{
    size_t have = c->to - c->from, want;

    if (have >= n)
        return ERR_OK;
    if (n - have > (uint64_t)c->left)
        return damaged(c, "pages end beyond the chunk", err);
    want = n > WINDOW_BYTES ? n : WINDOW_BYTES;
    if (want > have + (uint64_t)c->left)
        want = have + (size_t)c->left;
    if (want > c->cap) {
        uint8_t *bigger = xmalloc(want);

        if (have)
            memcpy(bigger, c->window + c->from, have);
        free(c->window);
        c->window = bigger;
        c->cap = want;
    } else if (have) {
        memmove(c->window, c->window + c->from, have);
    }
    c->from = 0;
    c->to = have;
    while (c->to < want) {
        ssize_t got = pread(c->fd, c->window + c->to, want - c->to, c->next_at);

        if (got <= 0)
            return err_set(err, ERR_OPEN, "%s: cannot be read at byte %lld", c->path,
                           (long long)c->next_at);
        c->to += (size_t)got;
        c->next_at += got;
        c->left -= got;
        c->bytes_read += got;
    }
    return ERR_OK;
}

static enum errc read_header(struct parquet_column *c, struct parquet_header *h,
                             struct err *err)
{
    for (size_t want = HEADER_BYTES;; want *= 8) {
        size_t all = c->to - c->from + (size_t)c->left, used; /* not 0: see next_page */

        TRY(need(c, want < all ? want : all, err));
        if (parquet_page_header(
                (struct sv){ (char *)c->window + c->from, c->to - c->from }, h, &used)) {
            c->from += used;
            return ERR_OK;
        }
        if (want >= all || want > MAX_HEADER)
            return damaged(c, "a page header is damaged", err);
    }
}

static struct page_bytes *page_new(size_t len)
{
    struct page_bytes *p = xmalloc(sizeof *p + len + PADDING);

    p->next = NULL;
    p->len = len;
    p->cap = len;
    return p;
}

/* The page's bytes as they were before compression. `plain_head`: bytes in front that
 * were never compressed (levels of v2). */
static enum errc unpack(struct parquet_column *c, const struct parquet_header *h,
                        size_t plain_head, bool compressed, struct page_bytes *into,
                        struct err *err)
{
    const char *p = (char *)c->window + c->from;
    size_t packed = (size_t)h->bytes - plain_head;

    if (plain_head)
        memcpy(into->bytes, p, plain_head);
    memset(into->bytes + into->len, 0, PADDING);
    if (into->len == plain_head)
        return ERR_OK; /* all NULL: nothing was compressed */
    if (decompress_block(compressed ? c->chunk->codec : COMPRESS_NONE,
                         (struct sv){ p + plain_head, packed }, into->bytes + plain_head,
                         into->len - plain_head, err) != ERR_OK)
        return damaged(c, "a page does not decompress", err);
    return ERR_OK;
}

static enum errc load_dictionary(struct parquet_column *c, const struct parquet_header *h,
                                 struct err *err)
{
    uint32_t width = plain_width(c->leaf);
    uint64_t least = (uint64_t)h->values * (width                             ? width
                                            : c->leaf->physical == PQ_BOOLEAN ? 0
                                                                              : 4);
    struct plain s;

    if (c->dict_bytes || least > (uint64_t)h->raw_bytes ||
        (c->leaf->physical == PQ_BOOLEAN && h->values > h->raw_bytes * INT64_C(8)))
        return damaged(c, "its dictionary page is damaged", err);
    c->dict_bytes = page_new((size_t)h->raw_bytes);
    TRY(unpack(c, h, 0, true, c->dict_bytes, err));
    c->n_dict = (uint32_t)h->values;
    c->dict_values = xcalloc((size_t)c->n_dict + 1, type_width(c->leaf->type));
    s = (struct plain){ .p = c->dict_bytes->bytes,
                        .end = c->dict_bytes->bytes + c->dict_bytes->len };
    if (!plain_read(&s, c->leaf, c->n_dict, c->dict_values))
        return damaged(c, "its dictionary page is damaged", err);
    c->dict = (struct vec){ .type = c->leaf->type,
                            .kind = VEC_FLAT,
                            .data = c->dict_values,
                            .n_values = c->n_dict,
                            .serial = vec_new_serial() };
    return ERR_OK;
}

/* ---- data pages ---- */

/* All lengths must be known before the first text is found. */
static bool read_lengths(struct sv *bytes, uint32_t most, int64_t **out, uint32_t *n)
{
    struct delta d;

    if (!delta_init(&d, *bytes) || d.total > most || d.total > MAX_TEXTS)
        return false;
    *out = xrealloc(*out, mem_product(d.total + 1, sizeof **out));
    *n = (uint32_t)d.total;
    if (!delta_read(&d, *out, *n))
        return false;
    *bytes = sv_from(*bytes, (size_t)(delta_end(&d) - (const uint8_t *)bytes->p));
    return true;
}

static enum errc start_values(struct parquet_column *c, const struct parquet_header *h,
                              struct sv bytes, struct err *err)
{
    bool ok = true;
    uint32_t n;

    c->at = 0;
    c->plain = (struct plain){ .p = (const uint8_t *)bytes.p,
                               .end = (const uint8_t *)bytes.p + bytes.len };
    switch (h->encoding) {
    case PQ_PLAIN:
        c->kind = PAGE_PLAIN;
        return ERR_OK;
    case PQ_PLAIN_DICTIONARY:
    case PQ_RLE_DICTIONARY:
        c->kind = PAGE_DICTIONARY;
        if (bytes.len == 0) /* only NULLs */
            bytes = (struct sv){ "", 1 };
        if (!c->dict_bytes || (uint8_t)bytes.p[0] > 32)
            return damaged(c, "a page needs a dictionary that is not there", err);
        hybrid_init(&c->codes, sv_from(bytes, 1), (uint8_t)bytes.p[0]);
        return ERR_OK;
    case PQ_RLE:
        if (c->leaf->physical != PQ_BOOLEAN || bytes.len < 4)
            break;
        c->kind = PAGE_RLE_BOOLEAN;
        hybrid_init(&c->codes, sv_from(bytes, 4), 1);
        return ERR_OK;
    case PQ_DELTA_BINARY_PACKED:
        if (c->leaf->physical != PQ_INT32 && c->leaf->physical != PQ_INT64)
            break;
        c->kind = PAGE_DELTA;
        ok = delta_init(&c->delta, bytes);
        return ok ? ERR_OK : damaged(c, "a page is damaged", err);
    case PQ_DELTA_BYTE_ARRAY:
    case PQ_DELTA_LENGTH_BYTE_ARRAY:
        if (c->leaf->physical != PQ_BYTE_ARRAY && c->leaf->physical != PQ_FIXED)
            break;
        c->kind =
            h->encoding == PQ_DELTA_BYTE_ARRAY ? PAGE_DELTA_TEXT : PAGE_DELTA_LENGTH;
        c->previous = (struct sv){ 0 };
        if (c->kind == PAGE_DELTA_TEXT)
            ok = read_lengths(&bytes, (uint32_t)h->values, &c->prefixes, &c->n_lengths);
        ok = ok && read_lengths(&bytes, (uint32_t)h->values, &c->lengths, &n) &&
             (c->kind == PAGE_DELTA_LENGTH || n == c->n_lengths);
        c->n_lengths = ok ? n : 0;
        c->plain.p = (const uint8_t *)bytes.p;
        return ok ? ERR_OK : damaged(c, "a page is damaged", err);
    case PQ_BYTE_STREAM_SPLIT:
        if (plain_width(c->leaf) == 0 || bytes.len % plain_width(c->leaf) != 0)
            break;
        c->kind = PAGE_STREAM_SPLIT;
        return ERR_OK;
    case PQ_BIT_PACKED:
        break;
    }
    return err_set(err, ERR_CORRUPT,
                   "%s: column %.*s: encoding %d is not known for this type", c->path,
                   (int)c->leaf->name.len, c->leaf->name.p, (int)h->encoding);
}

static enum errc start_page(struct parquet_column *c, const struct parquet_header *h,
                            struct err *err)
{
    bool v2 = h->kind == PQ_DATA_PAGE_V2;
    size_t head = v2 ? (size_t)h->v2_def_bytes + (size_t)h->v2_rep_bytes : 0;
    struct sv bytes, levels = { "", 0 };

    if (head > (size_t)h->bytes || head > (size_t)h->raw_bytes)
        return damaged(c, "a page header is damaged", err);
    if (c->page) { /* text of the batch may point into it */
        c->page->next = c->held;
        c->held = c->page;
    }
    c->page = page_new((size_t)h->raw_bytes);
    TRY(unpack(c, h, head, !v2 || h->v2_compressed, c->page, err));
    bytes = (struct sv){ (char *)c->page->bytes, c->page->len };
    c->has_levels = c->leaf->optional;
    if (v2) {
        levels = (struct sv){ bytes.p + h->v2_rep_bytes, (size_t)h->v2_def_bytes };
        bytes = sv_from(bytes, head);
    } else if (c->leaf->optional) {
        uint32_t n;

        if (h->levels != PQ_RLE || bytes.len < 4)
            return damaged(c, "its levels are in an encoding no longer in use", err);
        memcpy(&n, bytes.p, 4);
        if (n > bytes.len - 4)
            return damaged(c, "a page is damaged", err);
        levels = (struct sv){ bytes.p + 4, n };
        bytes = sv_from(bytes, 4 + (size_t)n);
    }
    hybrid_init(&c->levels, levels, 1);
    c->page_left = (uint32_t)h->values;
    return start_values(c, h, bytes, err);
}

static enum errc next_page(struct parquet_column *c, struct err *err)
{
    do {
        struct parquet_header h;

        if (c->left == 0 && c->from == c->to)
            return damaged(c, "it has fewer rows than its row group", err);
        TRY(read_header(c, &h, err));
        if (h.raw_bytes > MAX_PAGE)
            return damaged(c, "a page of over 1 GiB", err);
        TRY(need(c, (size_t)h.bytes, err));
        if (h.kind == PQ_DICTIONARY_PAGE)
            TRY(load_dictionary(c, &h, err));
        else if (h.kind == PQ_DATA_PAGE || h.kind == PQ_DATA_PAGE_V2)
            TRY(start_page(c, &h, err));
        c->from += (size_t)h.bytes;
    } while (c->page_left == 0);
    return ERR_OK;
}

/* ---- values ---- */

static bool read_delta_lengths(struct parquet_column *c, uint32_t n, struct str *out)
{
    if (n > c->n_lengths - c->at)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        int64_t len = c->lengths[c->at++];

        if (len < 0 || len > c->plain.end - c->plain.p)
            return false;
        out[i] = str_make((const char *)c->plain.p, (size_t)len);
        c->plain.p += len;
    }
    return true;
}

/* Each value is a prefix of the one before and some bytes more. */
static bool read_delta_texts(struct parquet_column *c, uint32_t n, struct str *out)
{
    if (n > c->n_lengths - c->at)
        return false;
    for (uint32_t i = 0; i < n; i++, c->at++) {
        int64_t prefix = c->prefixes[c->at], rest = c->lengths[c->at];
        char *text;

        if (prefix < 0 || rest < 0 || (uint64_t)prefix > c->previous.len ||
            rest > c->plain.end - c->plain.p)
            return false;
        text = arena_bytes(&c->text, (size_t)(prefix + rest));
        if (prefix)
            memcpy(text, c->previous.p, (size_t)prefix);
        if (rest)
            memcpy(text + prefix, c->plain.p, (size_t)rest);
        c->plain.p += rest;
        c->previous = (struct sv){ text, (size_t)(prefix + rest) };
        out[i] = str_make(text, c->previous.len);
    }
    return true;
}

/* FIXED columns may come delta-encoded as texts: as if they were byte arrays. */
static bool read_delta_any(struct parquet_column *c, uint32_t n, void *out)
{
    struct str texts[256];

    if (type_is_text(c->leaf->type))
        return c->kind == PAGE_DELTA_TEXT ? read_delta_texts(c, n, out)
                                          : read_delta_lengths(c, n, out);
    for (uint32_t at = 0; at < n;) { /* decimals */
        uint32_t k = n - at < 256 ? n - at : 256;

        if (!(c->kind == PAGE_DELTA_TEXT ? read_delta_texts(c, k, texts)
                                         : read_delta_lengths(c, k, texts)))
            return false;
        for (uint32_t i = 0; i < k; i++) {
            struct parquet_leaf as_text = *c->leaf;
            struct value v;
            struct vec one = { .type = c->leaf->type, .kind = VEC_FLAT, .data = out };

            as_text.physical = PQ_BYTE_ARRAY;
            if (!plain_value(&as_text, str_sv(&texts[i]), &v))
                return false;
            value_store(&one, at + i, &v);
        }
        at += k;
    }
    return true;
}

static bool read_deltas(struct parquet_column *c, uint32_t n, char *out)
{
    size_t width = type_width(c->leaf->type);
    int64_t ints[256];

    for (uint32_t at = 0; at < n;) {
        uint32_t k = n - at < 256 ? n - at : 256;

        if (!delta_read(&c->delta, ints, k))
            return false;
        if (c->leaf->physical == PQ_INT32)
            for (uint32_t i = 0; i < k; i++)
                ints[i] = (int32_t)ints[i];
        plain_of_ints(c->leaf, ints, k, out + at * width);
        at += k;
    }
    return true;
}

/* Byte j of every value lies in stream j. */
static bool read_split(struct parquet_column *c, uint32_t n, char *out)
{
    uint32_t width = plain_width(c->leaf);
    size_t total = (size_t)(c->plain.end - c->plain.p) / width;
    size_t step = type_width(c->leaf->type);
    uint8_t joined[64 * 32];
    uint32_t most = (uint32_t)sizeof joined / width;

    if (n > total - c->at || most == 0)
        return false;
    for (uint32_t at = 0; at < n;) {
        uint32_t k = n - at < most ? n - at : most;
        struct plain s = { .p = joined, .end = joined + (size_t)k * width };

        for (uint32_t j = 0; j < width; j++)
            for (uint32_t i = 0; i < k; i++)
                joined[i * width + j] = c->plain.p[j * total + c->at + i];
        if (type_is_text(c->leaf->type)) { /* of fixed length: needs bytes of its own */
            char *text = arena_bytes(&c->text, (size_t)k * width);

            memcpy(text, joined, (size_t)k * width);
            s = (struct plain){ .p = (uint8_t *)text,
                                .end = (uint8_t *)text + (size_t)k * width };
        }
        if (!plain_read(&s, c->leaf, k, out + at * step))
            return false;
        c->at += k;
        at += k;
    }
    return true;
}

static bool codes_in_range(const uint32_t *codes, uint32_t n, uint32_t limit)
{
    uint32_t bad = 0;

    for (uint32_t i = 0; i < n; i++)
        bad |= codes[i] >= limit;
    return !bad;
}

/* Values by their size alone, whatever they mean. */
typedef uint8_t __attribute__((may_alias)) bytes1;
typedef uint16_t __attribute__((may_alias)) bytes2;
typedef uint32_t __attribute__((may_alias)) bytes4;
typedef uint64_t __attribute__((may_alias)) bytes8;
struct __attribute__((may_alias)) bytes16 {
    uint64_t half[2];
};

static void gather(void *out, const void *dict, const uint32_t *codes, uint32_t n,
                   size_t width)
{
    switch (width) {
#define CASE(w, T)                                                                       \
    case w:                                                                              \
        for (uint32_t i = 0; i < n; i++)                                                 \
            ((T *)out)[i] = ((const T *)dict)[codes[i]];                                 \
        break;
        CASE(1, bytes1)
        CASE(2, bytes2)
        CASE(4, bytes4)
        CASE(8, bytes8)
        CASE(16, struct bytes16)
#undef CASE
    }
}

/* n values that are there, densely, from row `row` of the output on. */
static bool read_values(struct parquet_column *c, uint32_t row, uint32_t n, bool as_codes)
{
    size_t width = type_width(c->leaf->type);
    char *out = (char *)c->values + row * width;
    uint32_t ones;

    switch (c->kind) {
    case PAGE_PLAIN:
        return plain_read(&c->plain, c->leaf, n, out);
    case PAGE_DICTIONARY:
        if (!hybrid_read(&c->codes, c->code + row, n) ||
            !codes_in_range(c->code + row, n, c->n_dict))
            return false;
        if (!as_codes)
            gather(out, c->dict_values, c->code + row, n, width);
        return true;
    case PAGE_DELTA:
        return read_deltas(c, n, out);
    case PAGE_DELTA_LENGTH:
    case PAGE_DELTA_TEXT:
        return read_delta_any(c, n, out);
    case PAGE_STREAM_SPLIT:
        return read_split(c, n, out);
    case PAGE_RLE_BOOLEAN:
        return hybrid_read_mask(&c->codes, (uint8_t *)out, n, &ones);
    }
    return false;
}

/* Dense values to the rows that are not NULL, from the last to the first; others zero. */
static void spread(void *values, const uint8_t *mask, uint32_t n, uint32_t dense,
                   size_t width)
{
    switch (width) {
#define CASE(w, T)                                                                       \
    case w: {                                                                            \
        T *v = values;                                                                   \
        for (uint32_t i = n, j = dense; i-- > 0;)                                        \
            v[i] = mask[i] ? v[--j] : (T){ 0 };                                          \
        break;                                                                           \
    }
        CASE(1, bytes1)
        CASE(2, bytes2)
        CASE(4, bytes4)
        CASE(8, bytes8)
        CASE(16, struct bytes16)
#undef CASE
    }
}

static void leave_batch(struct parquet_column *c)
{
    while (c->held) {
        struct page_bytes *next = c->held->next;

        free(c->held);
        c->held = next;
    }
    if (c->kind == PAGE_DELTA_TEXT && c->previous.len && c->previous.p != c->carry) {
        c->carry = xrealloc(c->carry, c->previous.len);
        memcpy(c->carry, c->previous.p, c->previous.len);
        c->previous.p = c->carry;
    }
    arena_reset(&c->text);
}

enum errc parquet_column_read(struct parquet_column *c, uint32_t n, struct vec *out,
                              struct err *err)
{
    size_t width = type_width(c->leaf->type);
    bool text = type_is_text(c->leaf->type), as_codes = false;
    uint32_t nulls = 0;

    leave_batch(c);
    for (uint32_t row = 0, k; row < n; row += k) {
        bool codes_now;
        uint32_t there;

        if (c->page_left == 0)
            TRY(next_page(c, err));
        k = c->page_left < n - row ? c->page_left : n - row;
        c->page_left -= k;
        there = k;
        if (!c->has_levels)
            memset(c->mask + row, 1, k);
        else if (!hybrid_read_mask(&c->levels, c->mask + row, k, &there))
            return damaged(c, "a page's levels are damaged", err);
        nulls += k - there;
        /* a batch that runs into pages without dictionary becomes FLAT as a whole */
        codes_now = text && c->kind == PAGE_DICTIONARY && (row == 0 || as_codes);
        if (as_codes && !codes_now)
            gather(c->values, c->dict_values, c->code, row, width);
        as_codes = codes_now;
        if (!read_values(c, row, there, as_codes))
            return damaged(c, "a page's values are damaged", err);
        if (there < k && as_codes)
            spread(c->code + row, c->mask + row, k, there, sizeof *c->code);
        else if (there < k)
            spread((char *)c->values + row * width, c->mask + row, k, there, width);
    }
    *out = (struct vec){ .type = c->leaf->type,
                         .kind = as_codes ? VEC_DICT : VEC_FLAT,
                         .data = as_codes ? NULL : c->values,
                         .valid = nulls ? c->mask : NULL,
                         .codes = as_codes ? c->code : NULL,
                         .dict = as_codes ? &c->dict : NULL };
    return ERR_OK;
}

static void leave_chunk(struct parquet_column *c)
{
    c->previous = (struct sv){ 0 };
    leave_batch(c);
    free(c->page);
    free(c->dict_bytes);
    free(c->dict_values);
    c->page = c->dict_bytes = NULL;
    c->dict_values = NULL;
    c->n_dict = c->page_left = 0;
    c->from = c->to = 0;
}

void parquet_column_begin(struct parquet_column *c, int fd, const char *path,
                          const struct parquet_leaf *leaf,
                          const struct parquet_chunk *chunk)
{
    leave_chunk(c);
    if (!c->values) {
        c->values = xcalloc(BATCH_ROWS, 16);
        c->mask = xcalloc(BATCH_ROWS, 1);
        c->code = xcalloc(BATCH_ROWS, sizeof *c->code);
    }
    c->fd = fd;
    c->path = path;
    c->leaf = leaf;
    c->chunk = chunk;
    c->next_at = chunk->start;
    c->left = chunk->bytes;
}

void parquet_column_release(struct parquet_column *c)
{
    leave_chunk(c);
    arena_release(&c->text);
    free(c->window);
    free(c->lengths);
    free(c->prefixes);
    free(c->carry);
    free(c->values);
    free(c->mask);
    free(c->code);
    *c = (struct parquet_column){ 0 };
}
