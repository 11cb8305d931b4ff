"""How a day's page looks: light and dark by the reader's own choice, one column on a phone, black on white on paper."""

LIGHT = """--ground: #fff; --ink: #1c2430; --quiet: #566172; --rule: #e1e6ed; --card: #f6f8fb; --s0: #1d4ed8;
  --s1: #c2410c; --s2: #0f766e; --s3: #7e22ce; --band: #93b4f5; --edge: #d7e2f7; --bad: #b42318; --good: #0f766e;"""
DARK = """--ground: #12161c; --ink: #e6eaf0; --quiet: #9aa5b4; --rule: #2a323d; --card: #191f27; --s0: #8ab4ff;
  --s1: #fb923c; --s2: #5eead4; --s3: #d8b4fe; --band: #34518c; --edge: #212d45; --bad: #ff9b90; --good: #5eead4;"""

STYLE = f"""
:root {{ color-scheme: light dark; {LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
* {{ box-sizing: border-box; }}
html {{ -webkit-text-size-adjust: 100%; }}
body {{ margin: 0 auto; max-width: 1120px; padding: 20px 16px 48px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }}
h1 {{ font-size: 24px; line-height: 1.25; margin: 0 0 4px; }}
h2 {{ font-size: 19px; margin: 36px 0 8px; padding-top: 14px; border-top: 1px solid var(--rule); }}
h3 {{ font-size: 16px; margin: 20px 0 4px; }}
p {{ margin: 4px 0 12px; color: var(--quiet); max-width: 78ch; }}
p.verdict {{ color: var(--ink); font-size: 17px; }}
p.absent {{ border-left: 3px solid var(--s1); padding-left: 10px; }}
ul {{ margin: 4px 0 12px; padding-left: 20px; }}
nav ul {{ display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; padding: 0; }}
a {{ color: var(--s0); display: inline-block; padding: 4px 0; }}
.facts {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; margin: 12px 0; }}
.facts div {{ background: var(--card); border-radius: 8px; padding: 8px 12px; min-width: 0; }}
.facts dt {{ color: var(--quiet); font-size: 13px; }}
.facts dd {{ margin: 0; font-size: 18px; font-weight: 600; font-variant-numeric: tabular-nums; }}
.facts small {{ display: block; font-size: 13px; font-weight: 400; color: var(--quiet); }}
.figures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 20px 28px; }}
figure {{ margin: 8px 0; min-width: 0; }}
figure.narrow {{ max-width: 620px; }}
figcaption {{ font-weight: 600; }}
svg {{ width: 100%; height: auto; display: block; }}
svg text {{ fill: var(--quiet); font: 11px system-ui, sans-serif; paint-order: stroke; stroke: var(--ground);
  stroke-width: 3px; }}
.grid {{ stroke: var(--quiet); opacity: .2; }} .zero {{ stroke: var(--quiet); }}
.line {{ fill: none; stroke-width: 1.7; stroke-linejoin: round; }}
.s0 {{ stroke: var(--s0); }} .s1 {{ stroke: var(--s1); stroke-dasharray: 7 3; }}
.s2 {{ stroke: var(--s2); stroke-dasharray: 2 3; }} .s3 {{ stroke: var(--s3); stroke-dasharray: 9 3 2 3; }}
.day {{ stroke: var(--s1); stroke-width: 1.8; }}
.dot {{ stroke: none; }} .dot.s0, .bar.s0 {{ fill: var(--s0); }} .dot.s1, .bar.s1 {{ fill: var(--s1); }}
.dot.s2 {{ fill: var(--s2); }} .dot.s3 {{ fill: var(--s3); }} .dot.day {{ fill: var(--s1); }}
.bar {{ stroke: none; }} .band {{ fill: var(--band); opacity: .75; }} .extremes {{ fill: var(--edge); }}
.mark {{ stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; opacity: .7; }}
.there {{ fill: var(--s2); }} .gone {{ fill: var(--bad); }} .none {{ fill: var(--edge); }}
.key {{ display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 2px 0 4px; padding: 0; list-style: none; font-size: 13px;
  color: var(--quiet); }}
.key svg {{ width: 26px; height: 10px; display: inline-block; margin-right: 6px; }}
.wide {{ overflow-x: auto; margin: 8px 0 16px; max-width: 100%; }}
.wide:focus-visible, a:focus-visible, summary:focus-visible {{ outline: 2px solid var(--s0); outline-offset: 2px; }}
table {{ border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; width: 100%; }}
caption {{ text-align: left; color: var(--quiet); font-size: 13px; padding-bottom: 2px; }}
caption span {{ display: block; max-width: min(100%, calc(100vw - 34px)); }}
th, td {{ padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap;
  vertical-align: top; }}
th {{ font-weight: 500; color: var(--quiet); }} tbody th {{ color: var(--ink); }}
.t {{ text-align: left; }} td.t {{ white-space: normal; min-width: 7em; }}
tbody th {{ white-space: normal; min-width: 6.5em; }}
th:first-child, td:first-child {{ padding-left: 0; }}
@media (max-width: 560px) {{ table {{ font-size: 13px; }} th, td {{ padding: 4px 5px; }}
  thead th {{ white-space: normal; vertical-align: bottom; }} }}
summary {{ cursor: pointer; color: var(--quiet); font-size: 13px; padding: 6px 0; }}
footer {{ margin-top: 32px; font-size: 13px; color: var(--quiet); }}
@page {{ margin: 14mm; }}
@media print {{
  body {{ max-width: none; padding: 0; font-size: 11px; }} nav, details {{ display: none; }}
  h2, h3, figcaption {{ break-after: avoid; }} figure, tr, .facts div {{ break-inside: avoid; }}
  .figures {{ grid-template-columns: 1fr 1fr; gap: 8px 20px; }} .wide {{ overflow: visible; }}
  table {{ font-size: 9.5px; }} th, td {{ padding: 2px 5px; }} .facts {{ grid-template-columns: repeat(5, 1fr); }}
  figure.narrow {{ max-width: 62%; }} .facts dd {{ font-size: 13px; }} caption, .key {{ font-size: 10px; }}
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
}}
"""
