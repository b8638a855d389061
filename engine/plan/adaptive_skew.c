/* OptimizeSkewedJoin: a partition far larger than the others of its side is read in
 * pieces, by ranges of the map outputs it comes from, and the other side's partition once
 * for each piece.
 *
 *     partition        0     1     2              left 2 has three pieces
 *     left tasks     [0]   [1]   [2a] [2b] [2c]
 *     right tasks    [0]   [1]   [2]  [2]  [2]
 *
 * Only a side that no row's match on the other depends on may be cut: cutting the right
 * side of a left outer join would put out left rows without a match in every piece but
 * one. The join's rows lie by no key any more; where a node above needs them to, the plan
 * stays without it, or gets another exchange if that is wanted at any price. */
#include "engine/plan/adaptive.h"

#include "engine/plan/phys_int.h"

#include <stdlib.h>

static bool may_cut_left(enum join_type t)
{
    return t == JOIN_INNER || t == JOIN_CROSS || t == JOIN_SEMI || t == JOIN_ANTI ||
           t == JOIN_LEFT;
}

static bool may_cut_right(enum join_type t)
{
    return t == JOIN_INNER || t == JOIN_CROSS || t == JOIN_RIGHT;
}

/* ---- one side ---- */

struct side {
    const struct stage_stats *stats;
    bool may_cut;
    int64_t threshold, target;
    uint32_t n_cut;
    struct read_spec *specs;
    uint32_t n, cap;
};

static int by_size(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;

    return (*a > *b) - (*a < *b);
}

static int64_t median(struct arena *a, const int64_t *sizes, uint32_t n)
{
    int64_t *sorted = arena_array(a, n + 1, sizeof *sorted);
    int64_t middle;

    for (uint32_t i = 0; i < n; i++)
        sorted[i] = sizes[i];
    qsort(sorted, n, sizeof *sorted, by_size);
    middle = sorted[n / 2];
    if (n % 2 == 0)
        middle = add_sat(sorted[n / 2 - 1], middle) / 2;
    return max_i64(middle, 1);
}

static void measure(struct planner_env *env, struct side *s)
{
    const int64_t *sizes = s->stats->reduce_bytes;
    int64_t advisory = settings_int(env->settings, SET_ADVISORY_BYTES);
    int64_t others = 0, n_others = 0;
    double skewed;

    skewed = (double)median(env->arena, sizes, s->stats->n_reducers) *
             settings_double(env->settings, SET_SKEW_FACTOR);
    s->threshold = max_i64(settings_int(env->settings, SET_SKEW_BYTES),
                           skewed < 9e18 ? (int64_t)skewed : INT64_MAX);
    for (uint32_t i = 0; i < s->stats->n_reducers; i++)
        if (sizes[i] <= s->threshold) {
            others = add_sat(others, sizes[i]);
            n_others++;
        }
    s->target = n_others ? max_i64(advisory, others / n_others) : advisory;
}

/* The tasks for one reducer: the whole of it, or its pieces. */
static uint32_t pieces(struct planner_env *env, struct side *s, uint32_t reducer,
                       struct read_spec **out)
{
    const struct stage_stats *st = s->stats;
    struct arena *a = env->arena;
    struct read_spec *specs = arena_array(a, st->n_maps + 1, sizeof *specs);
    uint32_t *starts, n = 1;
    int64_t *by_map;

    *out = specs;
    specs[0] = (struct read_spec){ reducer, reducer + 1, 0, UINT32_MAX };
    if (!s->may_cut || st->reduce_bytes[reducer] <= s->threshold)
        return 1;
    starts = arena_array(a, st->n_maps + 1, sizeof *starts);
    by_map = arena_array(a, st->n_maps + 1, sizeof *by_map);
    for (uint32_t m = 0; m < st->n_maps; m++)
        by_map[m] = st->map_reduce_bytes[m][reducer];
    n = adaptive_split(by_map, st->n_maps, s->target, starts);
    if (n == 1)
        return 1;
    s->n_cut++;
    for (uint32_t i = 0; i < n; i++)
        specs[i] = (struct read_spec){ reducer, reducer + 1, starts[i],
                                       i + 1 < n ? starts[i + 1] : st->n_maps };
    return n;
}

static void add_spec(struct arena *a, struct side *s, struct read_spec spec)
{
    if (s->n == s->cap) {
        struct read_spec *more = arena_array(a, (size_t)s->cap * 2 + 64, sizeof *more);

        for (uint32_t i = 0; i < s->n; i++)
            more[i] = s->specs[i];
        s->specs = more;
        s->cap = s->cap * 2 + 64;
    }
    s->specs[s->n++] = spec;
}

/* ---- a join ---- */

static bool is_own_shuffle(const struct phys *p)
{
    const struct phys *e;

    if (!adaptive_stats(p))
        return false;
    e = p->children[0]->kind == PHYS_REUSED ? p->children[0]->reused : p->children[0];
    return e->origin == ORIGIN_ENSURE_REQUIREMENTS;
}

static bool cut_sides(struct planner_env *env, struct side *l, struct side *r)
{
    for (uint32_t i = 0; i < l->stats->n_reducers; i++) {
        struct read_spec *left, *right;
        uint32_t n_left = pieces(env, l, i, &left), n_right = pieces(env, r, i, &right);

        for (uint32_t x = 0; x < n_left; x++)
            for (uint32_t y = 0; y < n_right; y++) {
                add_spec(env->arena, l, left[x]);
                add_spec(env->arena, r, right[y]);
            }
    }
    return l->n_cut > 0 || r->n_cut > 0;
}

static struct phys *over_read(struct arena *a, struct phys *child, struct phys *read)
{
    return child->kind == PHYS_SORT ? phys_with_children(a, child, &read) : read;
}

static struct phys *cut_join(void *ctx, struct phys *p)
{
    struct planner_env *env = ctx;
    struct arena *a = env->arena;
    struct side l = { 0 }, r = { 0 };
    struct phys *stages[2], *copy;
    bool merge = p->kind == PHYS_SORT_MERGE_JOIN;

    if ((!merge && p->kind != PHYS_SHUFFLED_HASH_JOIN) || p->skew)
        return p;
    for (uint32_t i = 0; i < 2; i++) {
        stages[i] = p->children[i];
        if (merge && stages[i]->kind != PHYS_SORT)
            return p;
        if (merge)
            stages[i] = stages[i]->children[0];
        if (!is_own_shuffle(stages[i]))
            return p;
    }
    l.stats = adaptive_stats(stages[0]);
    r.stats = adaptive_stats(stages[1]);
    l.may_cut = may_cut_left(p->join_type);
    r.may_cut = may_cut_right(p->join_type);
    if ((!l.may_cut && !r.may_cut) || l.stats->n_reducers != r.stats->n_reducers)
        return p;
    measure(env, &l);
    measure(env, &r);
    if (!cut_sides(env, &l, &r))
        return p;
    copy = phys_copy(a, p);
    copy->skew = true;
    copy->children[0] =
        over_read(a, p->children[0], adaptive_read(a, stages[0], l.specs, l.n, false));
    copy->children[1] =
        over_read(a, p->children[1], adaptive_read(a, stages[1], r.specs, r.n, false));
    return copy;
}

struct phys *adaptive_skewed_joins(struct planner_env *env, struct phys *plan)
{
    struct phys *to;

    if (!settings_bool(env->settings, SET_SKEW_JOIN))
        return plan;
    to = phys_transform_up(env->arena, plan, cut_join, env);
    if (to == plan || phys_requirements_hold(env->arena, to))
        return to;
    if (settings_bool(env->settings, SET_FORCE_SKEW_JOIN))
        return phys_ensure(env, to);
    return plan;
}
