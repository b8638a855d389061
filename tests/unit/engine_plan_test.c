/* Logical plans: output, rewriting, comparing, finishing, EXPLAIN's trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/plan/plan.h"

struct fixture {
    struct arena arena;
    struct strbuf text;
};

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){ 0 };
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    strbuf_release(&f->text);
    return 0;
}

static struct expr *column(struct arena *a, const char *name, enum type_id t, uint32_t id)
{
    return expr_attribute(a, sv(name), type_of(t), false, id);
}

/* k int, v bigint, with the given first id. */
static struct plan *table(struct arena *a, uint32_t id)
{
    struct plan *p = plan_new(a, PLAN_LOCAL_RELATION, 0);

    p->output = exprs_new(a, 2);
    p->output.at[0] = column(a, "k", TYPE_INT, id);
    p->output.at[1] = column(a, "v", TYPE_LONG, id + 1);
    p->rows = arena_array(a, 2, sizeof *p->rows);
    p->rows[0] = value_int(1);
    p->rows[1] = value_long(2);
    p->n_rows = 1;
    p->resolved = true;
    return p;
}

static struct exprs list_of(struct arena *a, uint32_t n, ...)
{
    struct exprs list = exprs_new(a, n);
    va_list ap;

    va_start(ap, n);
    for (uint32_t i = 0; i < n; i++)
        list.at[i] = va_arg(ap, struct expr *);
    va_end(ap);
    return list;
}

static struct plan *alias(struct arena *a, const char *name, struct plan *child)
{
    struct plan *p = plan_unary(a, PLAN_SUBQUERY_ALIAS, child);

    p->name = sv(name);
    return p;
}

static const char *print(struct fixture *f, struct plan *p)
{
    strbuf_reset(&f->text);
    plan_print(&f->text, p);
    return f->text.p;
}

static void trees_print_with_their_branches(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *left = table(a, 1), *right = table(a, 3);
    struct plan *limit = plan_unary(a, PLAN_GLOBAL_LIMIT, right);
    struct plan *join;

    limit->limit = expr_literal(a, value_int(7));
    join = plan_join(a, JOIN_LEFT, alias(a, "t", left), limit, NULL);
    assert_string_equal(
        print(f, plan_project(a, list_of(a, 1, left->output.at[1]), join)),
        "Project [v#2L]\n"
        "+- Join LeftOuter\n"
        "   :- SubqueryAlias t\n"
        "   :  +- LocalRelation [k#1, v#2L]\n"
        "   +- GlobalLimit 7\n"
        "      +- LocalRelation [k#3, v#4L]\n");
}

static void subqueries_print_inside_their_node(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct expr *e = expr_new(a, EXPR_EXISTS, 0);

    e->plan = plan_project(a, list_of(a, 1, column(a, "k", TYPE_INT, 3)), table(a, 3));
    e->id = 9;
    e->type = type_of(TYPE_BOOLEAN);
    e->resolved = true;
    assert_string_equal(print(f, plan_filter(a, e, table(a, 1))),
                        "Filter exists#9 []\n"
                        ":  +- Project [k#3]\n"
                        ":     +- LocalRelation [k#3, v#4L]\n"
                        "+- LocalRelation [k#1, v#2L]\n");
}

static void unresolved_nodes_have_a_quote(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *rel = plan_new(a, PLAN_UNRESOLVED_RELATION, 0);
    struct expr *name = expr_new(a, EXPR_NAME, 0);
    struct sv part = SV("t"), column_name = SV("a");

    rel->parts = &part;
    rel->n_parts = 1;
    name->parts = &column_name;
    name->n_parts = 1;
    assert_string_equal(print(f, plan_project(a, list_of(a, 1, name), rel)),
                        "'Project ['a]\n"
                        "+- 'UnresolvedRelation [t], [], false\n");
}

static void long_lists_are_cut(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *p = table(a, 1);

    plan_print_fields(1);
    assert_string_equal(print(f, p), "LocalRelation [k#1, ... 1 more fields]\n");
    plan_print_fields(25);
    assert_string_equal(print(f, plan_empty(a, &p->output)),
                        "LocalRelation <empty>, [k#1, v#2L]\n");
}

static void joins_make_the_other_side_nullable(void **state)
{
    static const struct {
        enum join_type type;
        uint32_t n;
        bool left, right;
    } cases[] = {
        { JOIN_INNER, 4, false, false },     { JOIN_LEFT, 4, false, true },
        { JOIN_RIGHT, 4, true, false },      { JOIN_FULL, 4, true, true },
        { JOIN_SEMI, 2, false, false },      { JOIN_ANTI, 2, false, false },
        { JOIN_EXISTENCE, 3, false, false },
    };
    struct fixture *f = *state;
    struct arena *a = &f->arena;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct plan *j = plan_join(a, cases[i].type, table(a, 1), table(a, 3), NULL);
        const struct exprs *out = plan_output(a, j);

        if (out->n != cases[i].n || out->at[0]->nullable != cases[i].left ||
            out->at[out->n - 1]->nullable != cases[i].right)
            fail_msg("%s: %u columns, %d %d", join_type_name(cases[i].type), out->n,
                     out->at[0]->nullable, out->at[out->n - 1]->nullable);
    }
}

static void aliases_qualify(void **state)
{
    struct fixture *f = *state;
    const struct exprs *out =
        plan_output(&f->arena, alias(&f->arena, "u", table(&f->arena, 1)));

    assert_int_equal(out->at[1]->n_parts, 1);
    assert_true(sv_is(out->at[1]->parts[0], "u"));
    assert_int_equal(out->at[1]->id, 2);
}

static void union_is_nullable_where_one_side_is(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *u = plan_new(a, PLAN_UNION, 2), *right = table(a, 3);

    right->output.at[1]->nullable = true;
    u->children[0] = table(a, 1);
    u->children[1] = right;
    const struct exprs *out = plan_output(a, u);
    assert_int_equal(out->at[1]->id, 2);
    assert_false(out->at[0]->nullable);
    assert_true(out->at[1]->nullable);
}

static struct expr *one_for_column(void *ctx, struct expr *e)
{
    return e->kind == EXPR_ATTRIBUTE && e->id == 1 ? expr_literal(ctx, value_int(1)) : e;
}

static void mapping_keeps_what_does_not_change(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *t = table(a, 1);
    struct plan *same = plan_project(a, list_of(a, 1, t->output.at[1]), t);
    struct plan *other = plan_project(a, list_of(a, 1, t->output.at[0]), t);

    assert_ptr_equal(plan_map_all_exprs(a, same, one_for_column, a), same);
    struct plan *mapped = plan_map_all_exprs(a, other, one_for_column, a);
    assert_ptr_not_equal(mapped, other);
    assert_ptr_equal(mapped->children[0], t);
    assert_int_equal(mapped->list.at[0]->kind, EXPR_LITERAL);
    assert_int_equal(other->list.at[0]->kind, EXPR_ATTRIBUTE);
}

/* SELECT k AS x, max over v: two copies under other ids. */
static struct plan *sample(struct arena *a, uint32_t id, const char *name)
{
    struct plan *t = table(a, id);
    struct expr *k = expr_alias(a, t->output.at[0], sv(name), id + 10);
    struct plan *p = plan_project(a, list_of(a, 2, k, t->output.at[1]), t);

    return plan_filter(a, expr_to_attribute(a, k), p);
}

static void sameness_is_blind_to_ids_and_names(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *x = sample(a, 100, "x"), *y = sample(a, 200, "y");

    assert_true(plan_same(x, y));
    assert_true(plan_same(alias(a, "q", x), y));
    y->condition = y->children[0]->list.at[1];
    assert_false(plan_same(x, y));
    y = sample(a, 200, "y");
    y->children[0]->children[0]->rows[0] = value_int(5);
    assert_false(plan_same(x, y));
}

static void a_fresh_plan_is_the_same_under_other_ids(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *x = sample(a, 1000000, "x");
    struct plan *y = plan_fresh(a, x);
    const struct exprs *before = plan_output(a, x), *after = plan_output(a, y);

    assert_true(plan_same(x, y));
    assert_int_equal(after->n, before->n);
    for (uint32_t i = 0; i < after->n; i++)
        assert_int_not_equal(after->at[i]->id, before->at[i]->id);
    assert_int_equal(y->condition->id, after->at[0]->id);
}

static struct plan *hint(struct arena *a, enum join_hint h, struct plan *child)
{
    struct plan *p = plan_unary(a, PLAN_HINT, child);

    p->hint_left = h;
    return p;
}

static void hints_move_into_joins(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *right = alias(a, "r", hint(a, HINT_BROADCAST, table(a, 3)));
    struct plan *join = plan_join(a, JOIN_INNER, table(a, 1), right, NULL);

    assert_string_equal(print(f, plan_finish(a, hint(a, HINT_MERGE, join))),
                        "Join Inner, rightHint=(strategy=broadcast)\n"
                        ":- LocalRelation [k#1, v#2L]\n"
                        "+- LocalRelation [k#3, v#4L]\n");
}

static struct plan *cte_ref(struct arena *a, uint32_t id, struct exprs output)
{
    struct plan *p = plan_new(a, PLAN_CTE_REF, 0);

    p->cte_id = id;
    p->output = output;
    p->resolved = true;
    return p;
}

static void ctes_come_in_place_with_ids_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *t = table(a, 1);
    struct plan *def = plan_unary(a, PLAN_CTE_DEF, alias(a, "c", t));
    struct plan *with = plan_new(a, PLAN_WITH, 2);
    struct plan *second = cte_ref(
        a, 5, list_of(a, 2, column(a, "k", TYPE_INT, 21), column(a, "v", TYPE_LONG, 22)));

    def->cte_id = 5;
    with->resolved = true;
    with->children[0] = plan_join(a, JOIN_INNER, cte_ref(a, 5, t->output), second, NULL);
    with->children[1] = def;
    struct plan *p = plan_finish(a, with);
    assert_int_equal(p->kind, PLAN_JOIN);
    assert_ptr_equal(p->children[0], t);
    const struct exprs *out = plan_output(a, p);
    assert_int_equal(out->at[2]->id, 21);
    assert_int_equal(out->at[3]->id, 22);
    assert_int_equal(p->children[1]->kind, PLAN_PROJECT);
    assert_int_not_equal(p->children[1]->children[0]->output.at[0]->id, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(trees_print_with_their_branches, setup, teardown),
        cmocka_unit_test_setup_teardown(subqueries_print_inside_their_node, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(unresolved_nodes_have_a_quote, setup, teardown),
        cmocka_unit_test_setup_teardown(long_lists_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(joins_make_the_other_side_nullable, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(aliases_qualify, setup, teardown),
        cmocka_unit_test_setup_teardown(union_is_nullable_where_one_side_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(mapping_keeps_what_does_not_change, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sameness_is_blind_to_ids_and_names, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_fresh_plan_is_the_same_under_other_ids, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hints_move_into_joins, setup, teardown),
        cmocka_unit_test_setup_teardown(ctes_come_in_place_with_ids_of_their_own, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
