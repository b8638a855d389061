/* Spark's unified memory manager; see memory.h.
 *
 * The pool is two: storage, of storageFraction at first, and execution. Each takes what
 * the other leaves free; execution takes back what storage had grown by. A lock guards
 * the pools; waiting tasks are woken when memory comes back or a task comes or goes, as
 * each changes what one may hold. Nothing evicts cached blocks: storage gives up only
 * what is free. */
#include "engine/run/memory.h"

#include "base/mem.h"
#include "engine/run/settings.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RESERVED_BYTES (INT64_C(300) << 20)
#define PAGE_LEAST (INT64_C(1) << 20)
#define PAGE_MOST (INT64_C(64) << 20)
#define PAGE_HEADER                                                                      \
    16 /* of a Java array: Spark's pages are that much smaller under G1                  \
        */
#define WAIT_NS 100000000

struct memory {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t total_bytes, storage_region_bytes, page_bytes;
    int64_t execution_pool, storage_pool; /* together total_bytes */
    int64_t execution_used, storage_used;
    int32_t tasks; /* that hold memory */
};

static int64_t page_size(int64_t execution, int32_t cores)
{
    int64_t want = execution / (cores > 0 ? cores : 1) / 16, page = PAGE_LEAST;

    while (page < want && page < PAGE_MOST)
        page *= 2;
    return page - PAGE_HEADER;
}

struct memory *memory_new(int64_t heap_bytes, int32_t cores, const struct settings *s)
{
    struct memory *m = xcalloc(1, sizeof *m);
    int64_t usable = max_i64(heap_bytes - RESERVED_BYTES, 0);

    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->changed, NULL);
    m->total_bytes = (int64_t)((double)usable * settings_double(s, SET_MEMORY_FRACTION));
    m->storage_region_bytes =
        (int64_t)((double)m->total_bytes * settings_double(s, SET_STORAGE_FRACTION));
    m->storage_pool = m->storage_region_bytes;
    m->execution_pool = m->total_bytes - m->storage_pool;
    m->page_bytes = settings_int(s, SET_PAGE_BYTES);
    if (m->page_bytes <= 0)
        m->page_bytes = page_size(m->execution_pool, cores);
    return m;
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->changed);
    free(m);
}

int64_t memory_pool_bytes(const struct memory *m)
{
    return m->total_bytes;
}

int64_t memory_page_bytes(const struct memory *m)
{
    return m->page_bytes;
}

/* ---- storage ---- */

int64_t memory_storage_used(const struct memory *m)
{
    struct memory *locked = (struct memory *)(uintptr_t)m;

    pthread_mutex_lock(&locked->lock);
    int64_t used = m->storage_used;
    pthread_mutex_unlock(&locked->lock);
    return used;
}

int64_t memory_execution_used(const struct memory *m)
{
    struct memory *locked = (struct memory *)(uintptr_t)m;

    pthread_mutex_lock(&locked->lock);
    int64_t used = m->execution_used;
    pthread_mutex_unlock(&locked->lock);
    return used;
}

int memory_storage_acquire(struct memory *m, int64_t bytes)
{
    int fits = 0;

    pthread_mutex_lock(&m->lock);
    int64_t lack = bytes - (m->storage_pool - m->storage_used);
    if (lack > 0) {
        int64_t borrow = min_i64(lack, m->execution_pool - m->execution_used);

        m->execution_pool -= borrow;
        m->storage_pool += borrow;
    }
    if (bytes <= m->storage_pool - m->storage_used) {
        m->storage_used += bytes;
        fits = 1;
    }
    pthread_mutex_unlock(&m->lock);
    return fits;
}

void memory_storage_release(struct memory *m, int64_t bytes)
{
    pthread_mutex_lock(&m->lock);
    assert(bytes <= m->storage_used);
    m->storage_used -= bytes;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

/* ---- execution: the pool's side ---- */

/* Takes from storage what it leaves free, or has beyond its region. */
static void grow_execution(struct memory *m, int64_t lack)
{
    int64_t free_bytes = m->storage_pool - m->storage_used;
    int64_t take = min_i64(lack, free_bytes);

    if (take <= 0)
        return;
    m->storage_pool -= take;
    m->execution_pool += take;
}

static void wait_for_change(struct memory *m)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&m->changed, &m->lock, &until);
}

/* What the pool gives the task now, after waiting for its least share. */
static int64_t pool_acquire(struct task_memory *t, int64_t bytes)
{
    struct memory *m = t->pool;
    int64_t grant;

    pthread_mutex_lock(&m->lock);
    if (!t->registered) {
        t->registered = 1;
        m->tasks++;
        pthread_cond_broadcast(&m->changed); /* the others' shares are smaller now */
    }
    for (;;) {
        grow_execution(m, bytes - (m->execution_pool - m->execution_used));
        int64_t most = m->total_bytes - min_i64(m->storage_used, m->storage_region_bytes);
        int64_t share = most / m->tasks, least = m->execution_pool / (2 * m->tasks);

        grant = min_i64(bytes, max_i64(share - t->used_bytes, 0));
        grant = min_i64(grant, m->execution_pool - m->execution_used);
        if (grant >= bytes || t->used_bytes + grant >= least)
            break;
        if (t->cancelled && atomic_load(t->cancelled)) {
            grant = 0;
            break;
        }
        wait_for_change(m);
    }
    m->execution_used += grant;
    t->used_bytes += grant;
    t->peak_bytes = max_i64(t->peak_bytes, t->used_bytes);
    pthread_mutex_unlock(&m->lock);
    return grant;
}

static void pool_release(struct task_memory *t, int64_t bytes)
{
    struct memory *m = t->pool;

    pthread_mutex_lock(&m->lock);
    assert(bytes <= t->used_bytes && bytes <= m->execution_used);
    m->execution_used -= bytes;
    t->used_bytes -= bytes;
    if (t->used_bytes == 0 && t->registered) {
        t->registered = 0;
        m->tasks--;
    }
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

/* ---- tasks and consumers ---- */

void task_memory_begin(struct task_memory *t, struct memory *pool)
{
    *t = (struct task_memory){ .pool = pool };
}

void task_memory_end(struct task_memory *t)
{
    while (t->consumers)
        consumer_remove(t->consumers);
    if (t->registered)
        pool_release(t, t->used_bytes);
}

void consumer_add(struct task_memory *t, struct consumer *c)
{
    c->task = t;
    c->next = t->consumers;
    t->consumers = c;
}

void consumer_remove(struct consumer *c)
{
    if (!c->task)
        return;
    memory_release(c, c->used_bytes);
    for (struct consumer **at = &c->task->consumers; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    c->task = NULL;
}

static void credit(struct consumer *c, int64_t bytes)
{
    c->used_bytes += bytes;
    c->peak_bytes = max_i64(c->peak_bytes, c->used_bytes);
}

void memory_release(struct consumer *c, int64_t bytes)
{
    assert(bytes >= 0 && bytes <= c->used_bytes);
    if (bytes == 0)
        return;
    c->used_bytes -= bytes;
    pool_release(c->task, bytes);
}

/* The consumer to spill next: the smallest that covers the lack, else the largest. */
static struct consumer *victim(const struct consumer *asking, int64_t lack,
                               struct consumer *const *spent, uint32_t n_spent)
{
    struct consumer *covers = NULL, *largest = NULL;

    for (struct consumer *c = asking->task->consumers; c; c = c->next) {
        bool tried = c == asking || !c->spill || c->used_bytes == 0;

        for (uint32_t i = 0; i < n_spent; i++)
            tried = tried || spent[i] == c;
        if (tried)
            continue;
        if (c->used_bytes >= lack && (!covers || c->used_bytes < covers->used_bytes))
            covers = c;
        if (!largest || c->used_bytes > largest->used_bytes)
            largest = c;
    }
    return covers ? covers : largest;
}

/* A task has few consumers; beyond these none is asked. */
enum { MOST_SPILLS = 64 };

int64_t memory_acquire(struct consumer *c, int64_t bytes, int self_spill, struct err *err)
{
    struct consumer *spent[MOST_SPILLS];
    int64_t got = pool_acquire(c->task, bytes);

    credit(c, got);
    for (uint32_t n = 0; got < bytes && n < MOST_SPILLS; n++) {
        struct consumer *other = victim(c, bytes - got, spent, n);

        if (!other && (!self_spill || !c->spill))
            break;
        spent[n] = other ? other : c;
        int64_t freed = spent[n]->spill(spent[n], bytes - got, err);
        if (freed < 0) {
            memory_release(c, got);
            return -1;
        }
        if (freed > 0) {
            int64_t more = pool_acquire(c->task, bytes - got);

            credit(c, more);
            got += more;
        }
        if (!other)
            break;
    }
    return got;
}

enum memory_answer memory_cover(struct consumer *c, int64_t bytes, struct err *err)
{
    int64_t lack = bytes - c->used_bytes;

    if (lack <= 0)
        return MEMORY_GRANTED;
    int64_t step = max_i64(lack, min_i64(c->task->pool->page_bytes, PAGE_LEAST));
    int64_t got = memory_acquire(c, step, 0, err);
    if (got < 0)
        return MEMORY_FAILED;
    if (got >= lack)
        return MEMORY_GRANTED;
    memory_release(c, got);
    return MEMORY_SHORT;
}

enum errc memory_refused(int64_t wanted, int64_t got, struct err *err)
{
    return err_set(err, ERR_LIMIT,
                   "[UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire %" PRId64
                   " bytes of memory, got %" PRId64 ".",
                   wanted, got);
}
