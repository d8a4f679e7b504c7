/** Looks of the page, light and dark, from the width of a phone upwards. */
export const pageStyle = `
:root { color-scheme: light dark; --paper: #fbfbfa; --card: #ffffff; --ink: #1c2024; --soft: #5d6670; --rule: #e2e5e9; --grid: #eceef1;
  --line-0: #1f6feb; --line-1: #c2570c; --good: #1a7f4b; --bad: #c4302b; --turn: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #121417; --card: #1a1d21; --ink: #e6e8eb; --soft: #9aa4af; --rule: #2e333a; --grid: #262b31;
    --line-0: #6ea8ff; --line-1: #f0a35e; --good: #5cc98f; --bad: #ff8078; --turn: #e0b341; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0; }
.soft, .what { color: var(--soft); }
.what { font-size: .875rem; margin-bottom: .5rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.figures div { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .75rem .9rem; }
.figures dt { color: var(--soft); font-size: .8125rem; }
.figures dd { margin: 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
ol { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; }
li { display: grid; grid-template-columns: 6rem 5.5rem 1fr; gap: .25rem .75rem; padding: .5rem .9rem; border-left: 4px solid transparent; }
li + li { border-top: 1px solid var(--rule); }
li time { font-variant-numeric: tabular-nums; color: var(--soft); white-space: nowrap; }
li b { font-weight: 500; color: var(--soft); overflow-wrap: anywhere; }
li span { overflow-wrap: anywhere; }
li.turn { border-left-color: var(--turn); } li.good { border-left-color: var(--good); } li.bad { border-left-color: var(--bad); }
li.turn span, li.bad span { font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 29rem), 1fr)); gap: 1rem; }
.plot { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .9rem .9rem .5rem; min-width: 0; }
.draw { min-height: 13rem; }
.uplot { font: inherit; }
.u-legend { text-align: left; font-size: .8125rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.scroll th, .scroll td { text-align: right; padding: .45rem .9rem; white-space: nowrap; }
.scroll th:first-child { text-align: left; font-weight: 500; white-space: normal; }
.scroll thead th { color: var(--soft); font-size: .8125rem; font-weight: 500; }
.scroll tbody tr { border-top: 1px solid var(--rule); }
footer { color: var(--soft); font-size: .8125rem; margin-top: 2.5rem; }
@media (max-width: 40rem) { li { grid-template-columns: auto 1fr; } li span { grid-column: 1 / -1; } h1 { font-size: 1.35rem; } }
@media print { .plot, li { break-inside: avoid; } }
`
