/* Join selection (planner reference, section 4): hints, then sizes. */
#include "engine/plan/phys_int.h"

#include "engine/plan/adaptive.h"
#include "engine/plan/join_keys.h"

struct choice {
    struct planner_env *env;
    struct plan *join;
    struct join_keys keys;
    struct estimate left, right;
    struct phys *l, *r;
};

enum side { SIDE_NONE, SIDE_LEFT, SIDE_RIGHT };

static bool is_inner(enum join_type t)
{
    return t == JOIN_INNER || t == JOIN_CROSS;
}

static bool broadcast_left(enum join_type t)
{
    return is_inner(t) || t == JOIN_RIGHT;
}

static bool broadcast_right(enum join_type t)
{
    return is_inner(t) || t == JOIN_LEFT || t == JOIN_SEMI || t == JOIN_ANTI ||
           t == JOIN_EXISTENCE;
}

static bool hash_left(enum join_type t)
{
    return is_inner(t) || t == JOIN_LEFT || t == JOIN_RIGHT || t == JOIN_FULL;
}

/* ---- sizes ---- */

static bool fits_broadcast(const struct choice *c, const struct estimate *e)
{
    const struct settings *s = c->env->settings;
    int64_t most = settings_int(s, SET_BROADCAST_BYTES);

    if (e->runtime && settings_is_set(s, SET_ADAPTIVE_BROADCAST))
        most = settings_int(s, SET_ADAPTIVE_BROADCAST);
    return most >= 0 && bignum_cmp(e->bytes, bignum_of((uint64_t)most)) <= 0;
}

static enum side smaller(const struct choice *c)
{
    return bignum_cmp(c->right.bytes, c->left.bytes) <= 0 ? SIDE_RIGHT : SIDE_LEFT;
}

static enum side pick(const struct choice *c, bool left, bool right)
{
    if (left && right)
        return smaller(c);
    return left ? SIDE_LEFT : right ? SIDE_RIGHT : SIDE_NONE;
}

/* ---- nodes ---- */

static struct exprs nullable(struct arena *a, const struct exprs *list)
{
    struct exprs out = exprs_new(a, list->n);

    /* tasks of stages that run may read what is here already */
    for (uint32_t i = 0; i < list->n; i++) {
        out.at[i] = list->at[i];
        if (list->at[i]->nullable)
            continue;
        out.at[i] = expr_copy(a, list->at[i]);
        out.at[i]->nullable = true;
    }
    return out;
}

static struct exprs join_output(struct choice *c)
{
    struct arena *a = c->env->arena;
    struct exprs l = c->l->output, r = c->r->output;
    const struct exprs *logical;

    switch (c->join->join_type) {
    case JOIN_SEMI:
    case JOIN_ANTI:
        return l;
    case JOIN_EXISTENCE:
        logical = plan_output(a, c->join);
        return exprs_add(a, &l, logical->at[logical->n - 1]);
    case JOIN_LEFT:
        r = nullable(a, &r);
        break;
    case JOIN_RIGHT:
        l = nullable(a, &l);
        break;
    case JOIN_FULL:
        l = nullable(a, &l);
        r = nullable(a, &r);
        break;
    case JOIN_INNER:
    case JOIN_CROSS:
        break;
    }
    return exprs_join(a, &l, &r);
}

static struct phys *join_node(struct choice *c, enum phys_kind kind, enum side build)
{
    struct phys *p = phys_new(c->env->arena, kind, 2);

    p->children[0] = c->l;
    p->children[1] = c->r;
    p->join_type = c->join->join_type;
    p->build_left = build == SIDE_LEFT;
    p->output = join_output(c);
    if (kind == PHYS_BROADCAST_NL_JOIN || kind == PHYS_CARTESIAN) {
        p->condition = c->join->condition;
        return p;
    }
    p->left_keys = c->keys.left;
    p->right_keys = c->keys.right;
    p->condition = c->keys.rest;
    return p;
}

/* ---- candidates; NULL: not this one ---- */

static struct phys *broadcast_hash(struct choice *c, bool hinted)
{
    const struct plan *j = c->join;
    bool left =
        hinted ? j->hint_left == HINT_BROADCAST
               : fits_broadcast(c, &c->left) && j->hint_left != HINT_NO_BROADCAST_HASH;
    bool right =
        hinted ? j->hint_right == HINT_BROADCAST
               : fits_broadcast(c, &c->right) && j->hint_right != HINT_NO_BROADCAST_HASH;
    enum side build = pick(c, left && broadcast_left(j->join_type),
                           right && broadcast_right(j->join_type));

    return build == SIDE_NONE ? NULL : join_node(c, PHYS_BROADCAST_HASH_JOIN, build);
}

/* Small enough for a map per partition, and much smaller than the other side. */
static bool small_enough(const struct choice *c, const struct estimate *build,
                         const struct estimate *other)
{
    const struct settings *s = c->env->settings;
    int64_t most = settings_int(s, SET_BROADCAST_BYTES);
    int64_t n = settings_int(s, SET_SHUFFLE_PARTITIONS);
    int64_t factor = settings_int(s, SET_SHUFFLED_HASH_FACTOR);
    struct bignum limit;

    if (most < 0)
        return false;
    limit = bignum_mul(bignum_of((uint64_t)most), bignum_of((uint64_t)n));
    return bignum_cmp(build->bytes, limit) < 0 &&
           bignum_cmp(bignum_mul(build->bytes, bignum_of((uint64_t)factor)),
                      other->bytes) <= 0;
}

static struct phys *shuffled_hash(struct choice *c, bool hinted)
{
    const struct plan *j = c->join;
    bool by_size = !settings_bool(c->env->settings, SET_PREFER_SORT_MERGE);
    bool left = hinted ? j->hint_left == HINT_SHUFFLE_HASH
                       : j->hint_left == HINT_PREFER_SHUFFLE_HASH ||
                             (by_size && small_enough(c, &c->left, &c->right));
    bool right = hinted ? j->hint_right == HINT_SHUFFLE_HASH
                        : j->hint_right == HINT_PREFER_SHUFFLE_HASH ||
                              (by_size && small_enough(c, &c->right, &c->left));
    enum side build = pick(c, left && hash_left(j->join_type), right);

    return build == SIDE_NONE ? NULL : join_node(c, PHYS_SHUFFLED_HASH_JOIN, build);
}

static struct phys *cartesian(struct choice *c)
{
    return is_inner(c->join->join_type) ? join_node(c, PHYS_CARTESIAN, SIDE_RIGHT) : NULL;
}

static bool hints(const struct plan *j, enum join_hint h)
{
    return j->hint_left == h || j->hint_right == h;
}

static struct phys *equi_join(struct choice *c)
{
    const struct plan *j = c->join;
    struct phys *p = NULL;

    if (j->hint_left != HINT_NONE || j->hint_right != HINT_NONE) {
        p = broadcast_hash(c, true);
        if (!p && hints(j, HINT_MERGE))
            p = join_node(c, PHYS_SORT_MERGE_JOIN, SIDE_RIGHT);
        if (!p)
            p = shuffled_hash(c, true);
        if (!p && hints(j, HINT_SHUFFLE_REPLICATE_NL))
            p = cartesian(c);
    }
    if (!p)
        p = broadcast_hash(c, false);
    if (!p)
        p = shuffled_hash(c, false);
    return p ? p : join_node(c, PHYS_SORT_MERGE_JOIN, SIDE_RIGHT);
}

/* Which side a nested loop join would rather have in memory. */
static enum side nested_build(const struct choice *c)
{
    enum join_type t = c->join->join_type;

    if (is_inner(t) || t == JOIN_FULL)
        return smaller(c);
    return broadcast_left(t) ? SIDE_LEFT : SIDE_RIGHT;
}

static struct phys *nested_loop(struct choice *c, bool left, bool right)
{
    enum side build = left && right ? nested_build(c)
                      : left        ? SIDE_LEFT
                      : right       ? SIDE_RIGHT
                                    : SIDE_NONE;

    return build == SIDE_NONE ? NULL : join_node(c, PHYS_BROADCAST_NL_JOIN, build);
}

static struct phys *other_join(struct choice *c)
{
    const struct plan *j = c->join;
    struct phys *p =
        nested_loop(c, j->hint_left == HINT_BROADCAST, j->hint_right == HINT_BROADCAST);

    if (!p && hints(j, HINT_SHUFFLE_REPLICATE_NL))
        p = cartesian(c);
    if (!p)
        p = nested_loop(c, fits_broadcast(c, &c->left), fits_broadcast(c, &c->right));
    if (!p)
        p = cartesian(c);
    return p ? p : join_node(c, PHYS_BROADCAST_NL_JOIN, nested_build(c));
}

/* ---- over what ran ---- */

static bool is_broadcast_stage(const struct plan *p)
{
    const struct phys *q = p->kind == PLAN_STAGE ? p->phys : NULL;

    if (!q || q->kind != PHYS_STAGE)
        return false;
    q = q->children[0];
    while (q->kind == PHYS_REUSED)
        q = q->reused;
    return q->kind == PHYS_BROADCAST;
}

static enum side broadcast_stage_side(const struct plan *j)
{
    return is_broadcast_stage(j->children[0])   ? SIDE_LEFT
           : is_broadcast_stage(j->children[1]) ? SIDE_RIGHT
                                                : SIDE_NONE;
}

static struct phys *null_aware_join(struct choice *c)
{
    struct arena *a = c->env->arena;
    struct expr *left, *right;
    struct phys *p;

    if (!settings_bool(c->env->settings, SET_NULL_AWARE_ANTI) ||
        !join_null_aware(a, c->join, &left, &right))
        return NULL;
    c->keys.left = exprs_add(a, &(struct exprs){ 0 }, left);
    c->keys.right = exprs_add(a, &(struct exprs){ 0 }, right);
    c->keys.rest = NULL;
    p = join_node(c, PHYS_BROADCAST_HASH_JOIN, SIDE_RIGHT);
    p->null_aware = true;
    return p;
}

struct phys *phys_join(struct planner_env *env, struct plan *p, struct phys *left,
                       struct phys *right)
{
    struct choice c = { .env = env, .join = p, .l = left, .r = right };
    enum side ran = broadcast_stage_side(p);
    struct phys *null_aware;

    c.keys = join_keys_of(env->arena, p);
    if (c.keys.left.n && ran != SIDE_NONE)
        return join_node(&c, PHYS_BROADCAST_HASH_JOIN, ran);
    c.left = plan_estimate(env->arena, p->children[0], env->settings);
    c.right = plan_estimate(env->arena, p->children[1], env->settings);
    if (c.keys.left.n)
        return equi_join(&c);
    if ((null_aware = null_aware_join(&c)) != NULL)
        return null_aware;
    if (ran != SIDE_NONE)
        return join_node(&c, PHYS_BROADCAST_NL_JOIN, ran);
    return other_join(&c);
}
