/* URLs: what stands in their queries, and their parts as java.net.URI sees them (RFC 2396
 * with its deviations: any character beyond ASCII may stand where an escape may). */
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"

#include <ctype.h>

static enum errc run_url_encode(struct eval_call *c, struct err *err)
{
    static const char digits[] = "0123456789ABCDEF";
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        char *to = text_room(c, s.len * 3);
        size_t n = 0;

        for (size_t i = 0; i < s.len; i++) {
            unsigned char x = (unsigned char)s.p[i];

            if ((x < 128 && isalnum(x)) || x == '.' || x == '-' || x == '*' || x == '_') {
                to[n++] = (char)x;
            } else if (x == ' ') {
                to[n++] = '+';
            } else {
                to[n++] = '%';
                to[n++] = digits[x >> 4];
                to[n++] = digits[x & 15];
            }
        }
        text_put(c, row, (struct sv){ to, n });
    }
    return ERR_OK;
}

/* False: a % without two digits behind it. */
static bool url_decode(struct sv s, char *to, size_t *len)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        int high, low;

        if (s.p[i] != '%') {
            to[n++] = s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        if (i + 2 >= s.len || (high = hex_digit(s.p[i + 1])) < 0 ||
            (low = hex_digit(s.p[i + 2])) < 0)
            return false;
        to[n++] = (char)(high << 4 | low);
        i += 2;
    }
    *len = n;
    return true;
}

static enum errc run_url_decode(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        char *to = text_room(c, s.len);
        size_t n;

        if (!url_decode(s, to, &n))
            return err_set(err, ERR_SYNTAX,
                           "[CANNOT_DECODE_URL] Cannot decode url : %.*s.", SV_FMT(s));
        text_put(c, row, (struct sv){ to, n });
    }
    return ERR_OK;
}

/* ---- parse_url ---- */

/* Parts of a URL as they are written; absent (p NULL) where there is none. */
struct url {
    struct sv scheme, authority, user, host, path, query, fragment;
};

static bool is_alnum(char ch)
{
    return isalnum((unsigned char)ch) && !((unsigned char)ch & 0x80);
}

static bool is_alpha(char ch)
{
    return isalpha((unsigned char)ch) && !((unsigned char)ch & 0x80);
}

/* Unreserved characters, escapes, those beyond ASCII, and what `more` lists. */
static bool all_legal(struct sv s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.p[i];

        if (ch == '%') {
            if (i + 2 >= s.len || hex_digit(s.p[i + 1]) < 0 || hex_digit(s.p[i + 2]) < 0)
                return false;
            i += 2;
        } else if (!is_alnum(ch) && !((unsigned char)ch & 0x80) &&
                   (ch == '\0' || (!strchr("-_.!~*'()", ch) && !strchr(more, ch)))) {
            return false;
        }
    }
    return true;
}

/* Up to the first of `ends`, which stays in *rest. */
static struct sv take_until(struct sv *rest, const char *ends)
{
    size_t n = 0;

    while (n < rest->len && (rest->p[n] == '\0' || !strchr(ends, rest->p[n])))
        n++;
    struct sv taken = { rest->p, n };
    *rest = sv_from(*rest, n);
    return taken;
}

static bool is_scheme(struct sv s)
{
    if (!s.len || !is_alpha(s.p[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_alnum(s.p[i]) && !strchr("+-.", s.p[i]))
            return false;
    return true;
}

static bool is_port(struct sv s)
{
    int64_t port = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (!isdigit((unsigned char)s.p[i]) || port > INT32_MAX)
            return false;
        port = port * 10 + (s.p[i] - '0');
    }
    return port <= INT32_MAX;
}

static bool is_ipv4(struct sv s)
{
    int numbers = 0;

    for (size_t i = 0; i < s.len; i++) {
        int value = 0, digits = 0;

        while (i < s.len && isdigit((unsigned char)s.p[i]) && digits < 4) {
            value = value * 10 + (s.p[i++] - '0');
            digits++;
        }
        if (!digits || value > 255 || (i < s.len && s.p[i] != '.') || i + 1 == s.len)
            return false;
        numbers++;
    }
    return numbers == 4;
}

/* Labels of letters, digits and inner hyphens; the last begins with a letter. */
static bool is_host_name(struct sv s)
{
    size_t from = 0;
    bool last = false;

    while (!last) {
        size_t to = from;

        while (to < s.len && (is_alnum(s.p[to]) || s.p[to] == '-'))
            to++;
        if (to == from || s.p[from] == '-' || s.p[to - 1] == '-')
            return false;
        if (to < s.len && s.p[to] != '.')
            return false;
        last = to + 1 >= s.len;
        if (last)
            return is_alpha(s.p[from]);
        from = to + 1;
    }
    return false;
}

static bool is_ipv6(struct sv s)
{
    size_t colons = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '%') /* a scope */
            return colons >= 2;
        if (hex_digit(s.p[i]) < 0 && s.p[i] != ':' && s.p[i] != '.')
            return false;
        colons += s.p[i] == ':';
    }
    return colons >= 2;
}

/* [user@]host[:port]. What is not of that form is a name by some registry: legal, but
 * without a host. False: not even that. */
static bool read_authority(struct url *u)
{
    struct sv rest = u->authority, user = { 0 }, host;
    const char *at = memchr(rest.p, '@', rest.len);
    bool server;

    if (at) {
        user = (struct sv){ rest.p, (size_t)(at - rest.p) };
        rest = sv_from(rest, user.len + 1);
    }
    if (rest.len && rest.p[0] == '[') {
        struct sv inner = sv_from(rest, 1);

        host = take_until(&inner, "]");
        if (!inner.len || !is_ipv6(host))
            return false;
        host = (struct sv){ rest.p, host.len + 2 };
        rest = sv_from(inner, 1);
        server = !rest.len || rest.p[0] == ':';
    } else {
        host = take_until(&rest, ":");
        server = is_ipv4(host) || is_host_name(host);
    }
    server =
        server && (!rest.len || is_port(sv_from(rest, 1))) && all_legal(user, ";:&=+$,");
    if (server) {
        u->host = host;
        u->user = user;
        return true;
    }
    return all_legal(u->authority, "$,;:@&=+");
}

static bool read_url(struct sv s, struct url *u)
{
    static const char uric[] = ";/?:@&=+$,[]";
    const char *hash = memchr(s.p, '#', s.len);
    struct sv rest = s, probe = s;
    struct sv before = take_until(&probe, "/?#:");

    *u = (struct url){ 0 };
    if (probe.len && probe.p[0] == ':') {
        if (!is_scheme(before))
            return false;
        u->scheme = before;
        rest = sv_from(probe, 1);
        if (!rest.len || rest.p[0] == '#')
            return false;
    }
    if (hash) {
        rest.len = (size_t)(hash - rest.p);
        u->fragment = sv_from(s, (size_t)(hash - s.p) + 1);
        if (!all_legal(u->fragment, uric))
            return false;
    }
    if (u->scheme.p && rest.p[0] != '/') /* opaque, as mailto: is */
        return all_legal(rest, uric);
    if (rest.len >= 2 && rest.p[0] == '/' && rest.p[1] == '/') {
        rest = sv_from(rest, 2);
        u->authority = take_until(&rest, "/?");
        if (!u->authority.len) {
            if (!rest.len)
                return false;
            u->authority.p = NULL;
        } else if (!read_authority(u)) {
            return false;
        }
    }
    u->path = take_until(&rest, "?");
    if (rest.len)
        u->query = sv_from(rest, 1);
    return all_legal(u->path, ":@&=+$,;/") && all_legal(u->query, uric);
}

/* The value behind `key=` in the query. */
static struct sv query_value(struct sv query, struct sv key)
{
    while (query.p) {
        struct sv pair = take_until(&query, "&");

        if (pair.len > key.len && pair.p[key.len] == '=' && sv_starts(pair, key))
            return sv_from(pair, key.len + 1);
        if (!query.len)
            break;
        query = sv_from(query, 1);
    }
    return (struct sv){ 0 };
}

static struct sv url_part(const struct url *u, struct sv part)
{
    const struct {
        const char *name;
        struct sv text;
    } parts[] = {
        { "HOST", u->host },     { "PATH", u->path },       { "QUERY", u->query },
        { "REF", u->fragment },  { "PROTOCOL", u->scheme }, { "AUTHORITY", u->authority },
        { "USERINFO", u->user },
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (sv_is(part, parts[i].name))
            return parts[i].text;
    if (sv_is(part, "FILE") && u->query.p) /* the two stand side by side */
        return (struct sv){ u->path.p, u->path.len + 1 + u->query.len };
    return sv_is(part, "FILE") ? u->path : (struct sv){ 0 };
}

static enum errc run_parse_url(struct eval_call *c, struct err *err)
{
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        struct sv text = arg_sv(&c->args[0], row), part = arg_sv(&c->args[1], row), found;
        struct url u;

        if (!read_url(text, &u)) {
            if (eval_ansi(c))
                return err_set(err, ERR_SYNTAX,
                               "[INVALID_URL] The url is invalid: %.*s. If necessary set "
                               "\"spark.sql.ansi.enabled\" to \"false\" to bypass this "
                               "error.",
                               SV_FMT(text));
            c->out->valid[row] = 0;
            continue;
        }
        if (c->n_args < 3)
            found = url_part(&u, part);
        else if (sv_is(part, "QUERY"))
            found = query_value(u.query, arg_sv(&c->args[2], row));
        else
            found = (struct sv){ 0 };
        if (found.p)
            text_copy(c, row, found);
        else
            c->out->valid[row] = 0;
    }
    return ERR_OK;
}

const struct func url_funcs[] = {
    { .name = "parse_url",
      .plan_tail = "false",
      .min_args = 2,
      .max_args = 3,
      .flags = FUNC_NULL_INTOLERANT | FUNC_MAYBE_NULL,
      .sig = "sss:s",
      .run = run_parse_url,
      .usage = "parse_url(url, part[, key]) - HOST, PATH, QUERY, REF, PROTOCOL, FILE, "
               "AUTHORITY or USERINFO of a URL." },
    { .name = "url_encode",
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NULL_INTOLERANT,
      .sig = "s:s",
      .run = run_url_encode,
      .usage = "url_encode(str) - As it stands in the query of a URL." },
    { .name = "url_decode",
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NULL_INTOLERANT,
      .sig = "s:s",
      .run = run_url_decode,
      .usage = "url_decode(str) - The text that url_encode was given." },
    { 0 },
};
