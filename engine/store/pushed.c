/* Pushed filters as Spark's sources.Filter print: "EqualTo(a,1)". */
#include "engine/store/format.h"

static const char *const names[] = {
    [PUSHED_EQ] = "EqualTo",
    [PUSHED_EQ_NULL_SAFE] = "EqualNullSafe",
    [PUSHED_LT] = "LessThan",
    [PUSHED_LE] = "LessThanOrEqual",
    [PUSHED_GT] = "GreaterThan",
    [PUSHED_GE] = "GreaterThanOrEqual",
    [PUSHED_IN] = "In",
    [PUSHED_IS_NULL] = "IsNull",
    [PUSHED_IS_NOT_NULL] = "IsNotNull",
    [PUSHED_STARTS_WITH] = "StringStartsWith",
    [PUSHED_ENDS_WITH] = "StringEndsWith",
    [PUSHED_CONTAINS] = "StringContains",
    [PUSHED_AND] = "And",
    [PUSHED_OR] = "Or",
    [PUSHED_NOT] = "Not",
};

static void print_value(struct strbuf *out, const struct value *v)
{
    if (v->null)
        strbuf_addz(out, "null");
    else
        value_print(out, v, &zone_utc);
}

static void print_column(struct strbuf *out, const struct pushed *p)
{
    bool quoted = sv_has(p->column, ".");

    strbuf_addz(out, quoted ? "`" : "");
    strbuf_add(out, p->column);
    strbuf_addz(out, quoted ? "`" : "");
}

void pushed_print(struct strbuf *out, const struct pushed *p)
{
    strbuf_addz(out, names[p->kind]);
    strbuf_addc(out, '(');
    switch (p->kind) {
    case PUSHED_AND:
    case PUSHED_OR:
        pushed_print(out, p->left);
        strbuf_addc(out, ',');
        pushed_print(out, p->right);
        break;
    case PUSHED_NOT:
        pushed_print(out, p->left);
        break;
    case PUSHED_IN:
        print_column(out, p);
        strbuf_addz(out, ", [");
        for (uint32_t i = 0; i < p->n_values; i++) {
            strbuf_addz(out, i ? "," : "");
            print_value(out, &p->values[i]);
        }
        strbuf_addc(out, ']');
        break;
    case PUSHED_IS_NULL:
    case PUSHED_IS_NOT_NULL:
        print_column(out, p);
        break;
    case PUSHED_EQ:
    case PUSHED_EQ_NULL_SAFE:
    case PUSHED_LT:
    case PUSHED_LE:
    case PUSHED_GT:
    case PUSHED_GE:
    case PUSHED_STARTS_WITH:
    case PUSHED_ENDS_WITH:
    case PUSHED_CONTAINS:
        print_column(out, p);
        strbuf_addc(out, ',');
        print_value(out, p->values);
        break;
    }
    strbuf_addc(out, ')');
}
