/* Shuffle: map outputs as files, one data file per map task in frames of LZ4; reducers
 * read ranges of maps and reducers. Map statuses keep what Spark's keep: a size per
 * reducer in one byte (log 1.1), or averages above 2000 reducers.
 *
 *     writer   rows go to a buffer per reducer, column by column; a full buffer becomes
 *              one frame of its reducer
 *     file     chunk 0: frames of reducer 0, frames of reducer 1, ..   chunk 1: ..
 *     index    in memory, beside the status: where each reducer's part of a chunk begins
 *
 * Most outputs are one chunk; only large ones are written in several. Very small ones
 * stay in memory and have no file. */
#ifndef ENGINE_RUN_SHUFFLE_H
#define ENGINE_RUN_SHUFFLE_H

#include "engine/column/batch_codec.h"
#include "engine/run/task.h"

struct shuffle; /* one shuffle id: statuses of its maps */

/* dir outlives the shuffle. */
struct shuffle *shuffle_new(int32_t shuffle_id, uint32_t n_maps, uint32_t n_reducers,
                            const struct type *types, uint32_t n_columns, const char *dir,
                            const struct settings *s);
void shuffle_free(struct shuffle *s); /* takes its files away; NULL: nothing */
int32_t shuffle_id_of(const struct shuffle *s);
uint32_t shuffle_n_maps(const struct shuffle *s);
uint32_t shuffle_n_reducers(const struct shuffle *s);
int64_t shuffle_rows(const struct shuffle *s); /* over finished maps */

struct shuffle_writer;
/* Buffers are charged to the task as far as memory is granted, and smaller without. */
enum errc shuffle_writer_open(struct shuffle_writer **out, struct shuffle *s,
                              uint32_t map, struct task *task,
                              struct err *err) MUST_CHECK;
/* Rows of b that count; reducer[row] says where each goes. */
enum errc shuffle_write(struct shuffle_writer *w, const struct batch *b,
                        const uint32_t *reducer, struct err *err) MUST_CHECK;
/* Registers the map's status and counts into the task's metrics. The writer is gone,
 * also on failure. */
enum errc shuffle_writer_commit(struct shuffle_writer *w, struct err *err) MUST_CHECK;
void shuffle_writer_abandon(
    struct shuffle_writer *w); /* the task failed; NULL: nothing */

struct shuffle_reader;
/* Counts into the task's metrics. ERR_OPEN "FetchFailed: .." where an output is lost. */
enum errc shuffle_reader_open(struct shuffle_reader **out, struct shuffle *s,
                              struct read_spec spec, struct task *task,
                              struct err *err) MUST_CHECK;
/* Maps in order, in each map reducers in order. The batch is valid until the next call.
 * It may be FLAT, CONST or DICT columns of at most BATCH_ROWS rows, without selection. */
enum next shuffle_read(struct shuffle_reader *r, struct batch *out, struct err *err);
/* About how many rows it reads in all: of each map as many as its share of bytes. */
int64_t shuffle_reader_rows(const struct shuffle_reader *r);
void shuffle_reader_close(struct shuffle_reader *r); /* NULL: nothing */

/* As statuses report them: filled for all finished maps. */
void shuffle_stats(const struct shuffle *s, struct arena *a,
                   const int64_t *const **map_reduce_bytes, const int64_t **reduce_bytes,
                   uint32_t *n_maps, uint32_t *n_reducers);

/* Spark's one-byte size and back: 0, 1, else ceil(log 1.1) up to 255. */
uint8_t shuffle_size_pack(int64_t bytes);
int64_t shuffle_size_unpack(uint8_t packed);

#endif
