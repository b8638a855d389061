/* What writing and reading of shuffles share. For shuffle*.c only. */
#ifndef ENGINE_RUN_SHUFFLE_PARTS_H
#define ENGINE_RUN_SHUFFLE_PARTS_H

#include "engine/run/shuffle.h"

#include <pthread.h>

struct map_output {
    bool done;
    int fd;       /* -1: to be opened at path */
    char *path;   /* NULL: in memory, or empty */
    char *memory; /* NULL: in the file */
    uint32_t n_chunks;
    uint64_t *starts; /* n_chunks x (n_reducers + 1): where parts begin, and the end */
    uint8_t *sizes;   /* by reducer; above the limit only of huge blocks */
    int64_t average;  /* of other blocks that are not empty; 0: sizes has them all */
    int64_t rows;
    int64_t task_id;
};

struct shuffle {
    int32_t id;
    uint32_t n_maps, n_reducers;
    struct type *types;
    uint32_t n_columns;
    const char *dir;
    bool compress;
    uint32_t highly_above;  /* reducers */
    int64_t accurate_bytes; /* blocks from here on keep their size above the limit */
    pthread_mutex_t lock;   /* of maps while they are written */
    struct map_output *maps;
};

int64_t shuffle_clock_ns(void);
/* Bytes of the map's reducers [from, to), over all chunks. */
int64_t map_output_bytes(const struct shuffle *s, const struct map_output *m,
                         uint32_t from, uint32_t to);
/* Files that stay open so that reducers need not open them: within a limit. */
bool shuffle_keep_open(void);
void shuffle_close_kept(int fd);
/* Takes m's files and memory away; m is zeroed. */
void map_output_release(struct map_output *m);

#endif
