/* The formats there are. */
#include "engine/store/format.h"

#include "engine/store/csv.h"
#include "engine/store/parquet.h"

static const struct format *const formats[] = { &format_parquet, &format_csv,
                                                &format_json };

const struct format *format_find(struct sv name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (sv_eq_nocase(name, sv(formats[i]->name)))
            return formats[i];
    return NULL;
}
