/* What the two printers of physical plans share. */
#ifndef ENGINE_PLAN_PHYS_PRINT_H
#define ENGINE_PLAN_PHYS_PRINT_H

#include "engine/plan/phys_int.h"

/* FORMATTED: numbers of nodes, those of children smaller. */
struct node_numbers {
    struct arena *arena;
    const struct phys **nodes; /* node i has number i + 1 */
    uint32_t n, cap;
};

struct subquery_list {
    const struct expr **at; /* EXPR_SUBQUERY_RESULT with a plan */
    uint32_t n;
};

struct subquery_list phys_subqueries(struct arena *a, const struct phys *p);
bool phys_is_broadcast(const struct phys *p); /* a stage or reuse of a broadcast too */
/* What follows a node's name in its line. */
void phys_print_args(struct strbuf *out, const struct phys *p);
void phys_print_join_type(struct strbuf *out, const struct phys *p);
/* Keys of a hashed relation: integral ones that fit 64 bits are one number. */
void phys_print_packed_keys(struct strbuf *out, const struct exprs *keys);
void phys_print_pushed(struct strbuf *out, const struct phys *scan);
const char *phys_index_name(const struct phys *scan);
void phys_print_tree(struct strbuf *out, const struct phys *p,
                     const struct node_numbers *numbers);
/* "HashAggregate (7)" */
void phys_print_numbered(struct strbuf *out, const struct phys *p,
                         const struct node_numbers *numbers);
void phys_print_formatted(struct strbuf *out, const struct phys *p);

#endif
