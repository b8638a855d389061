/* How a stage reads the shuffles below it, by what these turned out to be.
 *
 * Three rules, in this order: partitions of a REBALANCE hint that are too large are cut,
 * small partitions are read together, and what needs no partitioning any more (the
 * streamed side of a join that became a broadcast one, the plan of a broadcast) reads
 * whole map outputs. A rule's result is dropped where a node above depends on what it
 * changed.
 *
 * Shuffles whose partitions meet in one operator are coalesced alike: a group. Sides of
 * unions, cartesian products and broadcast joins do not meet. A side that reads anything
 * else but stages fixes the number of partitions and is left alone. */
#include "engine/plan/adaptive.h"

#include "engine/plan/phys_int.h"

#include <math.h>

/* ---- nodes ---- */

static bool is_range(const struct read_spec *s)
{
    return s->map_to == UINT32_MAX;
}

static enum aqe_read kind_of(const struct read_spec *specs, uint32_t n)
{
    bool coalesced = false, skewed = false;

    for (uint32_t i = 0; i < n; i++) {
        skewed |= !is_range(&specs[i]);
        coalesced |= is_range(&specs[i]) && specs[i].to != specs[i].from + 1;
    }
    if (coalesced)
        return skewed ? AQE_COALESCED_SKEWED : AQE_COALESCED;
    return skewed ? AQE_SKEWED : AQE_WHOLE;
}

struct phys *adaptive_read(struct arena *a, struct phys *stage, struct read_spec *specs,
                           uint32_t n, bool local)
{
    struct phys *p = phys_unary(a, PHYS_AQE_READ, stage);

    p->specs = specs;
    p->n_specs = n;
    p->read_kind = local ? AQE_LOCAL : kind_of(specs, n);
    return p;
}

/* The stage of a read, or p itself; NULL: no shuffle is read here. */
static struct phys *shuffle_stage(struct phys *p)
{
    if (p->kind == PHYS_AQE_READ)
        p = p->children[0];
    return adaptive_is_shuffle(p) ? p : NULL;
}

static const struct phys *exchange_of(const struct phys *stage)
{
    const struct phys *p = stage->children[0];

    return p->kind == PHYS_REUSED ? p->reused : p;
}

/* ---- OptimizeSkewInRebalancePartitions ---- */

static uint32_t rebalance_pieces(struct planner_env *env, const struct stage_stats *s,
                                 uint32_t reducer, int64_t target, struct read_spec *out)
{
    struct arena *a = env->arena;
    int64_t *by_map = arena_array(a, s->n_maps + 1, sizeof *by_map);
    uint32_t *starts = arena_array(a, s->n_maps + 1, sizeof *starts);
    uint32_t n = 1;

    if (s->reduce_bytes[reducer] > target) {
        for (uint32_t m = 0; m < s->n_maps; m++)
            by_map[m] = s->map_reduce_bytes[m][reducer];
        n = adaptive_split(by_map, s->n_maps, target, starts);
    }
    if (n == 1) {
        out[0] = (struct read_spec){ reducer, reducer + 1, 0, UINT32_MAX };
        return 1;
    }
    for (uint32_t i = 0; i < n; i++)
        out[i] = (struct read_spec){ reducer, reducer + 1, starts[i],
                                     i + 1 < n ? starts[i + 1] : s->n_maps };
    return n;
}

static struct phys *cut_rebalanced(void *ctx, struct phys *p)
{
    struct planner_env *env = ctx;
    const struct stage_stats *s = adaptive_stats(p);
    int64_t target = settings_int(env->settings, SET_ADVISORY_BYTES);
    struct read_spec *specs;
    bool any = false;
    uint32_t n = 0;

    if (!s || (exchange_of(p)->origin != ORIGIN_REBALANCE_BY_COL &&
               exchange_of(p)->origin != ORIGIN_REBALANCE_BY_NONE))
        return p;
    for (uint32_t r = 0; r < s->n_reducers; r++)
        any |= s->reduce_bytes[r] > target;
    if (!any)
        return p;
    specs = arena_array(env->arena, (size_t)s->n_reducers * s->n_maps, sizeof *specs);
    for (uint32_t r = 0; r < s->n_reducers; r++)
        n += rebalance_pieces(env, s, r, target, specs + n);
    return n == s->n_reducers ? p : adaptive_read(env->arena, p, specs, n, false);
}

static struct phys *cut_all_rebalanced(struct planner_env *env, struct phys *p)
{
    if (!settings_bool(env->settings, SET_SKEW_REBALANCE))
        return p;
    return phys_transform_up(env->arena, p, cut_rebalanced, env);
}

/* ---- CoalesceShufflePartitions: groups ---- */

struct group {
    struct phys **reads; /* stages, or reads of them */
    uint32_t n;
    int64_t bytes;
};

struct groups {
    struct arena *arena;
    struct group *at;
    uint32_t n, cap;
};

static bool may_coalesce(const struct phys *stage)
{
    const struct phys *e = exchange_of(stage);

    return e->partitioning.kind != PART_SINGLE && e->origin != ORIGIN_REPARTITION_BY_NUM;
}

static bool over_stages_only(const struct phys *p)
{
    if (p->kind == PHYS_STAGE)
        return true;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (!over_stages_only(p->children[i]))
            return false;
    return p->n_children > 0;
}

static uint32_t count_nodes(const struct phys *p)
{
    uint32_t n = 1;

    for (uint32_t i = 0; p->kind != PHYS_STAGE && i < p->n_children; i++)
        n += count_nodes(p->children[i]);
    return n;
}

/* False: one of them may not be. */
static bool gather(struct phys *p, struct group *g)
{
    struct phys *stage = shuffle_stage(p);

    if (stage) {
        g->reads[g->n++] = p;
        for (uint32_t r = 0; adaptive_stats(stage) && r < stage->stage->stats.n_reducers;
             r++)
            g->bytes += stage->stage->stats.reduce_bytes[r];
        return may_coalesce(stage);
    }
    for (uint32_t i = 0; p->kind != PHYS_STAGE && i < p->n_children; i++)
        if (!gather(p->children[i], g))
            return false;
    return true;
}

static void add_group(struct groups *out, struct phys *p)
{
    struct group g = { 0 };

    g.reads = arena_array(out->arena, count_nodes(p), sizeof *g.reads);
    if (!gather(p, &g))
        return;
    if (out->n == out->cap) {
        struct group *more = arena_array(out->arena, out->cap * 2 + 4, sizeof *more);

        for (uint32_t i = 0; i < out->n; i++)
            more[i] = out->at[i];
        out->at = more;
        out->cap = out->cap * 2 + 4;
    }
    out->at[out->n++] = g;
}

static void find_groups(struct phys *p, struct groups *out)
{
    bool apart = p->kind == PHYS_UNION || p->kind == PHYS_CARTESIAN ||
                 p->kind == PHYS_BROADCAST_HASH_JOIN || p->kind == PHYS_BROADCAST_NL_JOIN;
    struct phys *stage = shuffle_stage(p);

    if (p->kind == PHYS_AQE_READ && stage && may_coalesce(stage)) {
        add_group(out, p);
    } else if (apart || (p->n_children == 1 && p->kind != PHYS_STAGE)) {
        for (uint32_t i = 0; i < p->n_children; i++)
            find_groups(p->children[i], out);
    } else if (over_stages_only(p)) {
        add_group(out, p);
    }
}

/* ---- CoalesceShufflePartitions: ranges ---- */

struct new_reads { /* what stands in the place of the old one */
    struct phys **from, **to;
    uint32_t n;
};

struct limits {
    int64_t advisory, min_size, min_num;
};

static void replace(struct new_reads *out, struct arena *a, struct phys *from,
                    struct read_spec *specs, uint32_t n)
{
    out->from[out->n] = from;
    out->to[out->n++] = adaptive_read(a, shuffle_stage(from), specs, n, false);
}

/* The sizes of all that have any; n_reducers of each, 0: they differ. */
static uint32_t sizes_of(const struct group *g, const int64_t **bytes, uint32_t *n)
{
    uint32_t reducers = 0;

    *n = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        const struct stage_stats *s = adaptive_stats(shuffle_stage(g->reads[i]));

        if (!s)
            continue;
        if (*n && s->n_reducers != reducers)
            return 0;
        reducers = s->n_reducers;
        bytes[(*n)++] = s->reduce_bytes;
    }
    return reducers;
}

static void coalesce_plain(struct arena *a, const struct group *g,
                           const struct limits *most, struct new_reads *out)
{
    const int64_t **bytes = arena_array(a, g->n + 1, sizeof *bytes);
    uint32_t n_bytes, n = 1;
    uint32_t reducers = sizes_of(g, bytes, &n_bytes);
    struct read_spec *specs = arena_array(a, reducers + 1, sizeof *specs);

    if (n_bytes) { /* else one task that reads nothing, of each */
        if (!reducers)
            return;
        n = adaptive_coalesce(bytes, n_bytes, reducers, most->advisory, most->min_size,
                              most->min_num, specs);
        if (n >= reducers)
            return;
    } else {
        specs[0].map_to = UINT32_MAX;
    }
    for (uint32_t i = 0; i < g->n; i++)
        replace(out, a, g->reads[i], specs, n);
}

struct walk { /* over reads that have skewed reducers: the same one several times */
    const struct group *g;
    const int64_t **bytes;
    int64_t target, min_size;
    struct read_spec **specs; /* of each read */
    uint32_t n;
};

/* Reducers between skewed ones are coalesced, */
static void walk_plain(struct walk *w, uint32_t from, uint32_t to)
{
    uint32_t n = adaptive_coalesce_range(w->bytes, w->g->n, from, to, w->target,
                                         w->min_size, true, w->specs[0] + w->n);

    for (uint32_t i = 1; i < w->g->n; i++)
        for (uint32_t k = 0; k < n; k++)
            w->specs[i][w->n + k] = w->specs[0][w->n + k];
    w->n += n;
}

/* and the pieces of these stay as they are. */
static void walk_pieces(struct walk *w, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < w->g->n; i++)
        for (uint32_t k = from; k < to; k++)
            w->specs[i][w->n + k - from] = w->g->reads[i]->specs[k];
    w->n += to - from;
}

static bool all_are_reads(const struct group *g)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (g->reads[i]->kind != PHYS_AQE_READ ||
            g->reads[i]->n_specs != g->reads[0]->n_specs)
            return false;
    return true;
}

static void coalesce_skewed(struct arena *a, const struct group *g,
                            const struct limits *most, struct new_reads *out)
{
    struct walk w = { .g = g, .min_size = most->min_size };
    const struct phys *first = g->reads[0];
    uint32_t n = first->n_specs, n_bytes, i = 1, start = 0;

    w.bytes = arena_array(a, g->n + 1, sizeof *w.bytes);
    if (!all_are_reads(g) || !sizes_of(g, w.bytes, &n_bytes) || n_bytes != g->n)
        return;
    w.target = adaptive_target(g->bytes, most->advisory, most->min_size, most->min_num);
    w.specs = arena_array(a, g->n, sizeof *w.specs);
    for (uint32_t k = 0; k < g->n; k++)
        w.specs[k] = arena_array(a, n + 1, sizeof **w.specs);
    while (i < n) {
        uint32_t end = i, reducer = first->specs[i].from;

        while (end < n && first->specs[end].from == first->specs[i - 1].from)
            end++;
        if (end == i) {
            i++;
            continue;
        }
        if (i - 1 > start)
            walk_plain(&w, first->specs[start].from, reducer);
        walk_pieces(&w, i - 1, end);
        start = end;
        i = end + (end == i);
    }
    if (n > start)
        walk_plain(&w, first->specs[start].from, first->specs[n - 1].from + 1);
    if (w.n >= n)
        return;
    for (uint32_t k = 0; k < g->n; k++)
        replace(out, a, g->reads[k], w.specs[k], w.n);
}

static bool any_is_read(const struct group *g)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (g->reads[i]->kind == PHYS_AQE_READ)
            return true;
    return false;
}

/* Tasks are shared out by bytes. */
static int64_t share(const struct groups *groups, uint32_t i, int64_t tasks)
{
    int64_t total = 0;

    for (uint32_t k = 0; k < groups->n; k++)
        total += groups->at[k].bytes;
    if (groups->n > 1 && total > 0)
        tasks = (int64_t)floor(
            (double)tasks * (double)groups->at[i].bytes / (double)total + 0.5);
    return max_i64(tasks, 1);
}

static struct phys *put_reads(struct arena *a, struct phys *p,
                              const struct new_reads *new)
{
    struct phys **children;

    for (uint32_t i = 0; i < new->n; i++)
        if (new->from[i] == p)
            return new->to[i];
    if (p->kind == PHYS_STAGE || !p->n_children)
        return p;
    children = arena_array(a, p->n_children, sizeof *children);
    for (uint32_t i = 0; i < p->n_children; i++)
        children[i] = put_reads(a, p->children[i], new);
    return phys_with_children(a, p, children);
}

static struct phys *coalesce(struct planner_env *env, struct phys *p)
{
    const struct settings *s = env->settings;
    struct arena *a = env->arena;
    struct groups groups = { .arena = a };
    struct new_reads new = { 0 };
    int64_t tasks = 1;

    if (!settings_bool(s, SET_COALESCE))
        return p;
    if (settings_is_set(s, SET_COALESCE_MIN_NUM))
        tasks = settings_int(s, SET_COALESCE_MIN_NUM);
    else if (settings_bool(s, SET_COALESCE_PARALLELISM_FIRST))
        tasks = env->cores;
    find_groups(p, &groups);
    new.from = arena_array(a, count_nodes(p), sizeof *new.from);
    new.to = arena_array(a, count_nodes(p), sizeof *new.to);
    for (uint32_t i = 0; i < groups.n; i++) {
        const struct group *g = &groups.at[i];
        struct limits most = { settings_int(s, SET_ADVISORY_BYTES),
                               settings_int(s, SET_COALESCE_MIN_BYTES),
                               share(&groups, i, tasks) };

        if (any_is_read(g))
            coalesce_skewed(a, g, &most, &new);
        else if (g->n)
            coalesce_plain(a, g, &most, &new);
    }
    return new.n ? put_reads(a, p, &new) : p;
}

/* ---- OptimizeShuffleWithLocalRead ---- */

static bool may_read_locally(struct phys *p)
{
    const struct phys *stage = shuffle_stage(p), *e;

    if (!stage || !adaptive_stats(stage))
        return false;
    e = exchange_of(stage);
    return e->partitioning.kind != PART_SINGLE &&
           (e->origin == ORIGIN_ENSURE_REQUIREMENTS ||
            (e->origin == ORIGIN_REBALANCE_BY_NONE && p == stage));
}

/* Where part i of n things in `parts` parts begins: the first ones are larger by one. */
static uint32_t part_from(uint32_t n, uint32_t parts, uint32_t i)
{
    uint32_t each = n / parts, larger = n % parts;

    return i * each + (i < larger ? i : larger);
}

static struct phys *local_read(struct arena *a, struct phys *p)
{
    struct phys *stage = shuffle_stage(p);
    const struct stage_stats *s = &stage->stage->stats;
    uint32_t tasks = p->kind == PHYS_AQE_READ ? p->n_specs : s->n_reducers;
    uint32_t parts = tasks >= s->n_maps ? tasks / s->n_maps : tasks, n = 0;
    struct read_spec *specs =
        arena_array(a, (size_t)parts * s->n_maps + 1, sizeof *specs);

    if (tasks >= s->n_maps)
        for (uint32_t m = 0; m < s->n_maps; m++)
            for (uint32_t i = 0; i < parts; i++)
                specs[n++] = (struct read_spec){
                    part_from(s->n_reducers, parts, i),
                    part_from(s->n_reducers, parts, i + 1),
                    m,
                    m + 1,
                };
    else
        for (uint32_t i = 0; i < parts; i++)
            specs[n++] = (struct read_spec){
                0,
                s->n_reducers,
                part_from(s->n_maps, parts, i),
                part_from(s->n_maps, parts, i + 1),
            };
    return adaptive_read(a, stage, specs, n, true);
}

static struct phys *streamed_locally(void *ctx, struct phys *p)
{
    struct arena *a = ctx;
    uint32_t streamed = p->build_left ? 1 : 0;
    struct phys *children[2];

    if (p->kind != PHYS_BROADCAST_HASH_JOIN || !may_read_locally(p->children[streamed]))
        return p;
    children[streamed] = local_read(a, p->children[streamed]);
    children[1 - streamed] = p->children[1 - streamed];
    return phys_with_children(a, p, children);
}

static struct phys *read_locally(struct planner_env *env, struct phys *p)
{
    if (!settings_bool(env->settings, SET_LOCAL_READ))
        return p;
    if (may_read_locally(p))
        return local_read(env->arena, p);
    return phys_transform_up(env->arena, p, streamed_locally, env->arena);
}

/* ---- all of them ---- */

struct phys *adaptive_reads(struct planner_env *env, struct phys *plan)
{
    struct phys *(*const rules[])(struct planner_env *,
                                  struct phys *) = { cut_all_rebalanced, coalesce,
                                                     read_locally };

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct phys *to = rules[i](env, plan);

        if (to != plan && phys_requirements_hold(env->arena, to))
            plan = to;
    }
    return plan;
}
