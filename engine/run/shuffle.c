/* Statuses of a shuffle's maps. */
#include "engine/run/shuffle_parts.h"

#include "base/mem.h"
#include "engine/run/settings.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MOST_OPEN = 400 }; /* well below the usual limit of 1024 descriptors */

static _Atomic int kept_open;

int64_t shuffle_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool shuffle_keep_open(void)
{
    if (atomic_fetch_add(&kept_open, 1) < MOST_OPEN)
        return true;
    atomic_fetch_sub(&kept_open, 1);
    return false;
}

void shuffle_close_kept(int fd)
{
    if (fd < 0)
        return;
    close(fd);
    atomic_fetch_sub(&kept_open, 1);
}

void map_output_release(struct map_output *m)
{
    shuffle_close_kept(m->fd);
    if (m->path)
        unlink(m->path);
    free(m->path);
    free(m->memory);
    free(m->starts);
    free(m->sizes);
    *m = (struct map_output){ .fd = -1 };
}

struct shuffle *shuffle_new(int32_t shuffle_id, uint32_t n_maps, uint32_t n_reducers,
                            const struct type *types, uint32_t n_columns, const char *dir,
                            const struct settings *settings)
{
    struct shuffle *s = xcalloc(1, sizeof *s);

    s->id = shuffle_id;
    s->n_maps = n_maps;
    s->n_reducers = n_reducers;
    s->n_columns = n_columns;
    s->types = xcalloc(n_columns + 1, sizeof *s->types);
    if (n_columns)
        memcpy(s->types, types, n_columns * sizeof *types);
    s->dir = dir;
    s->compress = settings_bool(settings, SET_SHUFFLE_COMPRESS);
    s->highly_above = (uint32_t)settings_int(settings, SET_HIGHLY_COMPRESS);
    s->accurate_bytes = settings_int(settings, SET_ACCURATE_BLOCK);
    s->maps = xcalloc(n_maps + 1, sizeof *s->maps);
    for (uint32_t i = 0; i < n_maps; i++)
        s->maps[i].fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void shuffle_free(struct shuffle *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_maps; i++)
        map_output_release(&s->maps[i]);
    pthread_mutex_destroy(&s->lock);
    free(s->maps);
    free(s->types);
    free(s);
}

int32_t shuffle_id_of(const struct shuffle *s)
{
    return s->id;
}

uint32_t shuffle_n_maps(const struct shuffle *s)
{
    return s->n_maps;
}

uint32_t shuffle_n_reducers(const struct shuffle *s)
{
    return s->n_reducers;
}

int64_t shuffle_rows(const struct shuffle *s)
{
    int64_t rows = 0;

    for (uint32_t i = 0; i < s->n_maps; i++)
        rows += s->maps[i].rows;
    return rows;
}

int64_t map_output_bytes(const struct shuffle *s, const struct map_output *m,
                         uint32_t from, uint32_t to)
{
    int64_t bytes = 0;

    for (uint32_t c = 0; c < m->n_chunks; c++) {
        const uint64_t *starts = m->starts + (size_t)c * (s->n_reducers + 1);

        bytes += (int64_t)(starts[to] - starts[from]);
    }
    return bytes;
}

uint8_t shuffle_size_pack(int64_t bytes)
{
    if (bytes <= 1)
        return (uint8_t)(bytes > 0);
    double power = ceil(log((double)bytes) / log(1.1));
    return power > 255 ? 255 : (uint8_t)power;
}

int64_t shuffle_size_unpack(uint8_t packed)
{
    return packed ? (int64_t)pow(1.1, packed) : 0;
}

static int64_t reported(const struct shuffle *s, const struct map_output *m,
                        uint32_t reducer)
{
    if (m->average && !m->sizes[reducer])
        return map_output_bytes(s, m, reducer, reducer + 1) ? m->average : 0;
    return shuffle_size_unpack(m->sizes[reducer]);
}

void shuffle_stats(const struct shuffle *s, struct arena *a,
                   const int64_t *const **map_reduce_bytes, const int64_t **reduce_bytes,
                   uint32_t *n_maps, uint32_t *n_reducers)
{
    const int64_t **by_map = arena_array(a, s->n_maps + 1, sizeof *by_map);
    int64_t *sums = arena_array(a, s->n_reducers + 1, sizeof *sums);

    for (uint32_t i = 0; i < s->n_maps; i++) {
        int64_t *row = arena_array(a, s->n_reducers + 1, sizeof *row);

        by_map[i] = row;
        if (!s->maps[i].done)
            continue;
        for (uint32_t r = 0; r < s->n_reducers; r++) {
            row[r] = reported(s, &s->maps[i], r);
            sums[r] += row[r];
        }
    }
    *map_reduce_bytes = by_map;
    *reduce_bytes = sums;
    *n_maps = s->n_maps;
    *n_reducers = s->n_reducers;
}
