/* cJSON behind a narrow door. See json.h. */
#include "analyzer/json.h"

#include <cjson/cJSON.h>

struct sv json_text_field(struct sv json, const char *field, struct arena *arena)
{
    cJSON *top = cJSON_ParseWithLength(json.p ? json.p : "", json.len);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(top, field));
    struct sv found = text ? arena_sv(arena, sv(text)) : (struct sv){ 0 };

    cJSON_Delete(top);
    return found;
}
