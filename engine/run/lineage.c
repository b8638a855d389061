/* Stages as RDDs: Spark's jobs list them, and a stage that ran is found again in later
 * jobs by its highest RDD id.
 *
 * Each whole-stage unit is one RDD, each other operator one, each leaf one more; ids
 * ascend from the leaves up. */
#include "engine/run/query_run.h"

#include <stdio.h>

enum { MOST_RDDS = 256, MOST_PARENTS = 64 };

struct lineage {
    struct query_run *q;
    struct log_rdd rdds[MOST_RDDS];
    uint32_t n;
    bool unordered; /* behind a shuffle so far */
};

struct parents {
    int32_t ids[MOST_PARENTS];
    uint32_t n;
};

static void add_parent(struct parents *p, int32_t id)
{
    if (p->n < MOST_PARENTS && id >= 0)
        p->ids[p->n++] = id;
}

static int32_t add_rdd(struct lineage *l, const char *name, const char *scope,
                       const struct parents *p, uint32_t partitions)
{
    struct query_run *q = l->q;
    struct strbuf text = { 0 };
    struct log_rdd *r;

    if (l->n == MOST_RDDS)
        return -1; /* the drawing gets poorer, nothing else */
    r = &l->rdds[l->n++];
    r->id = rdd_ids(q->scheduler, 1);
    r->name = name;
    r->call_site = q->call_site;
    r->n_partitions = (int32_t)partitions;
    r->unordered = l->unordered;
    r->n_parents = p->n;
    strbuf_printf(&text, "{\"id\":\"%d\",\"name\":\"%s\"}", r->id, scope);
    pthread_mutex_lock(&q->lock);
    r->scope = arena_sv(&q->arena, strbuf_sv(&text));
    int32_t *ids = arena_array(&q->arena, p->n + 1, sizeof *ids);
    pthread_mutex_unlock(&q->lock);
    memcpy(ids, p->ids, p->n * sizeof *ids);
    r->parents = ids;
    strbuf_release(&text);
    return r->id;
}

static int32_t rdd_of(struct lineage *l, const struct phys *p);

static int32_t leaf_rdd(struct lineage *l, const struct phys *p)
{
    const struct input *in = query_input(l->q, p);
    struct parents parents = { 0 };

    if (!in || !in->shuffle)
        return -1; /* a broadcast is no RDD of this stage */
    add_parent(&parents, in->top_rdd);
    l->unordered = true;
    return add_rdd(l, "ShuffledRowRDD",
                   p->kind == PHYS_AQE_READ ? "AQEShuffleRead" : "Exchange", &parents,
                   query_partitions(l->q, p));
}

static int32_t source_rdd(struct lineage *l, const struct phys *p)
{
    struct parents none = { 0 };
    struct strbuf name = { 0 };
    int32_t id;

    phys_node_name(&name, p);
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] == '"' || name.p[i] == '\\' || (unsigned char)name.p[i] < 0x20)
            name.p[i] = ' '; /* it goes into JSON inside JSON */
    id = add_rdd(l, p->kind == PHYS_SCAN ? "FileScanRDD" : "ParallelCollectionRDD",
                 name.p ? name.p : "Scan", &none, query_partitions(l->q, p));
    strbuf_release(&name);
    return id;
}

/* RDDs that a whole-stage unit reads. */
static void unit_inputs(struct lineage *l, const struct phys *p, struct parents *out)
{
    for (uint32_t i = 0; i < p->n_children; i++) {
        const struct phys *c = p->children[i];

        if (c->codegen == p->codegen && !query_is_leaf(c)) {
            if (c->n_children)
                unit_inputs(l, c, out);
            else
                add_parent(out, source_rdd(l, c));
        } else {
            add_parent(out, rdd_of(l, c));
        }
    }
}

static int32_t rdd_of(struct lineage *l, const struct phys *p)
{
    struct parents parents = { 0 };
    char scope[64];

    if (query_is_leaf(p))
        return leaf_rdd(l, p);
    if (p->n_children == 0 && !p->codegen)
        return source_rdd(l, p);
    if (p->codegen) {
        if (p->n_children)
            unit_inputs(l, p, &parents);
        else
            add_parent(&parents, source_rdd(l, p));
        snprintf(scope, sizeof scope, "WholeStageCodegen (%u)", p->codegen);
    } else {
        for (uint32_t i = 0; i < p->n_children; i++)
            add_parent(&parents, rdd_of(l, p->children[i]));
        snprintf(scope, sizeof scope, "%s", phys_classes[p->kind].name);
    }
    const char *name = parents.n > 1 ? "ZippedPartitionsRDD2" : "MapPartitionsRDD";
    if (p->kind == PHYS_UNION)
        name = "UnionRDD";
    else if (p->kind == PHYS_CARTESIAN)
        name = "UnsafeCartesianRDD";
    return add_rdd(l, name, scope, &parents, query_partitions(l->q, p));
}

uint32_t lineage_of(struct query_run *q, const struct phys *root, const char *top,
                    struct log_rdd **out, int32_t *top_rdd)
{
    struct lineage *l = query_alloc(q, sizeof *l);
    struct parents parents = { 0 };
    int32_t id;

    l->q = q;
    id = rdd_of(l, root);
    add_parent(&parents, id);
    if (top)
        id = add_rdd(l, "MapPartitionsRDD", top, &parents, query_partitions(q, root));
    *top_rdd = id;
    *out = l->rdds;
    return l->n;
}
