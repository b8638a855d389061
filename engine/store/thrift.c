#include "engine/store/thrift.h"

#include <assert.h>

enum { MAX_DEPTH = 32 };

static uint64_t varint(struct thrift_in *in)
{
    uint64_t v = 0;

    for (unsigned shift = 0; in->p < in->end && shift < 64; shift += 7) {
        uint8_t b = *in->p++;

        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    in->bad = true;
    in->p = in->end;
    return 0;
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

bool thrift_next(struct thrift_in *in, struct thrift_field *f)
{
    uint8_t head;

    if (in->p >= in->end) {
        in->bad = true;
        return false;
    }
    head = *in->p++;
    if (head == THRIFT_STOP)
        return false;
    f->type = (enum thrift_type)(head & 0x0f);
    if (head >> 4)
        f->id = (int16_t)(f->last + (head >> 4));
    else
        f->id = (int16_t)unzigzag(varint(in));
    f->last = f->id;
    if (f->type > THRIFT_STRUCT || f->type == THRIFT_STOP)
        in->bad = true;
    return !in->bad;
}

int64_t thrift_int(struct thrift_in *in, const struct thrift_field *f)
{
    return thrift_element_int(in, f->type);
}

int64_t thrift_element_int(struct thrift_in *in, enum thrift_type of)
{
    if (of == THRIFT_BYTE) {
        if (in->p < in->end)
            return (int8_t)*in->p++;
        in->bad = true;
        return 0;
    }
    if (of >= THRIFT_I16 && of <= THRIFT_I64)
        return unzigzag(varint(in));
    thrift_skip(in, of); /* not what was expected: as if absent */
    return 0;
}

bool thrift_bool(const struct thrift_field *f)
{
    return f->type == THRIFT_TRUE;
}

struct sv thrift_element_binary(struct thrift_in *in, enum thrift_type of)
{
    struct sv s = { 0 };
    uint64_t len;

    if (of != THRIFT_BINARY) {
        thrift_skip(in, of);
        return s;
    }
    len = varint(in);
    if (in->bad || len > (uint64_t)(in->end - in->p)) {
        in->bad = true;
        return s;
    }
    s = (struct sv){ (const char *)in->p, (size_t)len };
    in->p += len;
    return s;
}

struct sv thrift_binary(struct thrift_in *in, const struct thrift_field *f)
{
    return thrift_element_binary(in, f->type);
}

uint32_t thrift_list(struct thrift_in *in, const struct thrift_field *f,
                     enum thrift_type *of)
{
    uint64_t n;
    uint8_t head;

    *of = THRIFT_STOP;
    if (f->type != THRIFT_LIST && f->type != THRIFT_SET) {
        thrift_skip(in, f->type);
        return 0;
    }
    if (in->p >= in->end) {
        in->bad = true;
        return 0;
    }
    head = *in->p++;
    n = head >> 4;
    *of = (enum thrift_type)(head & 0x0f);
    if (n == 15)
        n = varint(in);
    if (*of > THRIFT_STRUCT ||
        n > (uint64_t)(in->end - in->p)) { /* each takes a byte or more */
        in->bad = true;
        return 0;
    }
    return (uint32_t)n;
}

static void skip_bytes(struct thrift_in *in, uint64_t n)
{
    if (n > (uint64_t)(in->end - in->p)) {
        in->bad = true;
        in->p = in->end;
        return;
    }
    in->p += n;
}

static void skip_elements(struct thrift_in *in, uint64_t n, enum thrift_type a,
                          enum thrift_type b)
{
    for (uint64_t i = 0; i < n && !in->bad; i++) {
        /* booleans in a list take a byte each, unlike those of fields */
        if (a <= THRIFT_FALSE)
            skip_bytes(in, 1);
        else
            thrift_skip(in, a);
        if (b == THRIFT_STOP)
            continue;
        if (b <= THRIFT_FALSE)
            skip_bytes(in, 1);
        else
            thrift_skip(in, b);
    }
}

void thrift_skip(struct thrift_in *in, enum thrift_type type)
{
    struct thrift_field f = { .type = type };
    enum thrift_type of;
    uint64_t n;

    if (in->bad || ++in->depth > MAX_DEPTH) {
        in->bad = true;
        return;
    }
    switch (type) {
    case THRIFT_STOP:
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        break;
    case THRIFT_BYTE:
        skip_bytes(in, 1);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        varint(in);
        break;
    case THRIFT_DOUBLE:
        skip_bytes(in, 8);
        break;
    case THRIFT_BINARY:
        n = varint(in);
        skip_bytes(in, n);
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        n = thrift_list(in, &f, &of);
        skip_elements(in, n, of, THRIFT_STOP);
        break;
    case THRIFT_MAP:
        n = varint(in);
        if (n > 0 && in->p < in->end) {
            uint8_t kinds = *in->p++;

            if (n > (uint64_t)(in->end - in->p) || (kinds & 15) > THRIFT_STRUCT ||
                kinds >> 4 > THRIFT_STRUCT)
                in->bad = true;
            else
                skip_elements(in, n, (enum thrift_type)(kinds >> 4),
                              (enum thrift_type)(kinds & 15));
        }
        break;
    case THRIFT_STRUCT:
        f = (struct thrift_field){ 0 };
        while (thrift_next(in, &f))
            thrift_skip(in, f.type);
        break;
    }
    in->depth--;
}

/* ---- writing ---- */

static void put_varint(struct thrift_out *t, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        strbuf_addc(t->out, (char)(v | 0x80));
    strbuf_addc(t->out, (char)v);
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static void put_field(struct thrift_out *t, int16_t id, enum thrift_type type)
{
    int delta = id - t->last[t->depth];

    if (delta > 0 && delta < 16) {
        strbuf_addc(t->out, (char)(delta << 4 | (int)type));
    } else {
        strbuf_addc(t->out, (char)type);
        put_varint(t, zigzag(id));
    }
    t->last[t->depth] = id;
}

void thrift_put_int(struct thrift_out *t, int16_t id, enum thrift_type type, int64_t v)
{
    put_field(t, id, type);
    if (type == THRIFT_BYTE)
        strbuf_addc(t->out, (char)v);
    else
        put_varint(t, zigzag(v));
}

void thrift_put_bool(struct thrift_out *t, int16_t id, bool v)
{
    put_field(t, id, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_put_binary(struct thrift_out *t, int16_t id, struct sv v)
{
    put_field(t, id, THRIFT_BINARY);
    thrift_put_element_binary(t, v);
}

void thrift_put_list(struct thrift_out *t, int16_t id, enum thrift_type of, uint32_t n)
{
    put_field(t, id, THRIFT_LIST);
    if (n < 15) {
        strbuf_addc(t->out, (char)(n << 4 | (uint32_t)of));
    } else {
        strbuf_addc(t->out, (char)(0xf0 | (uint32_t)of));
        put_varint(t, n);
    }
}

void thrift_put_element_int(struct thrift_out *t, int64_t v)
{
    put_varint(t, zigzag(v));
}

void thrift_put_element_binary(struct thrift_out *t, struct sv v)
{
    put_varint(t, v.len);
    strbuf_add(t->out, v);
}

void thrift_put_struct(struct thrift_out *t, int16_t id)
{
    if (id)
        put_field(t, id, THRIFT_STRUCT);
    assert(t->depth + 1 < (int)(sizeof t->last / sizeof *t->last));
    t->last[++t->depth] = 0;
}

void thrift_put_end(struct thrift_out *t)
{
    strbuf_addc(t->out, THRIFT_STOP);
    t->depth--;
}
