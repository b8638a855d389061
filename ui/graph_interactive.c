/* --interactive: pan, zoom, search and tracing inside an SVG, by a script in it.
 *
 * The script knows nothing of who laid the picture out. It goes by ids and classes that
 * both writers set: g.node with the node's id, g.edge with "edge_FROM_TO_VIA". What is
 * chosen, searched and seen is in the address's fragment, so a link shows the same. It
 * reads titles only as text, and asks nothing of the network. */
#include "ui/graph.h"

#include <string.h>

static const char style[] =
    "<style>.node{cursor:pointer}.dim{opacity:.15}.found>*{outline:3px solid #7b1fa2}\n"
    ".node:focus{outline:3px solid #1552c4}svg.moving{cursor:grabbing}</style>\n";

/* Two strings, for a compiler need not take one of more than 4095 bytes. */
static const char script_view[] =
    "<script><![CDATA[(function () {\n"
    "'use strict';\n"
    "var svg = document.currentScript.ownerSVGElement || document.documentElement;\n"
    "var whole = svg.viewBox.baseVal, home = [whole.x, whole.y, whole.width, "
    "whole.height];\n"
    "var view = home.slice(), chosen = '', query = '', typing = false, drag = null;\n"
    "var nodes = [].slice.call(svg.querySelectorAll('g.node'));\n"
    "var edges = [].slice.call(svg.querySelectorAll('g.edge')).map(function (g) {\n"
    "  var part = g.id.split('_');\n"
    "  return { g: g, from: part[1], to: part[2], data: part[3] !== 'then' };\n"
    "});\n"
    "var bar = document.createElementNS(svg.namespaceURI, 'text');\n"
    "bar.setAttribute('font-weight', 'bold');\n"
    "svg.appendChild(bar);\n"
    "svg.setAttribute('width', '100%');\n"
    "svg.setAttribute('height', '100%');\n"
    "function reach(start, near, far) {\n"
    "  var seen = {}, todo = [start];\n"
    "  while (todo.length) {\n"
    "    var at = todo.pop();\n"
    "    if (seen['_' + at]) continue;\n"
    "    seen['_' + at] = true;\n"
    "    edges.forEach(function (e) { if (e.data && e[near] === at) todo.push(e[far]); });\n"
    "  }\n"
    "  return seen;\n"
    "}\n"
    "function show() {\n"
    "  var up = reach(chosen, 'to', 'from'), down = reach(chosen, 'from', 'to');\n"
    "  var words = query.toLowerCase(), n = 0;\n"
    "  nodes.forEach(function (g) {\n"
    "    var off = chosen && !up['_' + g.id] && !down['_' + g.id];\n"
    "    var hit = words && g.textContent.toLowerCase().indexOf(words) >= 0;\n"
    "    if (hit) n++;\n"
    "    g.classList.toggle('dim', !!off || (!!words && !hit));\n"
    "    g.classList.toggle('found', !!hit);\n"
    "  });\n"
    "  edges.forEach(function (e) {\n"
    "    var on = e.data && ((up['_' + e.from] && up['_' + e.to]) ||\n"
    "      (down['_' + e.from] && down['_' + e.to]));\n"
    "    e.g.classList.toggle('dim', !!chosen && !on);\n"
    "  });\n"
    "  svg.setAttribute('viewBox', view.join(' '));\n"
    "  var size = Math.max(view[3] / 40, view[2] / 90);\n"
    "  bar.setAttribute('font-size', size);\n"
    "  bar.setAttribute('x', view[0] + size);\n"
    "  bar.setAttribute('y', view[1] + view[3] - size);\n"
    "  bar.textContent = typing || query ? '/' + query + (typing ? '_' : '') + '  ' + n "
    "+ "
    "' found' : '';\n"
    "  var state = [];\n"
    "  if (chosen) state.push('at=' + chosen);\n"
    "  if (query) state.push('find=' + encodeURIComponent(query));\n"
    "  if (view.join() !== home.join()) state.push('view=' + "
    "view.map(Math.round).join());\n"
    "  try { history.replaceState(null, '', '#' + state.join('&')); } catch (e) { }\n"
    "}\n";

static const char script_input[] =
    "function zoom(by, x, y) {\n"
    "  view = [x - (x - view[0]) * by, y - (y - view[1]) * by, view[2] * by, view[3] * "
    "by];\n"
    "  show();\n"
    "}\n"
    "function middle(by) { zoom(by, view[0] + view[2] / 2, view[1] + view[3] / 2); }\n"
    "function place(e) {\n"
    "  var p = svg.createSVGPoint();\n"
    "  p.x = e.clientX;\n"
    "  p.y = e.clientY;\n"
    "  return p.matrixTransform(svg.getScreenCTM().inverse());\n"
    "}\n"
    "function choose(id) { chosen = chosen === id ? '' : id; show(); }\n"
    "svg.addEventListener('wheel', function (e) {\n"
    "  var p = place(e);\n"
    "  e.preventDefault();\n"
    "  zoom(e.deltaY > 0 ? 1.2 : 1 / 1.2, p.x, p.y);\n"
    "}, { passive: false });\n"
    "svg.addEventListener('pointerdown', function (e) { drag = place(e); drag.moved = "
    "false; });\n"
    "svg.addEventListener('pointermove', function (e) {\n"
    "  if (!drag || !e.buttons) return;\n"
    "  var p = place(e);\n"
    "  if (Math.abs(p.x - drag.x) + Math.abs(p.y - drag.y) > view[2] / 300) drag.moved = "
    "true;\n"
    "  if (!drag.moved) return;\n"
    "  svg.classList.add('moving');\n"
    "  view[0] += drag.x - p.x;\n"
    "  view[1] += drag.y - p.y;\n"
    "  svg.setAttribute('viewBox', view.join(' '));\n"
    "});\n"
    "svg.addEventListener('click', function (e) {\n"
    "  var moved = drag && drag.moved, g = e.target.closest('g.node');\n"
    "  drag = null;\n"
    "  svg.classList.remove('moving');\n"
    "  if (e.ctrlKey || e.metaKey || e.detail > 1) return; /* follows the link */\n"
    "  e.preventDefault();\n"
    "  if (moved) show();\n"
    "  else choose(g ? g.id : chosen);\n"
    "});\n"
    "svg.addEventListener('dblclick', function (e) {\n"
    "  var a = e.target.closest('a[href],a[*|href]');\n"
    "  if (a && a.href && a.href.baseVal) location.href = a.href.baseVal;\n"
    "});\n"
    "document.addEventListener('keydown', function (e) {\n"
    "  var step = view[2] / 10, k = e.key, g = document.activeElement;\n"
    "  if (e.ctrlKey || e.metaKey || e.altKey) return;\n"
    "  if (typing && k === 'Backspace') query = query.slice(0, -1);\n"
    "  else if (typing && k.length === 1) query += k;\n"
    "  else if (k === 'Enter' && typing) typing = false;\n"
    "  else if (k === 'Enter' && g && g.classList.contains('node')) return "
    "choose(g.id);\n"
    "  else if (k === 'Escape') { query = chosen = ''; typing = false; }\n"
    "  else if (k === '/') { typing = true; query = ''; }\n"
    "  else if (k === '+') return e.preventDefault(), middle(1 / 1.2);\n"
    "  else if (k === '-') return e.preventDefault(), middle(1.2);\n"
    "  else if (k === '0') view = home.slice();\n"
    "  else if (k === 'ArrowLeft') view[0] -= step;\n"
    "  else if (k === 'ArrowRight') view[0] += step;\n"
    "  else if (k === 'ArrowUp') view[1] -= step;\n"
    "  else if (k === 'ArrowDown') view[1] += step;\n"
    "  else return;\n"
    "  e.preventDefault();\n"
    "  show();\n"
    "});\n"
    "nodes.forEach(function (g) {\n"
    "  g.setAttribute('tabindex', '0');\n"
    "  g.setAttribute('role', 'button');\n"
    "});\n"
    "location.hash.slice(1).split('&').forEach(function (part) {\n"
    "  var cut = part.indexOf('='), key = part.slice(0, cut), value = part.slice(cut + "
    "1);\n"
    "  if (key === 'at' && document.getElementById(value)) chosen = value;\n"
    "  try { if (key === 'find') query = decodeURIComponent(value); } catch (e) { }\n"
    "  var four = value.split(',').map(Number);\n"
    "  if (key === 'view' && four.length === 4 && four.every(isFinite) && four[2] > 0 && "
    "four[3] > 0) view = four;\n"
    "});\n"
    "show();\n"
    "}());]]></script>\n";

void graph_interactive(struct strbuf *svg)
{
    static const char end[] = "</svg>";
    size_t at = svg->len;

    while (at > 0 && memcmp(svg->p + at - 1, end, 1) != 0)
        at--;
    at = at ? at - 1 : 0; /* of the last "<" */
    if (svg->len - at < sizeof end - 1 || memcmp(svg->p + at, end, sizeof end - 1) != 0)
        return; /* not an SVG */
    svg->len = at;
    strbuf_addz(svg, style);
    strbuf_addz(svg, script_view);
    strbuf_addz(svg, script_input);
    strbuf_addz(svg, "</svg>\n");
}
