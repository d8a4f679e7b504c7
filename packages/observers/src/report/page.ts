import { createHash } from 'node:crypto'
import type { PlotLibrary } from './library.ts'
import { escapeHtml, jsonForScript } from './markup.ts'
import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'
import type { PlotState, ReportState } from './report.ts'
import { durationText, valueText } from './wording.ts'

/** One HTML page that needs nothing but itself. What comes from guests and peers is text in it, and nothing else. */
export function pageOf(state: ReportState, { script, style }: PlotLibrary): string {
  const began = beginning(state)
  const data = jsonForScript({ plots: state.plots.map((plot) => plotData(plot, began)), marks: marks(state, began) })
  const allStyle = style + pageStyle
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${hashOf(allStyle)}; script-src ${hashOf(script)} ${hashOf(pageScript)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(state.title)}</title>
<style>${allStyle}</style>
</head>
<body>
<main>
<h1>${escapeHtml(state.title)}</h1>
<p class="soft">${whenText(state, began, ending(state))}</p>
${figures(state)}
<h2>What happened</h2>
${story(state, began)}
${plots(state)}
${table(state)}
<footer>Times are those of the clocks of the two sides; a distance between sides is as good as these agree. Plots keep the least and the most of what they put together. Plots by uPlot, MIT licence, with its licence in this page.</footer>
</main>
<script type="application/json" id="data">${data}</script>
<script>${script}</script>
<script>${pageScript}</script>
</body>
</html>
`
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const times = ({ story, plots }: ReportState): readonly number[] => [...story.map(({ at }) => at), ...plots.flatMap(({ measures }) => measures.flatMap((one) => one.points().map(({ at }) => at)))]

const beginning = (state: ReportState): number => times(state).reduce((least, at) => Math.min(least, at), Infinity)
const ending = (state: ReportState): number => times(state).reduce((most, at) => Math.max(most, at), -Infinity)

function whenText({ clock }: ReportState, began: number, ended: number): string {
  if (!Number.isFinite(began)) return 'Nothing has happened yet.'
  if (clock === 'virtual') return `${durationText(ended - began)} of virtual time`
  return `${new Date(began).toISOString().slice(0, 19).replace('T', ' ')} UTC, ${durationText(ended - began)}`
}

function figures({ plots, missed, acknowledged, figures: durations }: ReportState): string {
  const of = (name: string): readonly [string, string] | undefined => {
    const plot = plots.find(({ lines }) => lines.some(({ measure }) => measure === name))
    const summary = plot?.measures[plot.lines.findIndex(({ measure }) => measure === name)]?.summary
    return plot === undefined || summary === undefined ? undefined : [valueText(summary.median, plot.unit), valueText(summary.p99, plot.unit)]
  }
  const shown = durations.map(([label, ms]): readonly [string, string] => [label, durationText(ms)])
  if (acknowledged > 0) shown.push(['Epochs acknowledged', acknowledged.toLocaleString('en')])
  for (const [name, label] of [['pause', 'Pause'], ['pages', 'Dirty pages'], ['bytes', 'Bytes of an epoch'], ['held', 'Output held']] as const) {
    const value = of(name)
    if (value !== undefined) shown.push([`${label}, median`, value[0]])
  }
  if (missed !== undefined && acknowledged > 0) shown.push(['Epochs missed', `${missed.count} (${(100 * missed.share).toFixed(1)} %)`])
  return shown.length === 0 ? '' : `<dl class="figures">${shown.map(([label, value]) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>`
}

function story({ story: items, leftOut, clock }: ReportState, began: number): string {
  const when = (at: number): string => (clock === 'virtual' ? '' : ` datetime="${new Date(at).toISOString()}" title="${new Date(at).toISOString()}"`)
  const rows = items.map(
    ({ at, side, text, weight }) =>
      `<li class="${weight}"><time${when(at)}>+${((at - began) / 1000).toFixed(3)} s</time><b>${escapeHtml(side)}</b><span>${escapeHtml(text)}</span></li>`,
  )
  const note = leftOut === 0 ? '' : `<p class="soft">${leftOut} more items, of the middle or told often, are left out.</p>`
  return `<ol>${rows.join('\n')}</ol>${note}`
}

function plots(state: ReportState): string {
  if (state.plots.length === 0) return ''
  const cards = state.plots.map(({ title, what }, i) => `<section class="plot"><h3>${title}</h3><p class="what">${what}</p><div class="draw" id="plot-${i}"></div></section>`)
  return `<h2>Epoch by epoch</h2><div class="plots">${cards.join('\n')}</div>`
}

function table({ plots: shown }: ReportState): string {
  const rows = shown.flatMap(({ title, unit, lines, measures }) =>
    lines.flatMap(({ label }, i) => {
      const summary = measures[i]?.summary
      if (summary === undefined || unit === 'count') return []
      const cells = [summary.median, summary.p99, summary.most].map((value) => `<td>${valueText(value, unit)}</td>`).join('')
      return [`<tr><th scope="row">${lines.length === 1 ? title : `${title}: ${label}`}</th><td>${summary.count.toLocaleString('en')}</td>${cells}</tr>`]
    }),
  )
  if (rows.length === 0) return ''
  return `<h2>In numbers</h2><div class="scroll"><table><thead><tr><th></th><th>count</th><th>median</th><th>99 of 100 within</th><th>most</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function plotData({ unit, lines, measures }: PlotState, began: number): object {
  return {
    unit,
    lines: lines.map(({ label }, i) => {
      const points = measures[i]?.points() ?? []
      return { label, x: points.map(({ at }) => rounded((at - began) / 1000, 1e4)), y: points.map(({ value }) => rounded(value, 1e3)) }
    }),
  }
}

const rounded = (value: number, steps: number): number => Math.round(value * steps) / steps

/** Marks that would lie closer than this part of the whole are one. */
const APART = 1 / 250

/** Turns of the story, as they are drawn into the plots. */
function marks(state: ReportState, began: number): readonly object[] {
  const apart = (ending(state) - began) * APART
  let last = -Infinity
  return state.story.flatMap(({ at, weight }) => {
    if (weight === 'plain' || at - last < apart) return []
    last = at
    return [{ at: (at - began) / 1000, weight }]
  })
}
