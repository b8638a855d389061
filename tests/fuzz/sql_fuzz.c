/* Any bytes as a script: parsed or refused with a place inside it, and what was parsed
 * can be printed. */
#include "engine/sql/statement.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(struct sv text, struct place at)
{
    if (at.line == 0 || at.column == 0 || (size_t)at.offset + at.length > text.len)
        abort();
}

static void check_statement(struct sv text, const struct statement *st)
{
    struct strbuf out = { 0 };

    if (st->query)
        plan_print(&out, st->query);
    for (uint32_t i = 0; i < st->n_columns; i++)
        check_place(text, st->columns[i].place);
    if (st->inner)
        check_statement(text, st->inner);
    strbuf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv text = { (const char *)data, size };
    struct arena arena = { 0 };
    struct err err = { 0 };
    struct script script;
    struct expr *e = NULL;

    if (size > 100000)
        return 0;
    if (sql_parse(&arena, text, NULL, &script, &err) != ERR_OK) {
        if (!err.text[0] || (err.code != ERR_SYNTAX && err.code != ERR_LIMIT))
            abort();
    } else {
        for (uint32_t i = 0; i < script.n; i++) {
            check_place(text, script.statements[i].place);
            check_statement(text, &script.statements[i]);
        }
    }
    if (sql_parse_expr(&arena, text, &e, &err) == ERR_OK) {
        struct strbuf out = { 0 };

        check_place(text, e->place.line ? e->place : (struct place){ 1, 1, 0, 0 });
        expr_print(&out, e, PRINT_PLAN);
        expr_print(&out, e, PRINT_SQL);
        strbuf_release(&out);
    }
    arena_release(&arena);
    return 0;
}
