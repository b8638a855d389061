/* The equalities of a join's condition that a hash or a sort can use. */
#ifndef ENGINE_PLAN_JOIN_KEYS_H
#define ENGINE_PLAN_JOIN_KEYS_H

#include "engine/plan/plan.h"

struct join_keys {
    struct exprs left, right; /* pairs, in the condition's order; n 0: none */
    struct expr *rest;        /* what is left of the condition; NULL: nothing */
};

/* Spark's ExtractEquiJoinKeys: a = b gives a pair; a <=> b gives two, of
 * coalesce(x, default) and isnull(x), which are never NULL. */
struct join_keys join_keys_of(struct arena *a, struct plan *join);
/* Spark's ExtractSingleColumnNullAwareAntiJoin: LeftAnti on `a = b OR isnull(a = b)`. */
bool join_null_aware(struct arena *a, struct plan *join, struct expr **left,
                     struct expr **right);
/* May e be computed from these columns alone? */
bool expr_fits(struct arena *a, const struct expr *e, const struct exprs *columns);

#endif
