/* Digests and hashes as functions. */
#include "engine/expr/digest.h"
#include "engine/expr/func_list.h"
#include "engine/expr/hash.h"
#include "engine/expr/text.h"

static void put_digest(struct eval_call *c, uint32_t row, enum digest which, struct sv s)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[DIGEST_MAX];
    size_t n = digest(which, s, raw);
    char *to = text_room(c, 2 * n);

    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[raw[i] >> 4];
        to[2 * i + 1] = digits[raw[i] & 15];
    }
    text_put(c, row, (struct sv){ to, 2 * n });
}

static enum errc run_md5(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    put_digest(c, row, DIGEST_MD5, arg_sv(v, row));
    return ERR_OK;
}

static enum errc run_sha1(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    put_digest(c, row, DIGEST_SHA1, arg_sv(v, row));
    return ERR_OK;
}

static enum errc run_sha2(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *n = eval_flat(c, 1);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        int32_t bits = ARG_AT(int32_t, n, row);
        struct sv s = arg_sv(v, row);

        if (bits == 224)
            put_digest(c, row, DIGEST_SHA224, s);
        else if (bits == 256 || bits == 0)
            put_digest(c, row, DIGEST_SHA256, s);
        else if (bits == 384)
            put_digest(c, row, DIGEST_SHA384, s);
        else if (bits == 512)
            put_digest(c, row, DIGEST_SHA512, s);
        else
            c->out->valid[row] = 0;
    }
    return ERR_OK;
}

static enum errc run_crc32(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    ((int64_t *)c->out->data)[row] = crc32_of(arg_sv(v, row));
    return ERR_OK;
}

static enum errc bind_hash(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(b->func->id == FUNC_MURMUR3 ? TYPE_INT : TYPE_LONG);
    return ERR_OK;
}

static enum errc run_murmur3(struct eval_call *c, struct err *err)
{
    (void)err;
    eval_murmur3(c->args, c->n_args, c->batch, c->out->data);
    return ERR_OK;
}

static enum errc run_xxhash64(struct eval_call *c, struct err *err)
{
    uint64_t *to = c->out->data;

    (void)err;
    for (uint32_t i = 0; i < c->batch->n_rows; i++)
        to[i] = 42;
    for (uint32_t k = 0; k < c->n_args; k++)
        xxhash64_column(&c->args[k], c->batch, to);
    return ERR_OK;
}

#define STRICT FUNC_NULL_INTOLERANT

const struct func digest_funcs[] = {
    { .name = "md5",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "x:s",
      .run = run_md5,
      .usage = "md5(expr) - MD5 as 32 hexadecimal digits." },
    { .name = "sha1",
      .aliases = "sha",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "x:s",
      .run = run_sha1,
      .usage = "sha1(expr) - SHA-1 in hexadecimal." },
    { .name = "sha2",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "xi:s",
      .run = run_sha2,
      .usage = "sha2(expr, bits) - SHA-224, 256, 384 or 512 in hexadecimal." },
    { .name = "crc32",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "x:l",
      .run = run_crc32,
      .usage = "crc32(expr) - Cyclic redundancy check." },
    { .name = "hash",
      .plan_tail = "42",
      .id = FUNC_MURMUR3,
      .min_args = 1,
      .max_args = 255,
      .flags = FUNC_NOT_NULL,
      .bind = bind_hash,
      .run = run_murmur3,
      .usage = "hash(expr1, expr2, ...) - Murmur3 of all, NULLs left out." },
    { .name = "xxhash64",
      .plan_tail = "42",
      .id = FUNC_XXHASH64,
      .min_args = 1,
      .max_args = 255,
      .flags = FUNC_NOT_NULL,
      .bind = bind_hash,
      .run = run_xxhash64,
      .usage = "xxhash64(expr1, expr2, ...) - xxHash64 of all, NULLs left out." },
    { 0 },
};
