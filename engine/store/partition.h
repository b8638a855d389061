/* Hive partitions: folders "key=value" and the values' types. */
#ifndef ENGINE_STORE_PARTITION_H
#define ENGINE_STORE_PARTITION_H

#include "engine/store/relation.h"

/* Is the folder's name one of a partition? Key and value without escapes. */
bool partition_parse(struct arena *a, struct sv name, struct sv *key, struct sv *value);
/* "k=v" with Spark's escapes; NULL and the empty string are __HIVE_DEFAULT_PARTITION__.
 */
void partition_folder(struct strbuf *out, struct sv key, const struct value *v);

/* The type that all these texts have by themselves: int, bigint, decimal, double, date,
 * timestamp, else string. */
struct type partition_type(const struct sv *values, uint32_t n, bool infer);
/* The text as a value of the type; NULL where it is the default partition or no such
 * value. */
struct value partition_value(struct arena *a, struct sv text, struct type t,
                             const struct zone *zone);

#endif
