/* All operators. */
#include "engine/exec/list.h"

static const struct op_class *const classes[] = {
    &op_filter,     &op_project, &op_expand,   &op_local_limit,      &op_global_limit,
    &op_collect_limit, &op_offset, &op_local_scan, &op_range,        &op_one_row,
    &op_columnar_to_row, &op_union, &op_coalesce, &op_sample,        &op_scan,
};

const struct op_class *op_class_of(enum phys_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i]->kind == kind)
            return classes[i];
    return NULL;
}
