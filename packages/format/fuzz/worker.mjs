import { parentPort, workerData } from 'node:worker_threads'
import './register.mjs'

const { begun, ...plan } = workerData
const { fuzz } = await import('./runs.ts')
const onRun = (run) => {
  Atomics.store(begun, 0, run)
  Atomics.add(begun, 1, 1)
}
parentPort.postMessage(await fuzz({ ...plan, onRun }))
