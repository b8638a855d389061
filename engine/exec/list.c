/* All operators. */
#include "engine/exec/list.h"

static const struct op_class *const classes[] = {
    &op_filter,
    &op_project,
    &op_expand,
    &op_generate,
    &op_local_limit,
    &op_global_limit,
    &op_collect_limit,
    &op_offset,
    &op_local_scan,
    &op_range,
    &op_one_row,
    &op_columnar_to_row,
    &op_union,
    &op_coalesce,
    &op_sample,
    &op_scan,
    &op_sort,
    &op_take_ordered,
    &op_hash_agg,
    &op_object_agg,
    &op_sort_agg,
    &op_broadcast_hash_join,
    &op_shuffled_hash_join,
    &op_merge_join,
    &op_nested_loop_join,
    &op_cartesian,
    &op_read_exchange,
    &op_read_stage,
    &op_read_aqe,
    &op_read_reused,
    &op_window,
    &op_window_limit,
};

const struct op_class *op_class_of(enum phys_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i]->kind == kind)
            return classes[i];
    return NULL;
}
