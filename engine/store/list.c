/* The formats there are. */
#include "engine/store/format.h"

#include "engine/store/parquet.h"

#include <strings.h>

static const struct format *const formats[] = { &format_parquet };

const struct format *format_find(struct sv name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (name.len == strlen(formats[i]->name) &&
            strncasecmp(name.p, formats[i]->name, name.len) == 0)
            return formats[i];
    return NULL;
}
