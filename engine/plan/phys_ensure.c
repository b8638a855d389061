/* EnsureRequirements: exchanges where rows do not lie as a node wants them, sorts where
 * they are not ordered.
 *
 * Both sides of a shuffled join must be cut alike: by keys at the same places of the
 * join's key lists, into as many partitions. Where they are not, the best side stays and
 * the other is shuffled to fit: one without an exchange of its own before others, then
 * the one with more partitions; it must be cut by all join keys in their order, or both
 * are shuffled anew. */
#include "engine/plan/phys_int.h"

static uint32_t shuffle_partitions(const struct settings *s)
{
    if (settings_bool(s, SET_ADAPTIVE) && settings_bool(s, SET_COALESCE) &&
        settings_is_set(s, SET_COALESCE_INITIAL_NUM))
        return (uint32_t)settings_int(s, SET_COALESCE_INITIAL_NUM);
    return (uint32_t)settings_int(s, SET_SHUFFLE_PARTITIONS);
}

uint32_t phys_shuffle_partitions(const struct planner_env *env)
{
    return shuffle_partitions(env->settings);
}

static struct phys *exchange(struct arena *a, struct partitioning to, struct phys *child)
{
    struct phys *p = phys_unary(a, PHYS_EXCHANGE, child);

    p->partitioning = to;
    p->origin = ORIGIN_ENSURE_REQUIREMENTS;
    p->plan_id = next_plan_id();
    return p;
}

static struct phys *broadcast(struct arena *a, const struct phys *join,
                              struct phys *child)
{
    struct phys *p = phys_unary(a, PHYS_BROADCAST, child);
    const struct exprs *keys = join->build_left ? &join->left_keys : &join->right_keys;

    p->plan_id = next_plan_id();
    p->null_aware = join->null_aware;
    if (join->kind != PHYS_BROADCAST_HASH_JOIN)
        return p;
    p->keys = exprs_new(a, keys->n);
    for (uint32_t i = 0; i < keys->n; i++)
        p->keys.at[i] = phys_bind(a, keys->at[i], &child->output);
    return p;
}

static struct partitioning partitioning_for(struct planner_env *env,
                                            const struct distribution *d)
{
    struct partitioning p = { .kind = PART_SINGLE, .n = 1 };

    if (d->kind == DIST_ALL || !d->keys.n)
        return p;
    p.kind = d->kind == DIST_ORDERED ? PART_RANGE : PART_HASH;
    p.keys = d->keys;
    p.n = shuffle_partitions(env->settings);
    return p;
}

/* ---- both sides alike ---- */

struct places { /* of a partitioning's keys among the join keys, each a set of bits */
    uint64_t at[64];
    uint32_t n;
    bool known;
};

static struct places places_of(const struct partitioning *p, const struct exprs *keys)
{
    struct places out = { .n = p->keys.n };

    out.known = p->kind == PART_HASH && p->keys.n <= 64 && keys->n <= 64;
    for (uint32_t i = 0; out.known && i < p->keys.n; i++)
        for (uint32_t k = 0; k < keys->n; k++)
            if (expr_same(p->keys.at[i], keys->at[k]))
                out.at[i] |= UINT64_C(1) << k;
    return out;
}

static bool hashes_match(const struct partitioning *x, const struct exprs *x_keys,
                         const struct partitioning *y, const struct exprs *y_keys)
{
    struct places px = places_of(x, x_keys), py = places_of(y, y_keys);

    if (!px.known || !py.known || px.n != py.n || x->n != y->n || x_keys->n != y_keys->n)
        return false;
    for (uint32_t i = 0; i < px.n; i++)
        if (!(px.at[i] & py.at[i]))
            return false;
    return true;
}

static bool satisfies_keys(const struct partitioning *p, const struct exprs *keys)
{
    struct distribution d = { .kind = DIST_CLUSTERED, .keys = *keys };

    return partitioning_satisfies(p, &d);
}

static bool alike(const struct partitioning *x, const struct exprs *x_keys,
                  const struct partitioning *y, const struct exprs *y_keys)
{
    if (x->kind == PART_COLLECTION) {
        for (uint32_t i = 0; i < x->n_more; i++)
            if (satisfies_keys(&x->more[i], x_keys) &&
                alike(&x->more[i], x_keys, y, y_keys))
                return true;
        return false;
    }
    if (y->kind == PART_COLLECTION)
        return alike(y, y_keys, x, x_keys);
    if (x->kind == PART_SINGLE || y->kind == PART_SINGLE)
        return x->n == 1 && y->n == 1;
    return hashes_match(x, x_keys, y, y_keys);
}

/* May the other side be cut as this one is? Only where it is by all keys in their order
 * (requireAllClusterKeysForCoPartition). */
static bool leads(const struct partitioning *p, const struct exprs *keys)
{
    if (p->kind == PART_COLLECTION) {
        bool any = false;

        for (uint32_t i = 0; i < p->n_more; i++) {
            if (!satisfies_keys(&p->more[i], keys))
                continue;
            any = true;
            if (!leads(&p->more[i], keys))
                return false;
        }
        return any;
    }
    if (p->kind != PART_HASH || p->keys.n != keys->n)
        return false;
    for (uint32_t i = 0; i < keys->n; i++)
        if (!expr_same(p->keys.at[i], keys->at[i]))
            return false;
    return true;
}

static bool is_shuffle(const struct phys *p)
{
    return p->kind == PHYS_EXCHANGE;
}

/* The side whose cut the other takes over; 2: neither. */
static uint32_t best_side(struct planner_env *env, struct phys *const *side,
                          const struct partitioning *cut, const struct distribution *want)
{
    uint32_t least = shuffle_partitions(env->settings), best = 2;
    bool consider_least = false, may[2];

    for (uint32_t i = 0; i < 2; i++) {
        may[i] = leads(&cut[i], &want[i].keys);
        if (may[i] && !is_shuffle(side[i]) && cut[i].n >= least)
            consider_least = true;
        if (may[i] && is_shuffle(side[i]) && cut[i].n >= least)
            consider_least = true;
    }
    for (uint32_t i = 0; i < 2; i++)
        may[i] = may[i] && (!consider_least || cut[i].n >= least);
    if (may[0] && may[1] && is_shuffle(side[0]) != is_shuffle(side[1]))
        may[is_shuffle(side[0]) ? 0 : 1] = false;
    for (uint32_t i = 0; i < 2; i++)
        if (may[i] && (best == 2 || cut[i].n > cut[best].n))
            best = i;
    return best;
}

static struct phys *recut(struct arena *a, struct partitioning to, struct phys *child)
{
    struct phys *p;

    if (child->kind != PHYS_EXCHANGE)
        return exchange(a, to, child);
    p = phys_copy(a, child);
    p->partitioning = to;
    p->plan_id = next_plan_id();
    return p;
}

static void make_alike(struct planner_env *env, struct phys **side,
                       const struct distribution *want)
{
    struct arena *a = env->arena;
    struct partitioning cut[2];
    uint32_t best;

    cut[0] = phys_partitioning(a, side[0]);
    cut[1] = phys_partitioning(a, side[1]);
    if (cut[0].kind == PART_SINGLE && cut[1].kind == PART_SINGLE)
        return;
    best = best_side(env, side, cut, want);
    if (best < 2 && alike(&cut[0], &want[0].keys, &cut[1], &want[1].keys))
        return;
    for (uint32_t i = 0; i < 2; i++) {
        struct partitioning to = partitioning_for(env, &want[i]);

        if (i == best)
            continue;
        if (best < 2)
            to.n = cut[best].n;
        side[i] = recut(a, to, side[i]);
    }
}

/* ---- order of join keys ---- */

static bool reorder(struct arena *a, const struct exprs *expected, struct exprs *leading,
                    struct exprs *other)
{
    struct exprs l = exprs_new(a, leading->n), o = exprs_new(a, leading->n);
    bool *used = arena_array(a, leading->n + 1, sizeof *used);

    if (expected->n != leading->n)
        return false;
    for (uint32_t i = 0; i < expected->n; i++) {
        uint32_t k = 0;

        while (k < leading->n && (used[k] || !expr_same(expected->at[i], leading->at[k])))
            k++;
        if (k == leading->n)
            return false;
        used[k] = true;
        l.at[i] = leading->at[k];
        o.at[i] = other->at[k];
    }
    *leading = l;
    *other = o;
    return true;
}

static bool reorder_by(struct arena *a, const struct partitioning *p,
                       struct exprs *leading, struct exprs *other)
{
    if (p->kind == PART_HASH)
        return reorder(a, &p->keys, leading, other);
    if (p->kind == PART_COLLECTION)
        for (uint32_t i = 0; i < p->n_more; i++)
            if (reorder_by(a, &p->more[i], leading, other))
                return true;
    return false;
}

static struct phys *reorder_keys(struct arena *a, struct phys *p)
{
    struct partitioning left, right;
    struct phys copy = *p;

    if (p->kind != PHYS_SORT_MERGE_JOIN && p->kind != PHYS_SHUFFLED_HASH_JOIN)
        return p;
    left = phys_partitioning(a, p->children[0]);
    right = phys_partitioning(a, p->children[1]);
    if (!reorder_by(a, &left, &copy.left_keys, &copy.right_keys) &&
        !reorder_by(a, &right, &copy.right_keys, &copy.left_keys))
        return p;
    return phys_copy(a, &copy);
}

/* ---- a node ---- */

static struct phys *sorted(struct arena *a, const struct exprs *order, struct phys *child)
{
    struct exprs has = phys_ordering(a, child);
    struct phys *p;

    if (order_satisfies(&has, order))
        return child;
    p = phys_unary(a, PHYS_SORT, child);
    p->order = *order;
    return p;
}

/* A REPARTITION by what its child is already cut by is left out. */
static bool is_idle_repartition(struct arena *a, const struct phys *p)
{
    struct partitioning below;

    if (p->kind != PHYS_EXCHANGE || p->partitioning.kind != PART_HASH ||
        (p->origin != ORIGIN_REPARTITION_BY_COL &&
         p->origin != ORIGIN_REPARTITION_BY_NUM))
        return false;
    below = phys_partitioning(a, p->children[0]);
    for (uint32_t i = 0; i < (below.kind == PART_COLLECTION ? below.n_more : 1); i++) {
        const struct partitioning *q =
            below.kind == PART_COLLECTION ? &below.more[i] : &below;
        bool same = q->kind == PART_HASH && q->n == p->partitioning.n &&
                    q->keys.n == p->partitioning.keys.n;

        for (uint32_t k = 0; same && k < q->keys.n; k++)
            same = expr_same(q->keys.at[k], p->partitioning.keys.at[k]);
        if (same)
            return true;
    }
    return false;
}

static struct phys *ensure_node(void *ctx, struct phys *p)
{
    struct planner_env *env = ctx;
    struct arena *a = env->arena;
    struct distribution want[2];
    struct phys *to[2];

    if (p->kind == PHYS_STAGE || p->kind == PHYS_UNION || p->n_children == 0)
        return p;
    if (is_idle_repartition(a, p))
        return p->children[0];
    if (p->n_children > ARRAY_LEN(to))
        return p;
    p = reorder_keys(a, p);
    for (uint32_t i = 0; i < p->n_children; i++) {
        struct partitioning has = phys_partitioning(a, p->children[i]);

        to[i] = p->children[i];
        want[i] = phys_requires(a, p, i);
        if (partitioning_satisfies(&has, &want[i]))
            continue;
        if (want[i].kind == DIST_BROADCAST)
            to[i] = broadcast(a, p, to[i]);
        else
            to[i] = exchange(a, partitioning_for(env, &want[i]), to[i]);
    }
    if (p->n_children == 2 && want[0].kind == DIST_CLUSTERED &&
        want[1].kind == DIST_CLUSTERED)
        make_alike(env, to, want);
    for (uint32_t i = 0; i < p->n_children; i++) {
        struct exprs order = phys_requires_order(a, p, i);

        to[i] = sorted(a, &order, to[i]);
    }
    return phys_with_children(a, p, to);
}

struct phys *phys_ensure(struct planner_env *env, struct phys *p)
{
    return phys_transform_up(env->arena, p, ensure_node, env);
}

/* ---- are they met? ---- */

static bool node_has_all(struct arena *a, const struct phys *p)
{
    struct partitioning has[2] = { 0 };
    struct distribution want[2] = { 0 };

    for (uint32_t i = 0; i < p->n_children && i < ARRAY_LEN(has); i++) {
        struct exprs order = phys_requires_order(a, p, i);
        struct exprs ordered = phys_ordering(a, p->children[i]);

        has[i] = phys_partitioning(a, p->children[i]);
        want[i] = phys_requires(a, p, i);
        if (!partitioning_satisfies(&has[i], &want[i]) ||
            !order_satisfies(&ordered, &order))
            return false;
    }
    return p->n_children != 2 || want[0].kind != DIST_CLUSTERED ||
           want[1].kind != DIST_CLUSTERED ||
           alike(&has[0], &want[0].keys, &has[1], &want[1].keys);
}

bool phys_requirements_hold(struct arena *a, const struct phys *p)
{
    if (p->kind == PHYS_STAGE || !p->n_children)
        return true;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (!phys_requirements_hold(a, p->children[i]))
            return false;
    return p->kind == PHYS_UNION || node_has_all(a, p);
}
