import './register.mjs'

await import('./fuzz.ts')
