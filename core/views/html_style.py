"""The style sheet and the script of the page. Without the script, everything can be read."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ..model.translate import N_, _, language
from .html_text import text

LIGHT = """\
--page:#fcfcfb;--card:#fff;--text:#1d2127;--soft:#5b6470;--line:#e3e5e8;--shade:#f3f4f5;
--good:#1a7f45;--bad:#c62f2f;--warn:#96650a;--idle:#6b7480;--live:#2563c9;--accent:#2563c9;
--claude:#5b8def;--setup:#8f7ad9;--commit:#2f9e94;--checks:#4aa564;--rest:#b9c0c8;
--limit:#f4e3bd;--pause:#e4e2f2;--plus:#e4f5ea;--minus:#fce8e8;--sign:#fff"""

DARK = """\
--page:#14161a;--card:#1b1e24;--text:#e4e7eb;--soft:#9aa4b0;--line:#2e333b;--shade:#22262d;
--good:#4cc07e;--bad:#f2706b;--warn:#dba843;--idle:#8b95a1;--live:#74a5f5;--accent:#8ab4f8;
--claude:#5f8fe8;--setup:#9a86e0;--commit:#3fb0a5;--checks:#56b06f;--rest:#515a66;
--limit:#453a1d;--pause:#302e47;--plus:#16301f;--minus:#3a1e1f;--sign:#14161a"""

STYLE = (
    f":root{{color-scheme:light dark;{LIGHT}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}"
    f"@media print{{:root{{color-scheme:light;{LIGHT}}}}}"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);overflow-wrap:anywhere;
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:27px;line-height:1.25;font-weight:650;margin:2px 0 6px;display:flex;gap:10px}
h1 .mark{width:24px;height:24px;margin-top:5px}
h2{font-size:18px;font-weight:650;margin:44px 0 12px}
h3{font-size:14px;font-weight:650;margin:20px 0 6px}
p{margin:0 0 8px}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
code{font-size:13px}
pre{font-size:12.5px;line-height:1.5;margin:6px 0;padding:10px 12px;background:var(--shade);
border-radius:6px;white-space:pre-wrap;max-height:480px;overflow:auto}
pre.patch{white-space:pre;overflow-wrap:normal;padding:8px 0}
pre.patch span{display:block;padding:0 12px;min-width:max-content}
pre.patch .plus{background:var(--plus)}
pre.patch .minus{background:var(--minus)}
pre.patch .head{color:var(--soft)}
small,.soft{color:var(--soft)}
small{font-size:13px}
.over{color:var(--soft);font-weight:600;margin:0}
.symbols{position:absolute}
.mark{flex:none;fill:currentColor;vertical-align:-2px}
.hollow{fill:none;stroke:currentColor;stroke-width:2;stroke-dasharray:2.4 2.2}
.sign{fill:none;stroke:var(--sign);stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.idle{color:var(--idle)}.live{color:var(--live)}
.counts{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:0;padding:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));margin:22px 0;
background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.tiles div{box-shadow:0 0 0 .5px var(--line);padding:12px 16px}
.tiles dt{font-size:13px;color:var(--soft)}
.tiles dd{margin:0;font-size:21px;font-weight:600;font-variant-numeric:tabular-nums}
.tiles small{display:block;font-weight:400}
.facts{display:grid;grid-template-columns:minmax(104px,max-content) minmax(0,1fr);gap:3px 16px;
margin:0 0 12px;font-size:14px;align-content:start}
.facts dt{color:var(--soft)}
.facts dd{margin:0}
.wide{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 40px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px}
.scroll{overflow-x:auto}
.dag{display:block;margin:auto}
.dag.fit{max-width:100%;height:auto}
.dag path{fill:none;stroke:var(--rest);stroke-width:1.3}
.dag path.critical{stroke:var(--text);stroke-width:2}
.dag .sign{stroke:var(--sign)}
.dag .node rect{fill:var(--card);stroke:currentColor;stroke-width:1.2}
.dag .node.good rect,.dag .node.bad rect,.dag .node.warn rect,.dag .node.live rect{
fill:color-mix(in srgb,currentColor 8%,var(--card))}
.dag .node.critical rect{stroke-width:2.2}
.dag .node.idle rect{stroke-dasharray:4 3}
.dag text{fill:var(--text);font-size:13px}
.dag a:hover{text-decoration:none}
.dag a:hover text{text-decoration:underline}
.rows{display:grid;grid-template-columns:minmax(90px,200px) minmax(0,1fr);gap:0 12px}
.rows ol{list-style:none;margin:0;padding:0}
.rows li{height:22px;line-height:22px;font-size:13px;display:flex;gap:6px}
.rows li .mark{margin-top:3px}
.rows li a{color:inherit;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.rows li.critical a{font-weight:650}
.rows .beside{font-size:13px;color:var(--soft);align-self:center}
.timeline{display:block}
.timeline .grid{stroke:var(--line)}
.timeline .tick{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.timeline .claude{fill:var(--claude)}
.timeline .lost{fill:var(--bad);fill-opacity:.55}
.timeline .setup{fill:var(--setup)}
.timeline .commit,.timeline .inspection{fill:var(--commit)}
.timeline .checks{fill:var(--checks)}
.timeline .worktree,.timeline .between{fill:var(--rest)}
.timeline .limit{fill:var(--limit)}
.timeline .pause{fill:var(--pause)}
.timeline .busy{fill:var(--claude);fill-opacity:.45}
.timeline .slots{stroke:var(--soft);stroke-dasharray:3 3}
.timeline .path{fill:var(--text)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:12px 0 0;font-size:13px;color:var(--soft)}
.legend span{display:flex;gap:6px;align-items:center}
.legend svg{flex:none}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:500;color:var(--soft);text-align:left;font-size:13px}
th,td{padding:4px 14px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
tr>:last-child{padding-right:0}
tbody tr:last-child td{border-bottom:0}
tfoot td{border-top:1px solid var(--line);border-bottom:0;font-weight:600}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.short{white-space:nowrap}
.plus-n{color:var(--good)}.minus-n{color:var(--bad)}
details{margin:6px 0}
summary{cursor:pointer}
.feature{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:8px 0;
scroll-margin-top:12px}
.feature:target{border-color:var(--accent)}
.feature>summary{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 10px;padding:10px 16px;
list-style:none}
.feature>summary::-webkit-details-marker{display:none}
.feature>summary .mark{align-self:center}
.feature>summary b{font-weight:650}
.feature>summary .name{color:var(--soft);flex:1 1 180px;min-width:0}
.feature>summary .figures{color:var(--soft);font-size:13px;font-variant-numeric:tabular-nums;
display:flex;flex-wrap:wrap;gap:2px 14px}
.feature[open]>summary{border-bottom:1px solid var(--line)}
.feature>div{padding:12px 16px 14px}
.checks{list-style:none;margin:0;padding:0}
.checks summary,.checks>li>span{display:inline-flex;gap:8px;align-items:baseline}
.checks .mark{align-self:center}
.checks summary{list-style:none}
.checks summary::after{content:"▸";color:var(--soft)}
.checks [open]>summary::after{content:"▾"}
.files{list-style:none;margin:0;padding:0}
.files li{border-bottom:1px solid var(--line)}
.files li:last-child{border-bottom:0}
.files details{margin:0}
.file{display:flex;gap:12px;justify-content:space-between;padding:4px 0;list-style:none}
.file::-webkit-details-marker{display:none}
summary.file>:first-child::after{content:" ▸";color:var(--soft)}
[open]>summary.file>:first-child::after{content:" ▾"}
.figures{font-variant-numeric:tabular-nums;white-space:nowrap;font-size:13px}
footer{margin-top:48px;color:var(--soft);font-size:13px}
button{font:inherit;font-size:13px;color:var(--accent);background:none;border:0;padding:0 0 0 14px;
cursor:pointer}
@media (max-width:640px){
main{padding:20px 14px 40px}
h1{font-size:22px}
h1 .mark{margin-top:2px}
.tiles{grid-template-columns:1fr 1fr}
.facts{gap:3px 12px;margin:0}
.dag.fit{max-width:none}
.extra{display:none}
.rows{grid-template-columns:96px minmax(0,1fr)}
.card{padding:12px}
}
@media print{
body{font-size:11pt;background:none}
main{max-width:none;padding:0}
pre{max-height:none;white-space:pre-wrap}
pre.patch{white-space:pre-wrap}
pre.patch span{min-width:0}
.scroll{overflow:visible}
.dag{max-width:100%;height:auto}
.feature,.card,tr,.tiles{break-inside:avoid}
h2,h3{break-after:avoid}
a{color:inherit}
button{display:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""
)

SCRIPT = """\
const opened=()=>{
const found=document.getElementById(decodeURIComponent(location.hash.slice(1)));
if(found){
for(let at=found;at;at=at.parentElement)if(at.tagName==="DETAILS")at.open=true;
found.scrollIntoView();
}};
addEventListener("hashchange",opened);
opened();
const words=JSON.parse(document.body.dataset.words||"{}");
const heading=document.getElementById("-features");
for(const [name,open] of [["Open all",true],["Fold all",false]]){
const button=document.createElement("button");
button.type="button";
button.textContent=words[name]||name;
button.onclick=()=>{for(const each of document.querySelectorAll(".feature"))each.open=open};
heading?.append(button);
}
"""

OF_SCRIPTS = (N_("Open all"), N_("Fold all"))
"""What the script says; ``web.js`` has more."""


def words(texts: Iterable[str] = OF_SCRIPTS) -> str:
    """The attribute of the body with what scripts say in the language of the page."""
    if language() == "en":
        return ""
    return f' data-words="{text(json.dumps({each: _(each) for each in texts}))}"'
