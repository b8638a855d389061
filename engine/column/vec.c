/* Text values and the columns of a batch; see vec.h. */
#include "engine/column/vec.h"

static const char *str_bytes(const struct str *s)
{
    return s->len <= STR_INLINE ? s->prefix : s->u.p;
}

bool str_eq(const struct str *a, const struct str *b)
{
    uint64_t head_a, head_b, tail_a, tail_b;

    memcpy(&head_a, a, sizeof head_a); /* length and prefix */
    memcpy(&head_b, b, sizeof head_b);
    if (head_a != head_b)
        return false;
    memcpy(&tail_a, &a->u, sizeof tail_a);
    memcpy(&tail_b, &b->u, sizeof tail_b);
    if (tail_a == tail_b)
        return true; /* the same short text, or the same pointer */
    return a->len > STR_INLINE && memcmp(a->u.p + 4, b->u.p + 4, a->len - 4) == 0;
}

int str_cmp(const struct str *a, const struct str *b)
{
    uint32_t head_a, head_b;
    uint32_t n = a->len < b->len ? a->len : b->len;

    memcpy(&head_a, a->prefix, sizeof head_a);
    memcpy(&head_b, b->prefix, sizeof head_b);
    if (head_a != head_b) {
        /* unused bytes are zero, so that a text that ends here sorts first */
        return memcmp(a->prefix, b->prefix, sizeof a->prefix);
    }
    int order = n > 4 ? memcmp(str_bytes(a) + 4, str_bytes(b) + 4, n - 4) : 0;
    return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

struct str str_keep(struct arena *a, const struct str *s)
{
    struct str kept = *s;

    if (s->len > STR_INLINE) {
        char *p = arena_bytes(a, s->len);

        memcpy(p, s->u.p, s->len);
        kept.u.p = p;
    }
    return kept;
}

struct vec vec_flat(struct arena *a, struct type t, uint32_t rows, bool with_valid)
{
    struct vec v = { .type = t, .kind = VEC_FLAT };

    v.data = arena_array(a, rows ? rows : 1, type_width(t));
    if (with_valid) {
        v.valid = arena_alloc(a, rows ? rows : 1);
        memset(v.valid, 1, rows);
    }
    return v;
}

bool vec_is_null(const struct vec *v, uint32_t row)
{
    if (v->kind == VEC_CONST)
        return v->valid && !v->valid[0];
    if (v->valid && !v->valid[row])
        return true;
    return v->kind == VEC_DICT && v->dict->valid && !v->dict->valid[v->codes[row]];
}

const void *vec_at(const struct vec *v, uint32_t row)
{
    const char *data = v->kind == VEC_DICT ? v->dict->data : v->data;
    size_t at = v->kind == VEC_DICT ? v->codes[row] : v->kind == VEC_CONST ? 0 : row;

    return data + at * type_width(v->type);
}

/* ---- unpacking ---- */

struct sixteen { /* text or a wide decimal, where 8 bytes are all the alignment there is
                  */
    uint64_t half[2];
};

static void fill_rows(struct vec *out, const void *value, const struct batch *b)
{
    size_t width = type_width(out->type);
    char *to = out->data;

    if (width == 1) {
        memset(to, *(const char *)value, b->n_rows);
        return;
    }
#define FILL(T)                                                                          \
    do {                                                                                 \
        T x;                                                                             \
        memcpy(&x, value, sizeof x);                                                     \
        for (uint32_t i = 0; i < b->n_rows; i++)                                         \
            ((T *)out->data)[i] = x;                                                     \
    } while (0)
    switch (width) {
    case 2:
        FILL(uint16_t);
        break;
    case 4:
        FILL(uint32_t);
        break;
    case 8:
        FILL(uint64_t);
        break;
    default:
        FILL(struct sixteen);
        break;
    }
#undef FILL
}

/* Rows that do not count, or are NULL, may have any code: they are not looked up. */
static void gather_rows(struct vec *out, const struct vec *v, const struct batch *b)
{
    const uint32_t *codes = v->codes;
    const uint8_t *valid = v->valid;

#define GATHER(T)                                                                        \
    do {                                                                                 \
        const T *from = v->dict->data;                                                   \
        T *to = out->data;                                                               \
        if (!valid && !b->sel)                                                           \
            for (uint32_t i = 0; i < b->n_rows; i++)                                     \
                to[i] = from[codes[i]];                                                  \
        else                                                                             \
            for (uint32_t i = 0; i < b->n_sel; i++) {                                    \
                uint32_t row = batch_row(b, i);                                          \
                if (!valid || valid[row])                                                \
                    to[row] = from[codes[row]];                                          \
            }                                                                            \
    } while (0)
    switch (type_width(out->type)) {
    case 1:
        GATHER(uint8_t);
        break;
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    case 8:
        GATHER(uint64_t);
        break;
    default:
        GATHER(struct sixteen);
        break;
    }
#undef GATHER
}

static void gather_valid(struct vec *out, const struct vec *v, const struct batch *b)
{
    const uint8_t *by_code = v->dict->valid;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        out->valid[row] =
            (!v->valid || v->valid[row]) && (!by_code || by_code[v->codes[row]]);
    }
}

void vec_unpack(struct vec *out, const struct vec *v, const struct batch *b)
{
    if (v->kind == VEC_CONST) {
        fill_rows(out, v->data, b);
        if (v->valid)
            memset(out->valid, v->valid[0], b->n_rows);
    } else {
        gather_rows(out, v, b);
        if (v->valid || v->dict->valid)
            gather_valid(out, v, b);
    }
}

struct vec vec_flatten(struct arena *a, const struct vec *v, const struct batch *b)
{
    if (v->kind == VEC_FLAT)
        return *v;
    bool with_valid = v->valid || (v->kind == VEC_DICT && v->dict->valid);
    struct vec out = vec_flat(a, v->type, b->n_rows, with_valid);

    vec_unpack(&out, v, b);
    return out;
}

uint32_t vec_new_serial(void)
{
    static _Atomic uint32_t last;
    uint32_t serial = ++last;

    return serial ? serial : ++last; /* 0 says nothing */
}
