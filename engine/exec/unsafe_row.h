/* Sizes as Spark's rows of bytes have them: a bit a column for NULL in whole words, a
 * word a column, then text and wide decimals padded to words. */
#ifndef ENGINE_EXEC_UNSAFE_ROW_H
#define ENGINE_EXEC_UNSAFE_ROW_H

#include "engine/column/vec.h"

/* Of the rows that count: the metric "data size" and AQE's measure. */
int64_t unsafe_row_bytes(const struct batch *b);

#endif
