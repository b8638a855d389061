#!/bin/bash
# The stage graph's SVG where it is read: every picture is XML to a parser of another's making, hostile names included,
# and the script of --interactive does in chromium what it says. Skipped where there is no python3 or no chromium.
#
#     tests/picture/run.sh
set -u
cd "$(dirname "$0")/../.."
S=${SPILLWAY_BIN:-./spillway}
export LC_ALL=C.UTF-8
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
passed=0 failed=0 skipped=0

ok() { # WHAT STATUS
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1"
    fi
}

draw() { # NAME LOG OPTION...: by graphviz, and by our own layers
    local name=$1
    shift
    "$S" graph -q "$@" -f svg >"$T/$name.svg" 2>/dev/null &&
        "$S" graph -q "$@" -f svg --layout-timeout 0 >"$T/$name-own.svg" 2>/dev/null
    ok "graph $*" $?
}

# --- well-formed -------------------------------------------------------------------
LC_ALL=C awk -f tests/data/shapes.awk -v shape=names >"$T/names"
draw names "$T/names"
draw names-linked "$T/names" --interactive --link-base 'http://host/?a=1&lt;b={stage}'
for shape in loop fan hub; do
    awk -f tests/data/shapes.awk -v shape=$shape -v stages=200 >"$T/$shape"
    draw "$shape" "$T/$shape"
done
for log in job-failed killed-in-progress streaming-control healthy-tpch-q12-rolling fetch-failure spill-sort; do
    for file in tests/data/logs/$log/*; do
        case $file in *.json | *.md) continue ;; esac
        draw "$log" "$file"
        break
    done
done
"$S" graph -q "$T/names" --plan 0 -f svg >"$T/plan.svg"
ok "plan of hostile names" $?
if command -v python3 >/dev/null; then
    for svg in "$T"/*.svg; do
        python3 - "$svg" <<'PY'
import sys
import xml.etree.ElementTree as tree

SVG = "{http://www.w3.org/2000/svg}"
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == SVG + "svg", root.tag
ids = [e.get("id") for e in root.iter() if e.get("id")]
assert len(ids) == len(set(ids)), "an id twice"
scripts = [e for e in root.iter() if e.tag.lower().endswith("script")]
assert len(scripts) == ("linked" in sys.argv[1]), "a script that is not ours"
for e in root.iter():
    for key, value in e.attrib.items():
        assert not key.lower().startswith("on"), key
        assert not key.endswith("href") or value.startswith("http://host/"), value
PY
        ok "$(basename "$svg") is not what it should be" $?
    done
else
    skipped=$((skipped + 1))
fi

# --- the script ----------------------------------------------------------------------
# A page with the SVG in it and a second script that plays the user; the fragment of the address tells what came of it.
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ] && "$S" graph -q "$T/loop" --interactive -f svg >"$T/i.svg"; then
    {
        echo '<!DOCTYPE html><meta charset="utf-8"><body>'
        sed -n '/<svg/,$p' "$T/i.svg" | sed 's/<!\[CDATA\[//; s/\]\]>//'
        cat <<'JS'
<pre id="said"></pre><script>
var said = [], svg = document.querySelector('svg');
function say(what) { said.push(what + ' ' + location.hash.replace(/view=.*/, 'view')); }
function press(k) { document.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true })); }
function click(id) {
  document.querySelector('#' + id + ' text').dispatchEvent(
    new MouseEvent('click', { detail: 1, bubbles: true, cancelable: true }));
}
function count(c) { return svg.querySelectorAll('g.node.' + c).length; }
say('begin dim=' + count('dim'));
click('stage-0-0');
say('chosen dim=' + count('dim'));
click('stage-0-0');
say('again dim=' + count('dim'));
press('/'); 'LOAD'.split('').forEach(press); press('Enter');
say('searched found=' + count('found'));
press('Escape');
say('escaped found=' + count('found') + ' dim=' + count('dim'));
press('+');
say('zoomed');
press('0');
say('home');
document.getElementById('said').textContent = said.join('\n');
</script>
JS
    } >"$T/page.html"
    timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$T/profile" --dump-dom \
        "file://$T/page.html" 2>/dev/null | sed -n '/<pre id="said">/,/<\/pre>/p' | sed 's/<[^>]*>//g; /^var said/,$d' >"$T/said"
    cat >"$T/expected" <<'TXT'
begin dim=0 
chosen dim=7 #at=stage-0-0
again dim=0 
searched found=2 #find=LOAD
escaped found=0 dim=0 
zoomed #view
home 
TXT
    diff "$T/expected" "$T/said"
    ok "the script in chromium" $?
else
    skipped=$((skipped + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
