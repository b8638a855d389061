/* Thrift's compact protocol, as far as Parquet's metadata uses it.
 *
 * A reader walks bytes it does not trust: after anything impossible `bad` is set, every
 * later call gives zero or end, and the caller looks once at the end. */
#ifndef ENGINE_STORE_THRIFT_H
#define ENGINE_STORE_THRIFT_H

#include "base/strbuf.h"
#include "base/sv.h"

#include <stdbool.h>
#include <stdint.h>

enum thrift_type {
    THRIFT_STOP,
    THRIFT_TRUE,
    THRIFT_FALSE,
    THRIFT_BYTE,
    THRIFT_I16,
    THRIFT_I32,
    THRIFT_I64,
    THRIFT_DOUBLE,
    THRIFT_BINARY,
    THRIFT_LIST,
    THRIFT_SET,
    THRIFT_MAP,
    THRIFT_STRUCT,
};

struct thrift_in {
    const uint8_t *p, *end;
    bool bad;
    int depth;
};

struct thrift_field {
    enum thrift_type type;
    int16_t id, last; /* last: of the struct being read; starts 0 */
};

/* The next field of a struct; false at its end. Begin with a zeroed thrift_field; a
 * struct within is read with one of its own. */
bool thrift_next(struct thrift_in *in, struct thrift_field *f);
int64_t thrift_int(struct thrift_in *in,
                   const struct thrift_field *f); /* of any integer type */
bool thrift_bool(const struct thrift_field *f);
struct sv thrift_binary(struct thrift_in *in, const struct thrift_field *f);
/* Elements of a list and their type; 0 where it is none. No more than there are bytes. */
uint32_t thrift_list(struct thrift_in *in, const struct thrift_field *f,
                     enum thrift_type *of);
/* A value within a list. */
int64_t thrift_element_int(struct thrift_in *in, enum thrift_type of);
struct sv thrift_element_binary(struct thrift_in *in, enum thrift_type of);
void thrift_skip(struct thrift_in *in, enum thrift_type type);

struct thrift_out {
    struct strbuf *out;
    int16_t last[16]; /* field before, per open struct */
    int depth;
};

void thrift_put_int(struct thrift_out *t, int16_t id, enum thrift_type type, int64_t v);
void thrift_put_bool(struct thrift_out *t, int16_t id, bool v);
void thrift_put_binary(struct thrift_out *t, int16_t id, struct sv v);
void thrift_put_list(struct thrift_out *t, int16_t id, enum thrift_type of, uint32_t n);
void thrift_put_element_int(struct thrift_out *t, int64_t v);
void thrift_put_element_binary(struct thrift_out *t, struct sv v);
/* id 0: an element of a list. Each is ended with thrift_put_end. */
void thrift_put_struct(struct thrift_out *t, int16_t id);
void thrift_put_end(struct thrift_out *t);

#endif
