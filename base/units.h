/* Numbers with units, as people read and write them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/strbuf.h"

/* "0 B", "734 B", "12.3 KiB", "4.0 GiB": one decimal above bytes, 1024 a step. */
void units_bytes(struct strbuf *out, int64_t bytes);
/* "0ms", "734ms", "8.2s", "4m10s", "1h58m", "3d4h". Negative ones get a sign. */
void units_ms(struct strbuf *out, int64_t ms);
/* "734", "12.3k", "4.0M", "7.1G": for rows and counts. */
void units_count(struct strbuf *out, int64_t n);
/* "41%", "0.4%": one decimal below ten per cent, none above. share 1.0 = 100 %. */
void units_share(struct strbuf *out, double share);

/* Spark's sizes: "512", "64k", "10m", "1g", "2t", "64MB", "64MiB", "10b"; a bare
 * number counts `bare_unit` bytes (Spark: 1 for most keys, 1 MiB for memory ones).
 * Exact up to "9223372036854775807b", which Spark's own defaults say; false beyond. */
bool units_parse_bytes(struct sv text, int64_t bare_unit, int64_t *bytes);
/* Spark's times: "100ms", "3s", "2m"/"2min", "1h", "1d", "5us"; a bare number counts
 * `bare_ms` milliseconds. Exact up to int64's end, false beyond. */
bool units_parse_ms(struct sv text, int64_t bare_ms, int64_t *ms);
/* "true"/"false" in any case. */
bool units_parse_bool(struct sv text, bool *value);

#endif
