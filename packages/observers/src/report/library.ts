import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** What draws the plots: uPlot, with its licence, as it goes into a page. */
export interface PlotLibrary {
  readonly script: string
  readonly style: string
}

/** @throws Error when the package `uplot` is not installed as it should be */
export function plotLibrary(): PlotLibrary {
  const dist = dirname(createRequire(import.meta.url).resolve('uplot'))
  const text = (name: string): string => readFileSync(join(dist, name), 'utf8')
  const licence = text('../LICENSE').trim().replaceAll('*/', '* /')
  return { script: `/*!\nuPlot: ${licence}\n*/\n${text('uPlot.iife.min.js')}`, style: text('uPlot.min.css') }
}
