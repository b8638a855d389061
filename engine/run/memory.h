/* Spark's unified memory manager over the real bytes of our buffers, one per executor.
 *
 *     heap - 300 MB, x memory.fraction = pool M; below storageFraction of it, cached
 *     blocks are safe; a task may hold at most pool/N of execution memory (N tasks hold
 *     some), and waits until it can have pool/2N (planner reference, section 9)
 *
 * Operators hold memory as *consumers* of their task. A request that cannot be met asks
 * the task's other consumers to spill (the smallest that covers the lack, else the
 * largest first, the asking one last); what is granted may be less than asked. An
 * operator that gets too little spills what it has, or fails the task with Spark's words
 * (memory_refused). Thread-safe across tasks; one task's consumers are used by its one
 * thread. */
#ifndef ENGINE_RUN_MEMORY_H
#define ENGINE_RUN_MEMORY_H

#include "base/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct settings;
struct memory; /* an executor's */

struct memory *memory_new(int64_t heap_bytes, int32_t cores, const struct settings *s);
void memory_free(struct memory *m);
int64_t
memory_pool_bytes(const struct memory *m); /* M: "Maximum Memory" in BlockManagerAdded */
int64_t memory_page_bytes(const struct memory *m); /* Spark's page size on it */
int64_t memory_storage_used(const struct memory *m);
int64_t memory_execution_used(const struct memory *m);
/* Storage side: cached blocks, broadcasts. False: does not fit. */
int memory_storage_acquire(struct memory *m, int64_t bytes);
void memory_storage_release(struct memory *m, int64_t bytes);

struct task_memory { /* one running task */
    struct memory *pool;
    struct consumer *consumers; /* list */
    int64_t used_bytes, peak_bytes;
    int64_t spilled_memory_bytes,
        spilled_disk_bytes;        /* summed by operators as they spill */
    int registered;                /* counted as one of the N: it holds memory */
    const _Atomic bool *cancelled; /* ends waiting; NULL: nothing does */
};

void task_memory_begin(struct task_memory *t, struct memory *pool);
void task_memory_end(struct task_memory *t); /* gives back what is left */

struct consumer {
    struct consumer *next;
    struct task_memory *task;
    const char *name;
    int64_t used_bytes, peak_bytes;
    /* Frees memory by writing to disk: returns the bytes given back (it calls
     * memory_release). NULL: cannot. `wanted` is a hint. 0: nothing to spill. -1: the
     * spill failed, err says why. */
    int64_t (*spill)(struct consumer *c, int64_t wanted, struct err *err);
    void *owner;
};

void consumer_add(struct task_memory *t, struct consumer *c);
void consumer_remove(struct consumer *c); /* releases what it still holds */
/* Bytes granted, 0..bytes; -1: a spill failed. May spill others first, then (through
 * c->spill, if self_spill) c itself. */
int64_t memory_acquire(struct consumer *c, int64_t bytes, int self_spill,
                       struct err *err);
/* What an operator calls before its buffers grow: c holds at least `bytes` afterwards, in
 * steps of a page so that this is seldom more than a comparison, or as much as before. c
 * itself is not spilled. */
enum memory_answer { MEMORY_GRANTED, MEMORY_SHORT, MEMORY_FAILED };
enum memory_answer memory_cover(struct consumer *c, int64_t bytes, struct err *err);
void memory_release(struct consumer *c, int64_t bytes);
/* ERR_LIMIT with Spark's text: "[UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire N bytes of
 * memory, got M." */
enum errc memory_refused(int64_t wanted, int64_t got, struct err *err);

#endif
