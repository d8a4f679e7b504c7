import { addressCases, linkCases, linkOf, listenCases, storedLinkOf, type LinkBench, type ListenBench } from '@xen-replication/compliance'
import type { Channel, Transport } from '@xen-replication/plugin-api'
import { execTransport, fdTransport, fileTransport, sshTransport, tcpTransport, throttled, tlsTransport, unixTransport } from '@xen-replication/transports'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { makeCertificates } from './certificates.ts'
import { never, tempDir, type TempDir } from './temp-dir.ts'

const options = { connectTimeoutMs: 5000 }
const nothing = (): Promise<void> => Promise.resolve()

function withDir(make: (dir: TempDir) => ListenBench): () => Promise<ListenBench> {
  return () => {
    const dir = tempDir()
    return Promise.resolve({ ...make(dir), close: () => Promise.resolve(dir.remove()) })
  }
}

let certificates: TempDir
let tlsUrl: string
beforeAll(() => {
  certificates = tempDir()
  const { ca, cert, key } = makeCertificates(certificates, 'xr')
  tlsUrl = `ca=${ca}&cert=${cert}&key=${key}`
})
afterAll(() => certificates.remove())

/** Listeners tell where they are, not with which files; whoever dials needs those, too. */
const withTlsFiles = (transport: Transport): Transport => ({
  ...transport,
  dial: (url, signal) => transport.dial(url.includes('?') ? url : `${url}?${tlsUrl}`, signal),
  listen: (url, signal) => transport.listen(url.includes('?') || !url.includes('//') ? url : `${url}?${tlsUrl}`, signal),
})

const sockets: Readonly<Record<string, { loss: 'told' | 'as-end'; open: () => Promise<ListenBench> }>> = {
  'tcp://': { loss: 'told', open: () => Promise.resolve({ transport: tcpTransport(options), url: 'tcp://127.0.0.1:0', close: nothing }) },
  'tcp:// with IPv6': { loss: 'told', open: () => Promise.resolve({ transport: tcpTransport(options), url: 'tcp://[::1]:0', close: nothing }) },
  'tls://': { loss: 'as-end', open: () => Promise.resolve({ transport: withTlsFiles(tlsTransport({ ...options, files: {} })), url: 'tls://127.0.0.1:0', close: nothing }) },
  'unix:': { loss: 'as-end', open: withDir((dir) => ({ transport: unixTransport(options), url: `unix:${dir.path('s')}`, close: nothing })) },
}

describe.each(Object.entries(sockets))('%s', (_, { loss, open }) => {
  for (const one of linkCases({ duplex: true, kind: 'live', loss })) it(one.name, () => one.run(async () => linkOf(await open())))
  for (const one of [...listenCases, ...addressCases]) it(one.name, () => one.run(open))
})

describe('file:', () => {
  const open = withDir((dir) => ({ transport: fileTransport(), url: `file:${dir.path('a file')}`, close: nothing }))
  for (const one of linkCases({ duplex: false, kind: 'stored', loss: 'told' })) it(one.name, () => one.run(async () => storedLinkOf(await open())))
  for (const one of addressCases) it(one.name, () => one.run(open))
})

async function firstOf(transport: Transport, url: string): Promise<Channel> {
  return (await transport.listen(url, never())).accept(never())
}

/** Named pipes cannot say that a writer gave up. */
async function openPipe(): Promise<LinkBench> {
  const dir = tempDir()
  execFileSync('mkfifo', [dir.path('p')])
  const url = `file:${dir.path('p')}`
  const [near, far] = await Promise.all([fileTransport().dial(url, never()), firstOf(fileTransport(), url)])
  return { near, far: () => Promise.resolve(far), close: () => Promise.all([near.close(), far.close()]).then(() => dir.remove()) }
}

describe('file: with a named pipe', () => {
  for (const one of linkCases({ duplex: false, kind: 'live', loss: 'as-end' })) it(one.name, () => one.run(openPipe))
})

/** A pipe as a shell would hand it on. */
async function openFdPipe(): Promise<LinkBench> {
  const dir = tempDir()
  execFileSync('mkfifo', [dir.path('p')])
  const both = openSync(dir.path('p'), constants.O_RDWR)
  const [from, to] = [openSync(dir.path('p'), 'r'), openSync(dir.path('p'), 'w')]
  closeSync(both)
  const near = await fdTransport().dial(`fd:${to}`, never())
  const far = await firstOf(fdTransport(), `fd:${from}`)
  return { near, far: () => Promise.resolve(far), close: () => Promise.all([near.close(), far.close()]).then(() => dir.remove()) }
}

describe('fd: with a pipe', () => {
  for (const one of linkCases({ duplex: false, kind: 'live', loss: 'as-end' })) it(one.name, () => one.run(openFdPipe))
})

describe('fd: with a file', () => {
  const open = async (): Promise<LinkBench> => {
    const dir = tempDir()
    const near = await fdTransport().dial(`fd:${openSync(dir.path('f'), 'w')}`, never())
    const opened: Channel[] = [near]
    const far = async (): Promise<Channel> => {
      const channel = await firstOf(fdTransport(), `fd:${openSync(dir.path('f'), 'r')}`)
      opened.push(channel)
      return channel
    }
    return { near, far, close: () => Promise.all(opened.map((one) => one.close())).then(() => dir.remove()) }
  }
  const cases = linkCases({ duplex: false, kind: 'stored', loss: 'told' })
  for (const one of cases.filter(({ name }) => name !== 'what is not ended is not there')) it(one.name, () => one.run(open)) // a descriptor cannot take bytes back
})

/** Joins what a command does with its input and output to a channel of the test's, over two named pipes. */
async function openCommand(dial: (line: string, dir: TempDir) => Promise<Channel>): Promise<LinkBench> {
  const dir = tempDir()
  execFileSync('mkfifo', [dir.path('there'), dir.path('back')])
  const near = await dial(`cat < ${dir.path('back')} & cat > ${dir.path('there')}; wait`, dir)
  const [there, back] = await Promise.all([firstOf(fileTransport(), `file:${dir.path('there')}`), fileTransport().dial(`file:${dir.path('back')}`, never())])
  const far: Channel = {
    write: (parts) => back.write(parts),
    read: (max) => there.read(max),
    end: () => back.end(),
    close: () => Promise.all([there.close(), back.close()]).then(() => undefined),
  }
  return { near, far: () => Promise.resolve(far), close: () => Promise.all([near.close(), far.close()]).then(() => dir.remove()) }
}

describe('exec:', () => {
  const open = (): Promise<LinkBench> => openCommand((line) => execTransport({ env: process.env }).dial(`exec:${line}`, never()))
  for (const one of linkCases({ duplex: true, kind: 'live', loss: 'as-end' })) it(one.name, () => one.run(open))
  for (const one of addressCases) it(one.name, () => one.run(() => Promise.resolve({ transport: execTransport({ env: {} }), url: 'exec:cat', close: nothing })))
})

describe('ssh://', () => {
  /** Stands in for ssh: runs the last argument as the other end's shell would. */
  const fakeSsh = '#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c "$last"\n'
  const open = (): Promise<LinkBench> =>
    openCommand((line, dir) => {
      mkdirSync(dir.path('bin'))
      writeFileSync(dir.path('bin/ssh'), fakeSsh, { mode: 0o755 })
      const env = { ...process.env, PATH: `${dir.path('bin')}:${process.env['PATH']}` }
      return sshTransport({ env }).dial(`ssh://host/${encodeURIComponent(line)}`, never())
    })
  for (const one of linkCases({ duplex: true, kind: 'live', loss: 'as-end' })) it(one.name, () => one.run(open))
  for (const one of addressCases) it(one.name, () => one.run(() => Promise.resolve({ transport: sshTransport({ env: {} }), url: 'ssh://host', close: nothing })))
})

describe('a link with a limit that is not reached', () => {
  const clock = {
    now: () => performance.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  }
  const open = async (): Promise<LinkBench> => {
    const dir = tempDir()
    const bench = await linkOf({ transport: unixTransport(options), url: `unix:${dir.path('s')}`, close: () => Promise.resolve(dir.remove()) })
    return { ...bench, near: throttled(bench.near, 2e9, clock) }
  }
  for (const one of linkCases({ duplex: true, kind: 'live', loss: 'as-end' })) it(one.name, () => one.run(open))
})
