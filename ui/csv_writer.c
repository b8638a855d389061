/* Fields of CSV. See csv_writer.h. */
#include "ui/csv_writer.h"

void csv_text(struct strbuf *out, struct sv text, bool quote)
{
    for (size_t i = 0; i < text.len && !quote; i++)
        quote = strchr(",\"\r\n", text.p[i]) && text.p[i];
    if (!quote) {
        strbuf_add(out, text);
        return;
    }
    strbuf_addc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"')
            strbuf_addc(out, '"');
        strbuf_addc(out, text.p[i]);
    }
    strbuf_addc(out, '"');
}
