import { parentPort } from 'node:worker_threads'
import { runBlock, type Block } from './block.ts'
import { lightenPlatform } from './light-platform.ts'

lightenPlatform()

/** Plays what it is sent, block by block. */
parentPort?.on('message', (block: Block) => {
  void runBlock(block).then((result) => parentPort?.postMessage(result))
})
