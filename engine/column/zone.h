/* A time zone: offsets from UTC over time, read from the system's zoneinfo.
 *
 * Names are Spark's: "UTC", "Europe/Berlin", "+02:00", "GMT+2". Ambiguous local times
 * take the earlier offset, times in a gap move forward by its length, as java.time does.
 */
#ifndef ENGINE_COLUMN_ZONE_H
#define ENGINE_COLUMN_ZONE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

#include <stdint.h>

struct zone; /* immutable; lives in the arena it was opened into */

extern const struct zone zone_utc;
/* ERR_SYNTAX for a name that is no zone. */
enum errc zone_open(struct arena *a, struct sv name, const struct zone **out,
                    struct err *err) MUST_CHECK;
/* The process's own zone (TZ, /etc/localtime), which Spark takes as session zone. */
const struct zone *zone_local(struct arena *a);
/* Seconds east of UTC at an instant, and at a local time (both in microseconds). */
int32_t zone_offset_s(const struct zone *z, int64_t utc_us);
int32_t zone_offset_of_local_s(const struct zone *z, int64_t local_us);

#endif
