import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server, and can lose what the server says. */
export interface CutProxy {
  /** HOST:PORT. */
  readonly address: string
  /** From now on answers do not arrive: `reset` cuts the connection when one comes, `silence` keeps it and says nothing. */
  lose(how: 'nothing' | 'reset' | 'silence'): void
  /** How many answers were lost. */
  readonly lost: number
  close(): Promise<void>
}

export async function cutProxy(to: string): Promise<CutProxy> {
  const [host, port] = to.split(':') as [string, string]
  const sockets = new Set<Socket>()
  const state = { how: 'nothing' as 'nothing' | 'reset' | 'silence', lost: 0 }
  const server = createServer((client) => {
    const upstream = connect(Number(port), host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      if (state.how === 'nothing') return client.write(bytes)
      state.lost += 1
      if (state.how === 'reset') client.resetAndDestroy()
      return undefined
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    lose: (how) => {
      state.how = how
    },
    get lost() {
      return state.lost
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
