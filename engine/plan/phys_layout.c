/* How rows lie: partitionings and orders that nodes put out, those that they want, and
 * which satisfy which.
 *
 * A select list renames: what was laid out by a#1 is laid out by b#2 above `a#1 AS b#2`,
 * and no longer by anything if a#1 is gone. Both sides of an inner join hold after it (a
 * PART_COLLECTION); an order's further arguments are the other side's keys. */
#include "engine/plan/phys_int.h"

#include "engine/plan/adaptive.h"
#include "engine/plan/join_keys.h"

enum { MOST_ALIASES = 16 }; /* combinations of names for one list of keys */

static struct partitioning unknown(uint32_t n)
{
    return (struct partitioning){ .kind = PART_UNKNOWN, .n = n };
}

static struct partitioning collection(struct arena *a, const struct partitioning *list,
                                      uint32_t n)
{
    struct partitioning out = { .kind = PART_COLLECTION, .n = list[0].n, .n_more = n };

    if (n == 1)
        return list[0];
    out.more = arena_array(a, n, sizeof *out.more);
    memcpy(out.more, list, n * sizeof *list);
    return out;
}

/* ---- through select lists ---- */

struct names { /* under which e is known above */
    struct expr *at[MOST_ALIASES];
    uint32_t n;
};

static void add_name(struct names *to, struct expr *e)
{
    if (to->n < MOST_ALIASES)
        to->at[to->n++] = e;
}

struct renaming {
    struct arena *arena;
    const struct exprs *list;
    bool lost;
};

static struct expr *rename_attribute(void *ctx, struct expr *e)
{
    struct renaming *r = ctx;

    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = 0; i < r->list->n; i++) {
        struct expr *item = r->list->at[i];

        if (item->kind == EXPR_ATTRIBUTE && item->id == e->id)
            return e;
    }
    for (uint32_t i = 0; i < r->list->n; i++) {
        struct expr *item = r->list->at[i];

        if (item->kind == EXPR_ALIAS && expr_same(item->args[0], e))
            return expr_to_attribute(r->arena, item);
    }
    r->lost = true;
    return e;
}

static struct names names_of(struct arena *a, const struct exprs *list, struct expr *e)
{
    struct names out = { 0 };
    struct renaming r = { .arena = a, .list = list };
    struct expr *inner;

    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *item = list->at[i];

        if (item->kind == EXPR_ALIAS && expr_same(item->args[0], e))
            add_name(&out, expr_to_attribute(a, item));
        else if (item->kind == EXPR_ATTRIBUTE && expr_same(item, e))
            add_name(&out, item);
    }
    if (e->kind == EXPR_ATTRIBUTE)
        return out;
    inner = expr_transform_up(a, e, rename_attribute, &r);
    if (!r.lost)
        add_name(&out, inner);
    return out;
}

/* A sort order over a name of its expression. */
static struct expr *over(struct arena *a, struct expr *key, struct expr *name)
{
    struct expr *copy;

    if (key->kind != EXPR_SORT_ORDER)
        return name;
    copy = expr_copy(a, key);
    copy->n_args = 1;
    copy->args = arena_array(a, 1, sizeof *copy->args);
    copy->args[0] = name;
    return copy;
}

static struct expr *under(struct expr *key)
{
    return key->kind == EXPR_SORT_ORDER ? key->args[0] : key;
}

/* Every list of names for the keys of one hash or range partitioning. */
static void rename_keys(struct arena *a, const struct partitioning *p,
                        const struct exprs *list, struct partitioning *out, uint32_t *n)
{
    struct names *names = arena_array(a, p->keys.n + 1, sizeof *names);
    uint32_t combinations = 1;

    for (uint32_t i = 0; i < p->keys.n; i++) {
        names[i] = names_of(a, list, under(p->keys.at[i]));
        combinations *= names[i].n;
        if (combinations > MOST_ALIASES)
            combinations = MOST_ALIASES;
    }
    for (uint32_t c = 0; c < combinations && *n < MOST_ALIASES; c++) {
        struct partitioning q = *p;
        uint32_t left = c;

        q.keys = exprs_new(a, p->keys.n);
        for (uint32_t i = p->keys.n; i-- > 0;) {
            q.keys.at[i] = over(a, p->keys.at[i], names[i].at[left % names[i].n]);
            left /= names[i].n;
        }
        out[(*n)++] = q;
    }
}

static void rename_all(struct arena *a, const struct partitioning *p,
                       const struct exprs *list, struct partitioning *out, uint32_t *n)
{
    if (p->kind == PART_COLLECTION)
        for (uint32_t i = 0; i < p->n_more; i++)
            rename_all(a, &p->more[i], list, out, n);
    else if (p->kind == PART_HASH || p->kind == PART_RANGE)
        rename_keys(a, p, list, out, n);
    else if (*n < MOST_ALIASES)
        out[(*n)++] = *p;
}

static struct partitioning through_list(struct arena *a, struct partitioning p,
                                        const struct exprs *list)
{
    struct partitioning out[MOST_ALIASES] = { 0 };
    uint32_t n = 0;

    rename_all(a, &p, list, out, &n);
    return n ? collection(a, out, n) : unknown(p.n);
}

static struct exprs order_through_list(struct arena *a, struct exprs order,
                                       const struct exprs *list)
{
    struct exprs out = exprs_new(a, order.n);

    out.n = 0;
    for (uint32_t i = 0; i < order.n; i++) {
        const struct expr *o = order.at[i];
        struct expr *copy = expr_copy(a, o);

        copy->args = arena_array(a, (size_t)o->n_args * MOST_ALIASES, sizeof *copy->args);
        copy->n_args = 0;
        for (uint32_t k = 0; k < o->n_args; k++) {
            struct names names = names_of(a, list, o->args[k]);

            for (uint32_t m = 0; m < names.n; m++)
                copy->args[copy->n_args++] = names.at[m];
        }
        if (!copy->n_args)
            break;
        out.at[out.n++] = copy;
    }
    return out;
}

/* ---- partitionings ---- */

/* A broadcast join's streamed keys may also be called by the build side's. */
static struct partitioning with_build_keys(struct arena *a, const struct phys *join,
                                           struct partitioning p)
{
    const struct exprs *streamed =
        join->build_left ? &join->right_keys : &join->left_keys;
    const struct exprs *build = join->build_left ? &join->left_keys : &join->right_keys;
    struct partitioning out[8] = {
        0
    }; /* broadcastHashJoinOutputPartitioningExpandLimit */
    uint32_t n = 0;

    if (p.kind == PART_COLLECTION) {
        for (uint32_t i = 0; i < p.n_more && n < ARRAY_LEN(out); i++)
            out[n++] = with_build_keys(a, join, p.more[i]);
        return collection(a, out, n);
    }
    if (p.kind != PART_HASH)
        return p;
    out[n++] = p;
    for (uint32_t i = 0; i < p.keys.n; i++)
        for (uint32_t have = n, h = 0; h < have; h++)
            for (uint32_t k = 0; k < streamed->n && n < ARRAY_LEN(out); k++) {
                if (!expr_same(out[h].keys.at[i], streamed->at[k]))
                    continue;
                out[n] = out[h];
                out[n].keys = exprs_copy(a, &out[h].keys);
                out[n++].keys.at[i] = build->at[k];
            }
    return collection(a, out, n);
}

static struct partitioning shuffled_join_partitioning(struct arena *a,
                                                      const struct phys *p)
{
    struct partitioning sides[2] = { 0 };

    switch (p->join_type) {
    case JOIN_INNER:
    case JOIN_CROSS:
        sides[0] = phys_partitioning(a, p->children[0]);
        sides[1] = phys_partitioning(a, p->children[1]);
        return collection(a, sides, 2);
    case JOIN_RIGHT:
        return phys_partitioning(a, p->children[1]);
    case JOIN_FULL:
        return unknown(phys_partitioning(a, p->children[0]).n);
    case JOIN_LEFT:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_EXISTENCE:
        break;
    }
    return phys_partitioning(a, p->children[0]);
}

/* The partitioning of what `from` puts out, under the names of `to`. */
static struct partitioning renamed(struct arena *a, struct partitioning p,
                                   const struct exprs *from, const struct exprs *to)
{
    struct exprs list = exprs_new(a, to->n);

    for (uint32_t i = 0; i < list.n; i++)
        list.at[i] = expr_alias(a, from->at[i], to->at[i]->name, to->at[i]->id);
    return through_list(a, p, &list);
}

/* Each task one map output: rows lie as they did before the shuffle. */
static bool reads_whole_maps(const struct phys *read)
{
    for (uint32_t i = 0; i < read->n_specs; i++)
        if (read->specs[i].from != 0 ||
            read->specs[i].map_to != read->specs[i].map_from + 1)
            return false;
    return read->read_kind == AQE_LOCAL && read->n_specs > 0;
}

/* Ranges of whole reducers, none twice. */
static bool reads_ranges(const struct phys *read)
{
    for (uint32_t i = 0; i < read->n_specs; i++)
        if (read->specs[i].map_to != UINT32_MAX ||
            (i > 0 && read->specs[i].from < read->specs[i - 1].to))
            return false;
    return read->read_kind != AQE_LOCAL;
}

static struct partitioning read_partitioning(struct arena *a, const struct phys *p)
{
    const struct phys *stage = p->children[0];
    struct partitioning below;

    if (reads_ranges(p)) {
        below = phys_partitioning(a, stage);
        if (below.kind == PART_SINGLE)
            return unknown(p->n_specs);
        below.n = p->n_specs;
        return below;
    }
    if (!reads_whole_maps(p) || stage->kind != PHYS_STAGE)
        return unknown(p->n_specs);
    stage = stage->children[0];
    if (stage->kind != PHYS_REUSED)
        return phys_partitioning(a, stage->children[0]);
    below = phys_partitioning(a, stage->reused->children[0]);
    return below.keys.n || below.n_more
               ? renamed(a, below, &stage->reused->output, &stage->output)
               : below;
}

/* A nested loop join that passes the streamed rows once, in their places. */
static struct exprs range_order(struct arena *a, const struct phys *p)
{
    struct exprs by_id = sort_all_ascending(a, &p->output);

    if (p->range_step < 0)
        by_id.at[0]->descending = by_id.at[0]->nulls_last = true;
    return by_id;
}

static bool keeps_streamed(const struct phys *p)
{
    if (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS)
        return true;
    return p->join_type != JOIN_FULL && p->build_left == (p->join_type == JOIN_RIGHT);
}

struct partitioning phys_partitioning(struct arena *a, const struct phys *p)
{
    struct partitioning single = { .kind = PART_SINGLE, .n = 1 };

    switch (p->kind) {
    case PHYS_RANGE:
        if (p->n_partitions == 1)
            return single;
        return (struct partitioning){
            .kind = PART_RANGE,
            .keys = range_order(a, p),
            .n = p->n_partitions,
        };
    case PHYS_PROJECT:
    case PHYS_HASH_AGG:
    case PHYS_OBJECT_AGG:
    case PHYS_SORT_AGG:
        return through_list(a, phys_partitioning(a, p->children[0]), &p->list);
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
        return shuffled_join_partitioning(a, p);
    case PHYS_BROADCAST_HASH_JOIN: {
        struct partitioning q = phys_partitioning(a, p->children[p->build_left]);

        return p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS
                   ? with_build_keys(a, p, q)
                   : q;
    }
    case PHYS_BROADCAST_NL_JOIN:
        return keeps_streamed(p) ? phys_partitioning(a, p->children[p->build_left])
                                 : unknown(0);
    case PHYS_EXCHANGE:
        return p->partitioning;
    case PHYS_BROADCAST:
        return (struct partitioning){ .kind = PART_BROADCAST, .n = 1 };
    case PHYS_AQE_READ:
        return read_partitioning(a, p);
    case PHYS_REUSED:
        return renamed(a, phys_partitioning(a, p->reused), &p->reused->output,
                       &p->output);
    case PHYS_COALESCE:
        return p->n_partitions == 1 ? single : unknown(p->n_partitions);
    case PHYS_COLLECT_LIMIT:
    case PHYS_TAKE_ORDERED:
        return single;
    case PHYS_FILTER:
    case PHYS_SORT:
    case PHYS_WINDOW:
    case PHYS_WINDOW_GROUP_LIMIT:
    case PHYS_LOCAL_LIMIT:
    case PHYS_GLOBAL_LIMIT:
    case PHYS_OFFSET:
    case PHYS_SAMPLE:
    case PHYS_GENERATE:
    case PHYS_COLUMNAR_TO_ROW:
    case PHYS_STAGE:
    case PHYS_ADAPTIVE:
        return phys_partitioning(a, p->children[0]);
    case PHYS_SCAN:
    case PHYS_LOCAL_SCAN:
    case PHYS_ONE_ROW:
    case PHYS_EXPAND:
    case PHYS_CARTESIAN:
    case PHYS_UNION:
    case PHYS_SUBQUERY:
    case PHYS_REUSED_SUBQUERY:
    case PHYS_WRITE:
    case PHYS_WRITE_FILES:
    case PHYS_COMMAND:
    case N_PHYS_KINDS:
        break;
    }
    return unknown(0);
}

/* ---- orders ---- */

struct expr *sort_ascending(struct arena *a, struct expr *key)
{
    struct expr *o = expr_new(a, EXPR_SORT_ORDER, 1);

    o->args[0] = key;
    expr_settle(o);
    return o;
}

struct exprs sort_all_ascending(struct arena *a, const struct exprs *keys)
{
    struct exprs out = exprs_new(a, keys->n);

    for (uint32_t i = 0; i < keys->n; i++)
        out.at[i] = sort_ascending(a, keys->at[i]);
    return out;
}

/* A merge join's output is sorted by the keys of both sides at once. */
static struct exprs merge_order(struct arena *a, const struct phys *p)
{
    struct exprs out;

    if (p->join_type == JOIN_FULL)
        return (struct exprs){ 0 };
    if (p->join_type == JOIN_RIGHT)
        return sort_all_ascending(a, &p->right_keys);
    out = sort_all_ascending(a, &p->left_keys);
    if (p->join_type != JOIN_INNER && p->join_type != JOIN_CROSS)
        return out;
    for (uint32_t i = 0; i < out.n; i++) {
        struct expr *both = expr_new(a, EXPR_SORT_ORDER, 2);

        both->args[0] = p->left_keys.at[i];
        both->args[1] = p->right_keys.at[i];
        both->type = out.at[i]->type;
        both->resolved = true;
        out.at[i] = both;
    }
    return out;
}

struct exprs phys_ordering(struct arena *a, const struct phys *p)
{
    struct exprs none = { 0 }, keys;

    switch (p->kind) {
    case PHYS_SORT:
        return p->order;
    case PHYS_TAKE_ORDERED:
        return order_through_list(a, p->order, &p->list);
    case PHYS_RANGE:
        return range_order(a, p);
    case PHYS_PROJECT:
        return order_through_list(a, phys_ordering(a, p->children[0]), &p->list);
    case PHYS_SORT_AGG:
        keys = exprs_to_attributes(a, &p->keys);
        return order_through_list(a, sort_all_ascending(a, &keys), &p->list);
    case PHYS_SORT_MERGE_JOIN:
        return merge_order(a, p);
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
        return p->join_type == JOIN_FULL ? none
                                         : phys_ordering(a, p->children[p->build_left]);
    case PHYS_FILTER:
    case PHYS_WINDOW:
    case PHYS_WINDOW_GROUP_LIMIT:
    case PHYS_LOCAL_LIMIT:
    case PHYS_GLOBAL_LIMIT:
    case PHYS_OFFSET:
    case PHYS_SAMPLE:
    case PHYS_COLUMNAR_TO_ROW:
    case PHYS_STAGE:
    case PHYS_ADAPTIVE:
        return phys_ordering(a, p->children[0]);
    default: /* the others lose it or never had one */
        return none;
    }
}

static bool sort_satisfies(const struct expr *has, const struct expr *wants)
{
    if (has->descending != wants->descending || has->nulls_last != wants->nulls_last)
        return false;
    for (uint32_t i = 0; i < has->n_args; i++)
        if (expr_same(has->args[i], wants->args[0]))
            return true;
    return false;
}

bool order_satisfies(const struct exprs *has, const struct exprs *wants)
{
    if (has->n < wants->n)
        return false;
    for (uint32_t i = 0; i < wants->n; i++)
        if (!sort_satisfies(has->at[i], wants->at[i]))
            return false;
    return true;
}

/* ---- what nodes want ---- */

static struct distribution clustered_or_all(const struct exprs *keys)
{
    return (struct distribution){ .kind = keys->n ? DIST_CLUSTERED : DIST_ALL,
                                  .keys = *keys };
}

struct distribution phys_requires(struct arena *a, const struct phys *p, uint32_t i)
{
    struct distribution any = { .kind = DIST_ANY }, all = { .kind = DIST_ALL };

    (void)a;
    switch (p->kind) {
    case PHYS_HASH_AGG:
    case PHYS_OBJECT_AGG:
    case PHYS_SORT_AGG:
        return p->clustered ? clustered_or_all(&p->requires_keys) : any;
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
        if (p->skew)
            return any;
        return (struct distribution){ .kind = DIST_CLUSTERED,
                                      .keys = i ? p->right_keys : p->left_keys };
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
        return (struct distribution){ .kind = (i == 0) == p->build_left ? DIST_BROADCAST
                                                                        : DIST_ANY };
    case PHYS_SORT:
        return p->global ? (struct distribution){ .kind = DIST_ORDERED, .keys = p->order }
                         : any;
    case PHYS_WINDOW:
        return clustered_or_all(&p->keys);
    case PHYS_WINDOW_GROUP_LIMIT:
        return p->partial ? any : clustered_or_all(&p->keys);
    case PHYS_GLOBAL_LIMIT:
    case PHYS_OFFSET:
        return all;
    default: /* rows may lie as they like */
        return any;
    }
}

struct exprs phys_requires_order(struct arena *a, const struct phys *p, uint32_t i)
{
    struct exprs by_keys;

    switch (p->kind) {
    case PHYS_SORT_MERGE_JOIN:
        return sort_all_ascending(a, i ? &p->right_keys : &p->left_keys);
    case PHYS_SORT_AGG:
        return sort_all_ascending(a, &p->keys);
    case PHYS_WINDOW:
    case PHYS_WINDOW_GROUP_LIMIT:
        by_keys = sort_all_ascending(a, &p->keys);
        return exprs_join(a, &by_keys, &p->order);
    default: /* any order will do */
        return (struct exprs){ 0 };
    }
}

static bool has_same(const struct exprs *list, const struct expr *e)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_same(list->at[i], e))
            return true;
    return false;
}

static bool keys_among(const struct exprs *keys, const struct exprs *wanted)
{
    for (uint32_t i = 0; i < keys->n; i++)
        if (!has_same(wanted, under(keys->at[i])))
            return false;
    return true;
}

static bool prefix_same(const struct exprs *x, const struct exprs *y)
{
    for (uint32_t i = 0; i < x->n && i < y->n; i++)
        if (!expr_same(x->at[i], y->at[i]))
            return false;
    return true;
}

bool partitioning_satisfies(const struct partitioning *p, const struct distribution *d)
{
    if (p->kind == PART_COLLECTION) {
        for (uint32_t i = 0; i < p->n_more; i++)
            if (partitioning_satisfies(&p->more[i], d))
                return true;
        return false;
    }
    switch (d->kind) {
    case DIST_ANY:
        return true;
    case DIST_ALL:
        return p->kind != PART_BROADCAST && p->n == 1;
    case DIST_CLUSTERED:
        return p->kind == PART_SINGLE ||
               ((p->kind == PART_HASH || p->kind == PART_RANGE) &&
                keys_among(&p->keys, &d->keys));
    case DIST_ORDERED:
        return p->kind == PART_SINGLE ||
               (p->kind == PART_RANGE && prefix_same(&p->keys, &d->keys));
    case DIST_BROADCAST:
        return p->kind == PART_BROADCAST;
    }
    return false;
}
