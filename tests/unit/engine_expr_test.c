/* Expression trees: Spark's texts (taken from 3.5.9's plans and column names), rewriting,
 * comparing, asking. */
#include "engine/expr/cast.h"
#include "engine/expr/func.h"

#include "engine/run/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The columns of a table, as in the plans the texts come from. */
struct table {
    struct arena a;
    struct settings *settings;
    struct expr *i, *l, *d, *s, *m, *date, *flag;
};

static struct expr *attribute(struct table *t, const char *name, struct type type,
                              uint32_t id)
{
    return expr_attribute(&t->a, sv(name), type, true, id);
}

static int set_up(void **state)
{
    struct table *t = calloc(1, sizeof *t);

    t->settings = settings_new(&t->a);
    t->i = attribute(t, "a", type_of(TYPE_INT), 1);
    t->l = attribute(t, "b", type_of(TYPE_LONG), 2);
    t->d = attribute(t, "d", type_of(TYPE_DOUBLE), 3);
    t->s = attribute(t, "s", type_of(TYPE_STRING), 4);
    t->m = attribute(t, "m", type_decimal(10, 2), 5);
    t->date = attribute(t, "dt", type_of(TYPE_DATE), 6);
    t->flag = attribute(t, "bo", type_of(TYPE_BOOLEAN), 7);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;

    arena_release(&t->a);
    free(t);
    return 0;
}

static struct expr *call(struct table *t, const char *name, uint32_t n, ...)
{
    const struct func *f = func_find(sv(name));
    struct expr *args[4], *e = NULL;
    struct err err = { 0 };
    va_list ap;

    va_start(ap, n);
    for (uint32_t i = 0; i < n; i++)
        args[i] = va_arg(ap, struct expr *);
    va_end(ap);
    assert_non_null(f);
    if (func_call(&t->a, t->settings, f, args, n, &e, &err) != ERR_OK)
        fail_msg("%s: %s", name, err.text);
    return e;
}

static struct expr *integer(struct table *t, int32_t i)
{
    return expr_literal(&t->a, value_int(i));
}

static struct expr *text(struct table *t, const char *z)
{
    return expr_literal(&t->a, value_string(sv(z)));
}

static struct expr *aggregate(struct table *t, const char *name, struct expr *arg,
                              bool distinct, struct expr *filter)
{
    struct expr *e = NULL;
    struct err err = { 0 };

    if (agg_call(&t->a, t->settings, agg_find(sv(name)), &arg, 1, distinct, filter, &e,
                 &err) != ERR_OK)
        fail_msg("%s: %s", name, err.text);
    return e;
}

static struct expr *list(struct table *t, enum expr_kind kind, uint32_t n, ...)
{
    struct expr *e = expr_new(&t->a, kind, n);
    va_list ap;

    va_start(ap, n);
    for (uint32_t i = 0; i < n; i++)
        e->args[i] = va_arg(ap, struct expr *);
    va_end(ap);
    expr_settle(e);
    return e;
}

static struct expr *order(struct table *t, struct expr *e, bool descending,
                          bool nulls_last)
{
    struct expr *o = list(t, EXPR_SORT_ORDER, 1, e);

    o->descending = descending;
    o->nulls_last = nulls_last;
    return o;
}

static void prints(const struct expr *e, const char *plan, const char *name)
{
    struct strbuf out = { 0 };

    expr_print(&out, e, PRINT_PLAN);
    assert_string_equal(out.p, plan);
    strbuf_reset(&out);
    expr_print(&out, e, PRINT_NAME);
    assert_string_equal(out.p, name);
    strbuf_release(&out);
}

static void operators_print_as_in_spark(void **state)
{
    struct table *t = *state;
    struct expr *one = integer(t, 1);

    prints(call(t, "+", 2, t->i, one), "(a#1 + 1)", "(a + 1)");
    prints(call(t, "+", 2, t->i, t->l), "(cast(a#1 as bigint) + b#2L)", "(a + b)");
    prints(call(t, "/", 2, t->i, integer(t, 2)),
           "(cast(a#1 as double) / cast(2 as double))", "(a / 2)");
    prints(call(t, "negative", 1, t->i), "-a#1", "(- a)");
    prints(call(t, "not", 1, call(t, "=", 2, t->i, one)), "NOT (a#1 = 1)",
           "(NOT (a = 1))");
    prints(call(t, "and", 2, call(t, ">", 2, t->i, one), t->flag), "((a#1 > 1) AND bo#7)",
           "((a > 1) AND bo)");
    prints(call(t, "isnull", 1, t->i), "isnull(a#1)", "(a IS NULL)");
    prints(call(t, "isnotnull", 1, t->i), "isnotnull(a#1)", "(a IS NOT NULL)");
    prints(call(t, "if", 3, call(t, ">", 2, t->i, one), text(t, "x"), text(t, "y")),
           "if ((a#1 > 1)) x else y", "(IF((a > 1), x, y))");
    prints(call(t, "coalesce", 3, t->i, t->l, one),
           "coalesce(cast(a#1 as bigint), b#2L, cast(1 as bigint))", "coalesce(a, b, 1)");
    prints(call(t, ">", 2, t->date, text(t, "2020-01-01")),
           "(dt#6 > cast(2020-01-01 as date))", "(dt > 2020-01-01)");
    prints(call(t, "=", 2, t->s, one), "(cast(s#4 as int) = 1)", "(s = 1)");
}

static void other_nodes_print_as_in_spark(void **state)
{
    struct table *t = *state;
    struct expr *one = integer(t, 1), *big = call(t, ">", 2, t->i, one);
    struct expr *cast = expr_cast(&t->a, t->i, type_of(TYPE_DOUBLE));
    struct expr *in = list(t, EXPR_IN, 4, t->i, integer(t, 3), integer(t, 10), one);
    struct strbuf name = { 0 };

    prints(cast, "cast(a#1 as double)", "CAST(a AS DOUBLE)");
    expr_print_item_name(&name, cast);
    assert_string_equal(name.p, "a");
    strbuf_release(&name);
    prints(expr_alias(&t->a, t->l, SV("x"), 9), "b#2L AS x#9L", "b");
    prints(list(t, EXPR_CASE, 3, big, text(t, "x"), text(t, "y")),
           "CASE WHEN (a#1 > 1) THEN x ELSE y END",
           "CASE WHEN (a > 1) THEN x ELSE y END");
    prints(list(t, EXPR_CASE, 2, big, text(t, "x")), "CASE WHEN (a#1 > 1) THEN x END",
           "CASE WHEN (a > 1) THEN x END");
    prints(in, "a#1 IN (3,10,1)", "(a IN (3, 10, 1))");
    in->in_set = true;
    prints(in, "a#1 INSET 1, 10, 3", "(a IN (3, 10, 1))");
    prints(order(t, t->i, false, false), "a#1 ASC NULLS FIRST", "a ASC NULLS FIRST");
    prints(order(t, t->s, true, true), "s#4 DESC NULLS LAST", "s DESC NULLS LAST");

    struct expr *sub = expr_new(&t->a, EXPR_SCALAR_SUBQUERY, 0);
    sub->id = 12;
    prints(sub, "scalar-subquery#12 []", "scalarsubquery()");
    struct expr *outer[] = { t->i, t->l };
    sub->kind = EXPR_EXISTS;
    sub->outer = outer;
    sub->n_outer = 2;
    prints(sub, "exists#12 [a#1 && b#2L]", "exists(a, b)");
    struct expr *in_query = list(t, EXPR_IN_SUBQUERY, 1, t->i);
    in_query->id = 17;
    prints(in_query, "a#1 IN (list#17 [])", "(a IN (listquery()))");
    prints(call(t, "not", 1, in_query), "NOT a#1 IN (list#17 [])",
           "(NOT (a IN (listquery())))");
    in_query = list(t, EXPR_IN_SUBQUERY, 2, t->i, t->l);
    in_query->id = 31;
    prints(in_query, "named_struct(a, a#1, b, b#2L) IN (list#31 [])",
           "(named_struct(a, a, b, b) IN (listquery()))");
    prints(list(t, EXPR_OUTER, 1, t->l), "outer(b#2L)", "outer(b)");
    struct expr *bound = expr_new(&t->a, EXPR_BOUND, 0);
    bound->type = type_of(TYPE_LONG);
    bound->nullable = true;
    bound->name = SV("b");
    prints(bound, "input[0, bigint, true]", "b");
}

static void aggregates_print_as_in_spark(void **state)
{
    struct table *t = *state;
    struct expr *big = call(t, ">", 2, t->i, integer(t, 1));
    struct expr *sum = aggregate(t, "sum", t->i, false, NULL);

    prints(sum, "sum(a#1)", "sum(a)");
    sum->mode = AGG_PARTIAL;
    prints(sum, "partial_sum(a#1)", "sum(a)");
    sum->mode = AGG_PARTIAL_MERGE;
    prints(sum, "merge_sum(a#1)", "sum(a)");
    sum->mode = AGG_FINAL;
    prints(sum, "sum(a#1)", "sum(a)");
    prints(aggregate(t, "count", t->i, true, NULL), "count(distinct a#1)",
           "count(DISTINCT a)");
    prints(aggregate(t, "count", integer(t, 1), false, big),
           "count(1) FILTER (WHERE (a#1 > 1))", "count(1) FILTER (WHERE (a > 1))");
}

static void windows_print_as_in_spark(void **state)
{
    struct table *t = *state;
    struct expr *by = t->s, *up = order(t, t->i, false, false);
    struct window_spec w = { .partition = &by,
                             .n_partition = 1,
                             .order = &up,
                             .n_order = 1,
                             .has_frame = true,
                             .unit = FRAME_ROWS,
                             .lower = BOUND_OFFSET,
                             .upper = BOUND_CURRENT,
                             .lower_offset = integer(t, -1) };
    struct expr *e = list(t, EXPR_WINDOW, 1, aggregate(t, "sum", t->i, false, NULL));

    e->window = &w;
    prints(
        e,
        "sum(a#1) windowspecdefinition(s#4, a#1 ASC NULLS FIRST, "
        "specifiedwindowframe(RowFrame, -1, currentrow$()))",
        "sum(a) OVER (PARTITION BY s ORDER BY a ASC NULLS FIRST ROWS BETWEEN 1 PRECEDING "
        "AND CURRENT ROW)");
    struct window_spec all = { .has_frame = true };
    e->window = &all;
    prints(e,
           "sum(a#1) windowspecdefinition(specifiedwindowframe(RowFrame, "
           "unboundedpreceding$(), unboundedfollowing$()))",
           "sum(a) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)");
    e->args[0] = call(t, "rank", 0);
    w.partition = NULL;
    w.n_partition = 0;
    w.lower = BOUND_UNBOUNDED;
    e->window = &w;
    prints(e,
           "rank(a#1) windowspecdefinition(a#1 ASC NULLS FIRST, "
           "specifiedwindowframe(RowFrame, unboundedpreceding$(), currentrow$()))",
           "RANK() OVER (ORDER BY a ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND "
           "CURRENT ROW)");
}

static void literals_print_as_in_spark(void **state)
{
    struct table *t = *state;
    static const struct {
        const char *text, *type, *plan, *name, *sql;
    } cases[] = {
        { "it's", "string", "it's", "it's", "'it\\'s'" },
        { "1", "bigint", "1", "1", "1L" },
        { "1", "smallint", "1", "1", "1S" },
        { "1e10", "double", "1.0E10", "1.0E10", "1.0E10D" },
        { "NaN", "double", "NaN", "NaN", "CAST('NaN' AS DOUBLE)" },
        { "1.5", "float", "1.5", "1.5", "CAST(1.5 AS FLOAT)" },
        { "1.50", "decimal(3,2)", "1.50", "1.50", "1.50BD" },
        { "1e-7", "decimal(7,7)", "1E-7", "1E-7", "1E-7BD" },
        { "true", "boolean", "true", "true", "true" },
        { "2020-01-02", "date", "2020-01-02", "DATE '2020-01-02'", "DATE '2020-01-02'" },
        { "2020-01-02 03:04:05.120", "timestamp", "2020-01-02 03:04:05.12",
          "TIMESTAMP '2020-01-02 03:04:05.12'", "TIMESTAMP '2020-01-02 03:04:05.12'" },
        { "1", "interval day", "INTERVAL '1' DAY", "INTERVAL '1' DAY",
          "INTERVAL '1' DAY" },
        { "x", "int", "null", "NULL", "CAST(NULL AS INT)" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value v = value_string(sv(cases[i].text)), x;
        struct strbuf out = { 0 };
        struct err err = { 0 };
        struct type type;

        assert_int_equal(type_parse(sv(cases[i].type), &type, &err), ERR_OK);
        assert_int_equal(cast_value(&t->a, &v, type, CAST_LEGACY, &zone_utc, &x, &err),
                         ERR_OK);
        prints(expr_literal(&t->a, x), cases[i].plan, cases[i].name);
        expr_print(&out, expr_literal(&t->a, x), PRINT_SQL);
        assert_string_equal(out.p, cases[i].sql);
        strbuf_release(&out);
    }
    struct value bytes = value_string(SV("\x1f\xab"));
    bytes.type = type_of(TYPE_BINARY);
    prints(expr_literal(&t->a, bytes), "0x1FAB", "X'1FAB'");
}

/* ---- trees ---- */

static struct expr *one_to_two(void *ctx, struct expr *e)
{
    struct table *t = ctx;

    return e->kind == EXPR_LITERAL && e->type.id == TYPE_INT && e->value.u.i == 1
               ? integer(t, 2)
               : e;
}

static struct expr *same_node(void *ctx, struct expr *e)
{
    (void)ctx;
    return e;
}

static void rewriting_keeps_what_does_not_change(void **state)
{
    struct table *t = *state;
    struct expr *left = call(t, "+", 2, t->i, integer(t, 1));
    struct expr *right = call(t, "isnull", 1, t->s);
    struct expr *e = call(t, "and", 2, call(t, ">", 2, left, integer(t, 5)), right);

    assert_ptr_equal(expr_transform_up(&t->a, e, same_node, NULL), e);
    assert_ptr_equal(expr_transform_down(&t->a, e, same_node, NULL), e);
    struct expr *changed = expr_transform_up(&t->a, e, one_to_two, t);
    prints(changed, "(((a#1 + 2) > 5) AND isnull(s#4))",
           "(((a + 2) > 5) AND (s IS NULL))");
    assert_ptr_equal(changed->args[1], right); /* shared */
    prints(e, "(((a#1 + 1) > 5) AND isnull(s#4))", "(((a + 1) > 5) AND (s IS NULL))");
    assert_true(expr_eq(expr_transform_down(&t->a, e, one_to_two, t), changed));
}

static struct expr *to_double(void *ctx, struct expr *e)
{
    struct table *t = ctx;

    return e == t->i ? t->d : e;
}

static void types_follow_what_was_put_below(void **state)
{
    struct table *t = *state;
    struct expr *alias = expr_alias(&t->a, t->i, SV("x"), 20);
    struct expr *cast = expr_cast(&t->a, t->i, type_of(TYPE_LONG));
    struct expr *now = expr_transform_up(&t->a, alias, to_double, t);

    assert_int_equal(alias->type.id, TYPE_INT);
    assert_int_equal(now->type.id, TYPE_DOUBLE);
    assert_int_equal(expr_to_attribute(&t->a, now)->type.id, TYPE_DOUBLE);
    assert_int_equal(expr_to_attribute(&t->a, now)->id, 20);
    struct expr *sure = expr_attribute(&t->a, SV("n"), type_of(TYPE_INT), false, 30);
    assert_true(cast->nullable);
    assert_false(expr_cast(&t->a, sure, type_of(TYPE_LONG))->nullable);
    assert_true(expr_cast(&t->a, sure, type_decimal(3, 0))->nullable);
    assert_true(list(t, EXPR_CASE, 2, call(t, "isnull", 1, t->i), sure)->nullable);
    assert_false(list(t, EXPR_CASE, 3, call(t, "isnull", 1, t->i), sure, sure)->nullable);
}

static void sameness_looks_through_order(void **state)
{
    struct table *t = *state;
    struct expr *one = integer(t, 1), *two = integer(t, 2), *three = integer(t, 3);
    struct expr *a = call(t, "+", 2, call(t, "+", 2, t->i, one), two);
    struct expr *b = call(t, "+", 2, two, call(t, "+", 2, one, t->i));

    assert_true(expr_same(a, b));
    assert_false(expr_eq(a, b));
    assert_false(expr_same(a, call(t, "+", 2, call(t, "+", 2, t->i, one), one)));
    assert_false(expr_same(call(t, "-", 2, t->i, one), call(t, "-", 2, one, t->i)));
    struct expr *less = call(t, "<", 2, t->i, one), *more = call(t, ">", 2, one, t->i);
    assert_true(expr_same(less, more));
    assert_true(expr_same(call(t, "not", 1, less), call(t, ">=", 2, t->i, one)));
    assert_false(expr_same(less, call(t, "<=", 2, t->i, one)));
    assert_true(
        expr_same(call(t, "and", 2, less, t->flag), call(t, "and", 2, t->flag, more)));
    assert_true(expr_same(list(t, EXPR_IN, 3, t->i, one, two),
                          list(t, EXPR_IN, 3, t->i, two, one)));
    assert_false(expr_same(list(t, EXPR_IN, 3, t->i, one, two),
                           list(t, EXPR_IN, 3, t->i, two, three)));
    assert_false(expr_same(list(t, EXPR_IN, 3, t->i, one, one),
                           list(t, EXPR_IN, 3, t->i, one, two)));
    assert_false(expr_eq(t->i, t->l));
    assert_true(expr_eq(aggregate(t, "sum", t->i, false, NULL),
                        aggregate(t, "sum", t->i, false, NULL)));
    assert_false(expr_eq(aggregate(t, "sum", t->i, false, NULL),
                         aggregate(t, "sum", t->i, true, NULL)));
}

static void conjunctions_come_apart_and_together(void **state)
{
    struct table *t = *state;
    struct expr *p = call(t, "isnull", 1, t->i), *q = call(t, "isnull", 1, t->s);
    struct expr *e =
        call(t, "and", 2, call(t, "and", 2, p, t->flag), call(t, "and", 2, q, p));
    struct expr **parts;

    assert_int_equal(expr_split_and(&t->a, e, &parts), 4);
    assert_ptr_equal(parts[0], p);
    assert_ptr_equal(parts[1], t->flag);
    assert_ptr_equal(parts[2], q);
    assert_ptr_equal(parts[3], p);
    prints(expr_join_and(&t->a, parts, 3), "((isnull(a#1) AND bo#7) AND isnull(s#4))",
           "(((a IS NULL) AND bo) AND (s IS NULL))");
    assert_ptr_equal(expr_join_and(&t->a, parts, 1), p);
    prints(expr_join_and(&t->a, parts, 0), "true", "true");
    assert_int_equal(expr_split_and(&t->a, p, &parts), 1);
}

static void questions_are_answered(void **state)
{
    struct table *t = *state;
    struct expr *sum = call(t, "+", 2, integer(t, 1), integer(t, 2));
    struct expr *agg = aggregate(t, "sum", t->i, false, NULL);
    struct expr *over = list(t, EXPR_WINDOW, 1, agg);
    struct expr *nested = list(t, EXPR_WINDOW, 1, aggregate(t, "sum", agg, false, NULL));
    struct window_spec w = { 0 };
    struct expr_set set = { 0 };

    over->window = nested->window = &w;
    assert_true(expr_foldable(sum));
    assert_false(expr_foldable(call(t, "+", 2, integer(t, 1), t->i)));
    assert_false(expr_foldable(agg));
    assert_true(expr_deterministic(sum));
    assert_true(expr_has_aggregate(call(t, "+", 2, integer(t, 1), agg)));
    assert_false(expr_has_aggregate(over));
    assert_true(expr_has_aggregate(nested));
    assert_false(expr_has_subquery(nested));

    struct expr *outside = list(t, EXPR_OUTER, 1, t->d);
    expr_references(
        &t->a,
        call(t, "and", 2, call(t, ">", 2, t->l, t->i), call(t, "<", 2, t->i, outside)),
        &set);
    assert_int_equal(set.n, 2);
    assert_int_equal(set.ids[0], 2);
    assert_int_equal(set.ids[1], 1);
    assert_true(expr_set_has(&set, 1));
    assert_false(expr_set_has(&set, 3)); /* the outer query's */
    for (uint32_t id = 0; id < 100; id++)
        expr_set_add(&t->a, &set, id);
    assert_int_equal(set.n, 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operators_print_as_in_spark),
        TEST(other_nodes_print_as_in_spark),
        TEST(aggregates_print_as_in_spark),
        TEST(windows_print_as_in_spark),
        TEST(literals_print_as_in_spark),
        TEST(rewriting_keeps_what_does_not_change),
        TEST(types_follow_what_was_put_below),
        TEST(sameness_looks_through_order),
        TEST(conjunctions_come_apart_and_together),
        TEST(questions_are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
