/* What the tasks of one query share: what earlier stages left behind, and how many
 * partitions a node's rows come in. Filled by the driver before a stage's tasks start;
 * tasks only read.
 *
 * A stage's tree ends at leaves that other stages materialised: PHYS_EXCHANGE,
 * PHYS_STAGE, PHYS_AQE_READ, PHYS_REUSED (a shuffle's or a broadcast's). Operators are
 * not opened below them: a shuffle is read with query_shuffle and query_read_spec, the
 * broadcast side of a join is asked for with query_broadcast.
 *
 * Task p of a stage computes partition p of its root. A leaf's partition is the task's,
 * but for two nodes below which it is another: a union's task p is child k's partition
 * p - (partitions of the children before k); a cartesian's is p / n of the left child and
 * p % n of the right, which has n. PHYS_COALESCE reads several (query_coalesced). */
#ifndef ENGINE_RUN_QUERY_H
#define ENGINE_RUN_QUERY_H

#include "engine/run/broadcast.h"
#include "engine/run/shuffle.h"
#include "engine/store/relation.h"

struct query_run;

/* node: one of the leaves above. NULL: there is none. */
struct shuffle *query_shuffle(const struct query_run *q, const struct phys *node);
const struct broadcast *query_broadcast(const struct query_run *q,
                                        const struct phys *node);
/* What partition p of a shuffle leaf reads. */
struct read_spec query_read_spec(const struct phys *leaf, uint32_t p);
/* The splits that partition p of a PHYS_SCAN reads. */
const struct scan_partition *query_scan(const struct query_run *q,
                                        const struct phys *scan, uint32_t p);
/* Its relation, with the files that are left after pruning: what splits count by. */
const struct relation *query_scan_relation(const struct query_run *q,
                                           const struct phys *scan);
/* Partitions of the rows that node puts out; at least 1 for a stage's root. */
uint32_t query_partitions(const struct query_run *q, const struct phys *node);
/* PHYS_COALESCE: its partition p is partitions [*from, *to) of its child. */
void query_coalesced(const struct query_run *q, const struct phys *node, uint32_t p,
                     uint32_t *from, uint32_t *to);
/* Rows [*from, *to) of all `n_rows` that partition p of n holds: local scans, ranges. */
void query_slice(uint64_t n_rows, uint32_t n, uint32_t p, uint64_t *from, uint64_t *to);

#endif
