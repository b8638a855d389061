/* Where rows in order differ from the row before: bounds of partitions and of peers. */
#ifndef ENGINE_EXEC_CHANGES_H
#define ENGINE_EXEC_CHANGES_H

#include "engine/column/vec.h"

/* Equal as Spark's ordering has it: NULL is NULL, NaN is NaN, -0.0 is 0.0. */
bool values_same(const struct vec *x, uint32_t x_row, const struct vec *y,
                 uint32_t y_row);
/* flags[i] |= row from + i of v differs from the one before; from > 0, v is FLAT or
 * CONST. */
void flag_changes(const struct vec *v, uint32_t from, uint32_t n, uint8_t *flags);

#endif
