/* The real logs that may lie beside the project, for tests that want many lines:
 * ../shared/logs and tests/data. Tests do without what is missing. */
#ifndef TESTS_LOG_FILES_H
#define TESTS_LOG_FILES_H

#include "analyzer/event.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

enum { LOG_FILES_MAX_BYTES = 24 << 20 }; /* of each, unpacked */

/* Called with the text of each log, DECODE_PADDING readable bytes behind it. */
typedef void log_visitor(const char *path, const char *text, size_t len);

static log_visitor *log_visit;
static size_t log_count;

static inline void log_unpack(struct strbuf *text, const struct strbuf *packed)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = { packed->p, packed->len, 0 };
    static char block[1 << 16];

    while (in.pos < in.size && text->len < LOG_FILES_MAX_BYTES) {
        ZSTD_outBuffer out = { block, sizeof block, 0 };

        if (ZSTD_isError(ZSTD_decompressStream(stream, &out, &in)))
            break;
        strbuf_add(text, (struct sv){ block, out.pos });
    }
    ZSTD_freeDStream(stream);
}

static inline int log_file(const char *path, const struct stat *st, int type,
                           struct FTW *ftw)
{
    struct strbuf raw = { 0 }, text = { 0 };
    static char block[1 << 16];
    FILE *f = type == FTW_F ? fopen(path, "rb") : NULL;
    size_t n;

    (void)st;
    (void)ftw;
    if (!f)
        return 0;
    while ((n = fread(block, 1, sizeof block, f)) > 0 && raw.len < LOG_FILES_MAX_BYTES)
        strbuf_add(&raw, (struct sv){ block, n });
    fclose(f);
    if (raw.len > 4 && memcmp(raw.p, "\x28\xB5\x2F\xFD", 4) == 0)
        log_unpack(&text, &raw);
    else if (raw.len > 10 && memcmp(raw.p, "{\"Event\":\"", 10) == 0)
        strbuf_add(&text, strbuf_sv(&raw));
    if (text.len) {
        size_t len = text.len;

        strbuf_fill(&text, '"', DECODE_PADDING);
        log_visit(path, text.p, len);
        log_count++;
    }
    strbuf_release(&raw);
    strbuf_release(&text);
    return 0;
}

/* Returns how many logs were visited. */
static inline size_t each_log(log_visitor *visit)
{
    log_visit = visit;
    log_count = 0;
    nftw("tests/data", log_file, 16, FTW_PHYS);
    nftw("../shared/logs", log_file, 16, FTW_PHYS);
    return log_count;
}

#endif
