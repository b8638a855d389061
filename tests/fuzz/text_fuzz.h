/* Any bytes as a text file of a format: schema by looking, rows as a whole and in shares.
 */
#ifndef TESTS_FUZZ_TEXT_FUZZ_H
#define TESTS_FUZZ_TEXT_FUZZ_H

#include "engine/run/settings.h"
#include "engine/store/format.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline int64_t read_share(struct arena *a, const struct relation *r,
                                 const struct settings *s, int64_t offset, int64_t length)
{
    uint32_t *columns = arena_array(a, r->data.n + 1, sizeof *columns);
    struct scan_request req = { .relation = r,
                                .settings = s,
                                .zone = &zone_utc,
                                .columns = columns,
                                .n_columns = r->data.n };
    volatile uint64_t sum = 0;
    struct reader *rd;
    struct batch b;
    struct err err = { 0 };
    int64_t rows = 0;

    for (uint32_t i = 0; i < r->data.n; i++)
        columns[i] = i;
    if (r->format->open(&rd, a, &req, &r->files[0], offset, length, &err) != ERR_OK)
        return 0;
    while (r->format->next(rd, &b, &err) == NEXT_ITEM) {
        if (b.n_rows == 0 || b.n_rows > BATCH_ROWS)
            abort();
        rows += b.n_rows;
        for (uint32_t c = 0; c < b.n_columns; c++)
            for (uint32_t row = 0; row < b.n_rows; row++) {
                struct value v = value_at(&b.columns[c], row);

                sum += v.null                 ? 1
                       : type_is_text(v.type) ? sv_hash(v.u.s)
                                              : (uint64_t)v.u.i;
            }
    }
    r->format->close(rd);
    (void)sum;
    return rows;
}

/* The first byte chooses options, the rest is the file. */
static inline void text_fuzz(const char *format, const uint8_t *data, size_t size)
{
    static const char *const keys[] = { "header", "inferSchema", "multiLine", "mode",
                                        "escape" };
    static const char *const values[] = { "true", "true", "true", "DROPMALFORMED", "\"" };
    struct sv option_keys[5], option_values[5];
    struct arena a = { 0 };
    struct err err = { 0 };
    struct settings *s;
    struct data_file file = { .bytes = (int64_t)size - 1 };
    struct relation r = { .format = format_find(sv(format)),
                          .files = &file,
                          .n_files = 1,
                          .option_keys = option_keys,
                          .option_values = option_values };
    int fd;

    if (size < 1)
        return;
    s = settings_new(&a);
    for (uint32_t i = 0; i < 5; i++)
        if (data[0] >> i & 1) {
            option_keys[r.n_options] = sv(keys[i]);
            option_values[r.n_options++] = sv(values[i]);
        }
    fd = memfd_create("text", 0);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)size - 1)
        abort();
    file.path = sv(arena_printf(&a, "/proc/self/fd/%d", fd));
    if (r.format->infer(&a, s, &r, &r.data, &err) == ERR_OK) {
        int64_t all = read_share(&a, &r, s, 0, file.bytes), shared = 0;

        if (r.format->splittable(&r, file.path) && !(data[0] & 1)) { /* no header */
            int64_t half = file.bytes / 2;

            shared = read_share(&a, &r, s, 0, half) +
                     read_share(&a, &r, s, half, file.bytes - half);
            if (half > 0 && shared != all)
                abort();
        }
    }
    close(fd);
    arena_release(&a);
}

#endif
