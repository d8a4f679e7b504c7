import { kinds } from '../domains/bench.ts'
import { provesMatrix } from './matrix.ts'

for (const spec of kinds.filter(({ kind }) => kind !== 'pv')) provesMatrix(spec)
