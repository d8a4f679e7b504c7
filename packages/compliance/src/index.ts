export { check, type Bench, type Case } from './case.ts'
export { linkOf, storedLinkOf, type LinkBench, type LinkTraits, type ListenBench } from './transport/link-bench.ts'
export { addressCases, listenCases } from './transport/listen-cases.ts'
export { linkCases } from './transport/transport-cases.ts'
