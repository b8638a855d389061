/* Shuffle: map outputs as files, one data file and one index per map task, LZ4 blocks;
 * reducers read ranges of maps and reducers. Map statuses keep what Spark's keep: a size
 * per reducer in one byte (log 1.1), or averages above 2000 reducers. */
#ifndef ENGINE_RUN_SHUFFLE_H
#define ENGINE_RUN_SHUFFLE_H

#include "engine/column/batch_codec.h"
#include "engine/run/task.h"

struct shuffle; /* one shuffle id: statuses of its maps */

struct shuffle *shuffle_new(int32_t shuffle_id, uint32_t n_maps, uint32_t n_reducers,
                            const struct type *types, uint32_t n_columns, const char *dir,
                            const struct settings *s);
void shuffle_free(struct shuffle *s); /* takes its files away */
int32_t shuffle_id_of(const struct shuffle *s);

struct shuffle_writer;
enum errc shuffle_writer_open(struct shuffle_writer **out, struct shuffle *s,
                              uint32_t map, struct task *task,
                              struct err *err) MUST_CHECK;
/* Rows of b that count; reducer[row] says where each goes. */
enum errc shuffle_write(struct shuffle_writer *w, const struct batch *b,
                        const uint32_t *reducer, struct err *err) MUST_CHECK;
/* Registers the map's status. abandon: the task failed. */
enum errc shuffle_writer_commit(struct shuffle_writer *w, struct err *err) MUST_CHECK;
void shuffle_writer_abandon(struct shuffle_writer *w);

struct shuffle_reader;
/* ERR_OPEN with "FetchFailed" detail where an output is lost. */
enum errc shuffle_reader_open(struct shuffle_reader **out, struct shuffle *s,
                              struct read_spec spec, struct task *task,
                              struct err *err) MUST_CHECK;
enum next shuffle_read(struct shuffle_reader *r, struct batch *out, struct err *err);
void shuffle_reader_close(struct shuffle_reader *r);

/* As statuses report them: filled for all finished maps. */
void shuffle_stats(const struct shuffle *s, struct arena *a,
                   const int64_t *const **map_reduce_bytes, const int64_t **reduce_bytes,
                   uint32_t *n_maps, uint32_t *n_reducers);

#endif
