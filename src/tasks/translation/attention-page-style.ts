/** The style of the page of attention. */

export const STYLE = `
:root { color-scheme: light dark; --accent: 0 80 165; --on-accent: #fff; --line: #8886; --soft: color-mix(in srgb, CanvasText 70%, Canvas); }
@media (prefers-color-scheme: dark) { :root { --accent: 120 190 255; --on-accent: #000; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1300px; padding: 1rem; background: Canvas; color: CanvasText; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .3rem; }
.texts { margin: .5rem 0 1rem; }
.texts div { display: flex; gap: .8rem; }
.texts dt { color: var(--soft); flex: 0 0 4rem; }
.texts dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.controls { align-items: center; border: 0; display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; margin: 0; padding: .2rem 0; }
.controls legend { font-size: 1.1rem; font-weight: 600; padding: 0; }
.controls [role=radiogroup] { display: flex; gap: 1rem; }
label { align-items: center; display: inline-flex; gap: .4rem; }
label[hidden] { display: none; }
output { font-variant-numeric: tabular-nums; }
.hint, .readout { color: var(--soft); margin: .2rem 0 .6rem; max-width: 75em; }
.readout { min-height: 1.5em; }
.scroll { overflow: auto; }
.tall { max-height: 90vh; }
table { border-collapse: separate; border-spacing: 0; }
#overview th { color: var(--soft); font-size: .8rem; font-weight: 400; padding: 0 .4rem; white-space: nowrap; }
#overview td { padding: .15rem; vertical-align: top; }
#overview button { background: none; border: 2px solid transparent; border-radius: 5px; color: inherit; cursor: pointer; display: block; font: inherit; padding: 3px; }
#overview button:hover { border-color: var(--line); }
#overview button[aria-pressed=true] { border-color: rgb(var(--accent)); }
canvas { border: 1px solid var(--line); display: block; image-rendering: pixelated; width: 72px; }
small { display: block; font-size: .75rem; font-variant-numeric: tabular-nums; text-align: center; }
bdi { white-space: pre; }
.map { --cell: 1.15rem; }
.map th { background: Canvas; font-weight: 400; max-width: 12rem; overflow: hidden; padding: 0 .4rem; position: sticky; text-align: end; text-overflow: ellipsis; white-space: nowrap; }
.map tbody th { left: 0; z-index: 1; }
.map thead th { max-width: none; padding: .3rem 0; text-align: center; top: 0; vertical-align: bottom; z-index: 2; }
.map thead bdi { display: inline-block; line-height: 1; max-height: 10rem; overflow: hidden; text-overflow: ellipsis; writing-mode: vertical-rl; }
.map.roomy thead bdi { max-width: 7rem; writing-mode: horizontal-tb; }
.map .marked { color: rgb(var(--accent)); font-weight: 700; }
.map .weight { background: rgb(var(--accent) / var(--weight)); box-shadow: inset 0 0 0 .5px var(--line); color: transparent; font-size: 0; height: var(--cell); min-width: var(--cell); padding: 0; }
.map td { cursor: default; font-variant-numeric: tabular-nums; text-align: center; }
.map td:hover { outline: 2px solid CanvasText; outline-offset: -2px; }
.map td:focus { outline: 3px solid Highlight; outline-offset: -2px; }
.map .sum { color: var(--soft); font-size: .8rem; line-height: 1; padding: 0 .5rem; }
.map.roomy .weight { color: inherit; font-size: .8rem; height: 1.9rem; padding: 0 .5rem; }
.map.roomy .below { color: GrayText; }
.lines { align-items: flex-start; display: flex; }
.lines ol { list-style: none; margin: 0; padding: 0; }
.lines li { height: 28px; }
.lines button { background: rgb(var(--accent) / var(--weight)); border: 0; border-radius: 4px; color: inherit; cursor: pointer; display: flex; font: inherit; gap: .6rem; height: 28px; padding: 0 .5rem; width: 100%; align-items: center; }
.lines ol:first-child button { flex-direction: row-reverse; }
.lines button::after { content: attr(data-weight); font-size: .75rem; font-variant-numeric: tabular-nums; min-width: 3.2em; text-align: end; }
.lines ol:first-child button::after { text-align: start; }
.lines .marked { box-shadow: inset 0 0 0 2px rgb(var(--accent)); font-weight: 700; }
.map.roomy .strong, .lines .strong { color: var(--on-accent); }
@media (prefers-color-scheme: dark) { .map.roomy .middling, .lines .middling { color: var(--on-accent); } }
.lines svg { flex: none; stroke: rgb(var(--accent)); stroke-width: 2; }
@media print {
  :root { color-scheme: light; --accent: 0 80 165; --on-accent: #fff; }
  .map.roomy .middling:not(.strong), .lines .middling:not(.strong) { color: inherit; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 9pt; max-width: none; padding: 0; }
  .controls, .hint, .readout { display: none; }
  .scroll { max-height: none; overflow: visible; }
  .map { --cell: 2.6mm; font-size: 7pt; }
  .map th { position: static; }
  .map.roomy .weight, .map .sum { font-size: 6pt; padding: 0 1mm; }
  #overview tr, .map tr { break-inside: avoid; }
}
`;
