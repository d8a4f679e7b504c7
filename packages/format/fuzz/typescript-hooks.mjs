import { readFile } from 'node:fs/promises'
import ts from 'typescript'

// Lets node 20 run the sources as they are, those of the other packages too, so that fuzzing needs no build.

const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true, inlineSourceMap: true }

export const resolve = (specifier, context, next) => next(specifier, { ...context, conditions: [...context.conditions, '@xen-replication/source'] })

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const source = ts.transpileModule(await readFile(new URL(url), 'utf8'), { compilerOptions, fileName: url }).outputText
  return { format: 'module', shortCircuit: true, source }
}
