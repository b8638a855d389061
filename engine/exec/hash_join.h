/* What hash joins and nested loops share: which side streams, and batches of both sides
 * beside each other. */
#ifndef ENGINE_EXEC_HASH_JOIN_H
#define ENGINE_EXEC_HASH_JOIN_H

#include "engine/exec/list.h"
#include "engine/exec/rows.h"

struct join_sides {
    enum join_type type;
    uint32_t stream, build; /* children */
    uint32_t n_stream, n_build;
    uint32_t stream_at, build_at;   /* first column of each in the joined row */
    bool stream_outer, build_outer; /* rows without a match are put out too */
    bool only_stream; /* semi, anti, existence: the build side is not put out */
    bool only_build;  /* the same with the left side built: nested loops only */
    struct type *stream_types, *build_types;
    struct eval *condition;         /* over the joined row; NULL: none */
    bool *build_used, *stream_used; /* columns the condition looks at */
    struct vec *columns;            /* of the joined row (or what is put out) */
    struct vec *nulls;              /* a constant NULL per joined column */
};

void join_sides_open(struct op *op, struct join_sides *j, bool build_left);
void join_sides_close(struct join_sides *j);
/* The columns of a side that is all NULL. */
void join_null_side(struct join_sides *j, bool build);
/* The column `exists` of an existence join: `matched` by i-th row that counts. */
void join_exists_column(struct op *op, struct join_sides *j, const struct batch *b,
                        const uint8_t *matched, uint8_t *room);

#endif
