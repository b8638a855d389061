/* From candidates to joined rows, in the order of the streamed rows.
 *
 * One side is streamed batch by batch, the other's rows are there (`build`). For each
 * streamed row that counts, head[row] is the first candidate or ROWS_NONE, and head[row]+1
 * .. end[row]-1 are the others. join_pairs_next puts out what follows from them, a batch a
 * call:
 *
 *     one candidate a row at most   the streamed columns pass as they are, narrowed; build
 *                                   columns are gathered beside them
 *     more                          pairs, BATCH_ROWS at a time; dictionaries stay
 *     semi, anti, existence         the streamed batch, narrowed, or with a column more */
#ifndef ENGINE_EXEC_JOIN_PAIRS_H
#define ENGINE_EXEC_JOIN_PAIRS_H

#include "engine/exec/hash_join.h"

struct join_pairs {
    struct join_sides *sides;
    struct arena *arena;
    uint32_t n_out;

    /* from the operator, for a batch */
    struct batch in;
    const struct rows *build;
    bool unique; /* one candidate a row at most */
    uint32_t head[BATCH_ROWS], end[BATCH_ROWS]; /* by streamed row */
    uint8_t *seen; /* by build row: has had a pair; NULL: not noted */

    /* Candidates of the batch come in parts, begun one after another: pairs come out as
     * of an inner join and `hit` adds up; join_pairs_end_parts has the rest. */
    bool parts;

    bool busy; /* more may come of the batch */
    struct vec *test; /* what the condition sees */
    struct scratch scratch;
    uint32_t **codes; /* gathered codes of dictionaries */
    uint32_t at, id;  /* the row, and its next candidate, to go on with */
    bool row_hit;
    uint32_t n;
    uint32_t row[BATCH_ROWS], ids[BATCH_ROWS], sel[BATCH_ROWS], pass[BATCH_ROWS];
    uint8_t last[BATCH_ROWS]; /* is the candidate its row's last? */
    uint8_t hit[BATCH_ROWS];  /* by streamed row, of semi joins, or parts */
    uint8_t exists[BATCH_ROWS];
    uint32_t left_over; /* build rows looked at by join_pairs_left_over */
};

void join_pairs_init(struct join_pairs *j, struct op *op, struct join_sides *sides);
/* The batch and its candidates are there. */
void join_pairs_begin(struct join_pairs *j);
/* OP_END: nothing more of this batch (busy is false then). */
enum op_step join_pairs_next(struct join_pairs *j, struct batch *out, struct err *err);
/* The parts are through: what comes of rows by whether they had a pair. */
enum op_step join_pairs_end_parts(struct join_pairs *j, struct batch *out);
/* Build rows from left_over up to `to` that had no pair, with NULLs; OP_END: no more. */
enum op_step join_pairs_left_over(struct join_pairs *j, uint32_t to, struct batch *out);

#endif
