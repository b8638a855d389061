/* Any bytes as a Parquet file: schema, all columns, filters on the first of them. */
#include "engine/run/settings.h"
#include "engine/store/parquet.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Runs of one value cost no bytes: a small file may hold billions of rows. */
#define ROWS_MAX 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches every value, so that a sanitizer sees what it points to. */
static uint64_t touch(const struct batch *b)
{
    uint64_t sum = 0;

    for (uint32_t c = 0; c < b->n_columns; c++)
        for (uint32_t row = 0; row < b->n_rows; row++) {
            struct value v = value_at(&b->columns[c], row);

            sum += v.null ? 1 : type_is_text(v.type) ? sv_hash(v.u.s) : (uint64_t)v.u.i;
        }
    return sum;
}

static void read_all(struct arena *a, const struct relation *r, const struct settings *s)
{
    uint32_t *columns = arena_array(a, r->data.n + 1, sizeof *columns);
    struct pushed null = { .kind = PUSHED_IS_NULL },
                  prefix = { .kind = PUSHED_STARTS_WITH };
    struct pushed either = { .kind = PUSHED_OR, .left = &null, .right = &prefix };
    struct value text = value_string(sv("a"));
    const struct pushed *filters[] = { &either };
    struct scan_request req = {
        .relation = r, .settings = s, .columns = columns, .n_columns = r->data.n
    };
    struct reader *rd = NULL;
    struct scan_counts counts;
    struct batch b;
    struct err err = { 0 };
    volatile uint64_t sum = 0;

    for (uint32_t i = 0; i < r->data.n; i++)
        columns[i] = i;
    if (r->data.n) {
        null.column = prefix.column = r->data.fields[0].name;
        prefix.values = &text;
        prefix.n_values = 1;
        req.filters = filters;
        req.n_filters = r->data.n & 1;
    }
    if (r->format->open(&rd, a, &req, &r->files[0], 0, INT64_MAX / 2, &err) != ERR_OK)
        return;
    for (int64_t rows = 0; rows < ROWS_MAX && r->format->next(rd, &b, &err) == NEXT_ITEM;
         rows += b.n_rows) {
        if (b.n_rows == 0 || b.n_rows > BATCH_ROWS)
            abort();
        sum += touch(&b);
    }
    (void)sum;
    r->format->counts(rd, &counts);
    r->format->close(rd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = { 0 };
    struct err err = { 0 };
    int fd = memfd_create("parquet", 0);
    struct data_file file = { .path = sv(arena_printf(&a, "/proc/self/fd/%d", fd)),
                              .bytes = (int64_t)size };
    struct relation r = { .format = &format_parquet, .files = &file, .n_files = 1 };
    struct settings *s = settings_new(&a);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (format_parquet.infer(&a, s, &r, &r.data, &err) == ERR_OK)
        read_all(&a, &r, s);
    close(fd);
    arena_release(&a);
    return 0;
}
