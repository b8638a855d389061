/* Session settings under Spark's names.
 *
 * Keys the engine acts on are listed with type, default and meaning in settings_list.c;
 * any other key is kept as text and given back (a script may set what only a cluster
 * needs). Precedence: SET in the script, --conf, defaults. */
#ifndef ENGINE_RUN_SETTINGS_H
#define ENGINE_RUN_SETTINGS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

#include <stdbool.h>
#include <stdint.h>

enum setting_kind {
    SETTING_TEXT,
    SETTING_BOOL,
    SETTING_INT,
    SETTING_BYTES,
    SETTING_MS,
    SETTING_DOUBLE
};

/* Every key the engine reads: X(NAME, "key", kind, "default", "meaning"). "" is unset. */
enum setting {
#define X(name, key, kind, dflt, meaning) SET_##name,
#include "engine/run/settings_list.h"
#undef X
    N_SETTINGS
};

struct settings;

struct settings *settings_new(struct arena *a);
/* A copy that later changes to either do not reach. */
struct settings *settings_copy(struct arena *a, const struct settings *s);
/* Keys are case-sensitive, as Spark's. ERR_USAGE where the engine knows the key and the
 * value is not of its kind or out of its range: Spark's wording. Blanks around numbers
 * and booleans do not count; "TRUE" is true. */
enum errc settings_put(struct settings *s, struct sv key, struct sv value,
                       struct err *err) MUST_CHECK;
/* May SET and RESET touch the key while the session runs? ERR_USAGE in Spark's words
 * where it is fixed at the start (memory, cores, the warehouse); --conf may still say it.
 */
enum errc settings_modifiable(struct sv key, struct err *err) MUST_CHECK;
/* What is set by now (--conf) is what RESET goes back to. */
void settings_seal(struct settings *s);
void settings_reset(struct settings *s, struct sv key); /* absent key: all */

bool settings_bool(const struct settings *s, enum setting key);
int64_t settings_int(const struct settings *s,
                     enum setting key); /* INT, BYTES, MS; unset: -1 */
double settings_double(const struct settings *s, enum setting key);
struct sv settings_text(const struct settings *s,
                        enum setting key); /* as set or default, case and all */
/* As text, without regard to case: Spark's modes ("static", "DYNAMIC") are written so. */
bool settings_says(const struct settings *s, enum setting key, const char *word);
bool settings_is_set(const struct settings *s,
                     enum setting key); /* somebody set it, or it has a default */

/* By name, also keys unknown to the engine. False: neither set nor known. */
bool settings_find(const struct settings *s, struct sv key, struct sv *value);
const char *setting_key(enum setting key);
/* The key's position in the list, N_SETTINGS for one that the engine does not read. */
enum setting setting_of(struct sv key);
/* All that were set, by key; and the known ones with their defaults, for SET -v. */
typedef void (*settings_fn)(void *ctx, struct sv key, struct sv value, struct sv meaning,
                            bool set);
void settings_each(const struct settings *s, bool with_defaults, settings_fn fn,
                   void *ctx);
/* The nearest known key to a mistyped one; absent: none near. */
struct sv settings_nearest(struct sv key);

#endif
