/* What a Parquet file says about itself: its footer and the headers of its pages. */
#ifndef ENGINE_STORE_PARQUET_META_H
#define ENGINE_STORE_PARQUET_META_H

#include "base/arena.h"
#include "engine/store/compress.h"
#include "engine/store/relation.h"

enum parquet_type {
    PQ_BOOLEAN,
    PQ_INT32,
    PQ_INT64,
    PQ_INT96,
    PQ_FLOAT,
    PQ_DOUBLE,
    PQ_BYTE_ARRAY,
    PQ_FIXED,
};

enum parquet_encoding {
    PQ_PLAIN = 0,
    PQ_PLAIN_DICTIONARY = 2,
    PQ_RLE = 3,
    PQ_BIT_PACKED = 4,
    PQ_DELTA_BINARY_PACKED = 5,
    PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    PQ_DELTA_BYTE_ARRAY = 7,
    PQ_RLE_DICTIONARY = 8,
    PQ_BYTE_STREAM_SPLIT = 9,
};

enum parquet_page { PQ_DATA_PAGE, PQ_INDEX_PAGE, PQ_DICTIONARY_PAGE, PQ_DATA_PAGE_V2 };
enum parquet_time { PQ_MILLIS = 1, PQ_MICROS, PQ_NANOS };

/* A leaf of the schema. Nested ones keep their place in the file but cannot be read. */
struct parquet_leaf {
    struct sv name;
    enum parquet_type physical;
    int32_t fixed_bytes;    /* of PQ_FIXED */
    bool nested;            /* below a group or repeated */
    bool optional;          /* max definition level 1 */
    enum parquet_time time; /* of a timestamp; 0: none */
    bool unsigned_int;
    bool no_type;     /* there is no SQL type for it */
    struct type type; /* as Spark reads it */
};

struct parquet_stats {
    struct sv min, max; /* plain-encoded; p NULL: not known */
    int64_t nulls;      /* -1: not known */
};

struct parquet_chunk {
    int64_t start, bytes; /* all pages, the dictionary's included */
    int64_t values;
    enum compression codec;
    struct sv bad_codec; /* one that is not supported, by name */
    struct parquet_stats stats;
};

struct parquet_group {
    struct parquet_chunk *chunks; /* one per leaf */
    int64_t rows, start, bytes;   /* compressed */
};

struct parquet_file {
    struct parquet_leaf *leaves;
    uint32_t n_leaves;
    struct parquet_group *groups;
    uint32_t n_groups;
    int64_t rows;
    int64_t footer_bytes;
    struct sv spark_schema; /* "org.apache.spark.sql.parquet.row.metadata", if there */
};

struct parquet_header {
    enum parquet_page kind;
    int32_t raw_bytes, bytes; /* of the page, without this header */
    int32_t values;
    enum parquet_encoding encoding;
    enum parquet_encoding levels; /* of definition levels, v1 */
    int32_t v2_def_bytes, v2_rep_bytes, v2_nulls;
    bool v2_compressed;
};

/* Reads the footer. Text points into the arena. ERR_CORRUPT, ERR_OPEN with the path. */
enum errc parquet_open(struct arena *a, int fd, const char *path, int64_t file_bytes,
                       struct parquet_file *out, struct err *err) MUST_CHECK;
/* A page's header at the start of bytes; *used is its length. False: none there, or cut:
 * the page itself need not be in `bytes`. */
bool parquet_page_header(struct sv bytes, struct parquet_header *out, size_t *used);
/* The SQL schema of its flat columns. */
enum errc parquet_schema(struct arena *a, const struct parquet_file *f,
                         struct schema *out, struct err *err) MUST_CHECK;

#endif
