// One end of the traffic, run inside a network namespace. Takes commands as JSON lines on its standard input and tells what it sees as JSON lines.
//   {"do":"send","family":4,"to":ADDRESS,"text":T}   one UDP packet
//   {"do":"connect","to":ADDRESS}, {"do":"write","text":T}   TCP
// It listens at port 7000 for UDP over both protocols, and for TCP.
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

const PORT = 7000
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

// one socket takes both, so that packets are seen in the order in which they come
const both = createSocket('udp6')
both.on('message', (bytes, { address }) => tell({ saw: address.startsWith('::ffff:') ? 'udp4' : 'udp6', text: bytes.toString() }))
await new Promise((resolve) => both.bind(PORT, resolve))
const sockets = { 4: createSocket('udp4'), 6: both }
const server = createServer((peer) => {
  tell({ saw: 'connection' })
  peer.on('error', () => undefined)
  peer.on('data', (bytes) => {
    tell({ saw: 'tcp', text: bytes.toString() })
    peer.write('.')
  })
})
await new Promise((resolve) => server.listen(PORT, '::', resolve))

let stream
const orders = {
  send: ({ family, to, text, id }) => sockets[family].send(text, PORT, to, (error) => tell({ done: id, error: error?.message })),
  connect: ({ to, id }) => {
    stream = connect(PORT, to)
    stream.setNoDelay(true)
    stream.once('connect', () => tell({ saw: 'connected' }))
    stream.on('data', (bytes) => tell({ saw: 'answered', text: bytes.toString() }))
    stream.on('error', (error) => tell({ saw: 'failure', text: error.message }))
    tell({ done: id })
  },
  write: ({ text, id }) => {
    stream.write(text)
    tell({ done: id })
  },
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line)
  orders[order.do](order)
}).on('close', () => process.exit(0))
tell({ saw: 'ready' })
