/* Rows in a mapped file, as rows.c needs it; others use rows.h. */
#ifndef ENGINE_EXEC_ROWS_FILE_H
#define ENGINE_EXEC_ROWS_FILE_H

#include "engine/exec/rows.h"

/* Room for text of which rows_file_room knew. */
char *row_file_text(struct row_file *f, size_t bytes);
/* Takes the columns off the file, which goes. */
void row_file_forget(struct rows *r);

/* ---- of rows.c ---- */

void row_memo_free(struct row_memo *m);
/* Bytes of text that is not in its struct str. */
int64_t vec_long_text(const struct vec *v, const struct batch *b);
/* How many rows there is room for once there is for n. */
uint32_t rows_cap_for(const struct rows *r, uint64_t n);

#endif
