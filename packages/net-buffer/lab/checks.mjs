// What has to be so of held packets on a kernel with the plug qdisc. Each check makes its own network and leaves nothing.
import assert from 'node:assert/strict'
import { addresses, eventually, makeNetwork, quiet } from './network.mjs'

const to = addresses.outside

/** @param hold makes a CheckpointDevice for an interface in the host's namespace: `hold(network)`. */
export const checks = (hold) => {
  const on = (name, body, options) => ({
    name,
    run: async () => {
      const network = await makeNetwork(options)
      try {
        await body(network, hold(network))
        assert.deepEqual(network.leftOver(), [], 'something is left on the host')
      } finally {
        await network.remove()
      }
    },
  })
  /** Packets of both protocols, numbered. */
  const emit = async (network, numbers) => {
    for (const n of numbers) await network.guest.send(n % 2 === 0 ? 4 : 6, to[n % 2 === 0 ? 4 : 6], String(n))
  }
  const seen = (network) => network.outside.saw.filter(({ saw }) => saw.startsWith('udp')).map(({ text }) => Number(text))
  const range = (from, count) => Array.from({ length: count }, (_, i) => from + i)

  return [
    on('IPv4 and IPv6 packets wait for their epoch, come in order, and none is lost', async (network, device) => {
      await device.setup()
      for (let epoch = 0; epoch < 5; epoch++) {
        await emit(network, range(100 * epoch, 60))
        await device.postsuspend(epoch)
        await emit(network, range(100 * epoch + 60, 40)) // of the next epoch
        await quiet()
        const [waiting, sent] = [await device.waiting(), epoch === 0 ? 100 : 140]
        assert.ok(waiting >= sent && waiting < sent + 10, `${waiting} packets wait; the guest sent ${sent}, and its kernel a few of its own`)
        assert.deepEqual(seen(network), range(0, epoch === 0 ? 0 : 100 * (epoch - 1) + 60))
        await device.commit(epoch)
        await eventually('the epoch is out', () => seen(network).length >= 100 * epoch + 60)
        await quiet()
        assert.deepEqual(seen(network), range(0, 100 * epoch + 60), 'more than the epoch is out')
      }
      await device.teardown('release')
      await eventually('all are out', () => seen(network).length === 500)
      assert.deepEqual(seen(network), range(0, 500))
    }),
    on('ARP and neighbour discovery wait as well', async (network, device) => {
      await device.setup()
      await emit(network, [0, 1])
      await quiet()
      await device.postsuspend(0)
      assert.deepEqual([network.knowsGuest(4), network.knowsGuest(6)], [false, false], 'the outside has heard of the guest')
      await device.commit(0)
      await eventually('the outside hears of the guest', () => network.knowsGuest(4) && network.knowsGuest(6))
      await quiet()
      assert.deepEqual(seen(network), [], 'packets of the next epoch are out')
      await device.postsuspend(1)
      await device.commit(1)
      await eventually('the packets come', () => seen(network).length === 2)
      await device.teardown('release')
    }, { neighbours: 'unknown' }),
    on('a TCP connection is made and used across epochs, and nothing is seen early', async (network, device) => {
      await device.setup()
      let epoch = 0
      const checkpoint = async () => {
        await device.postsuspend(epoch)
        await device.commit(epoch++)
      }
      await network.guest.connect(to[4])
      await quiet()
      assert.deepEqual(network.outside.saw, [], 'the first packet of the connection is out')
      await eventually('the connection stands', async () => {
        await checkpoint()
        return network.guest.saw.some(({ saw }) => saw === 'connected')
      })
      let text = ''
      for (let i = 0; i < 5; i++) {
        const before = network.outside.texts('tcp').join('')
        await network.guest.write(`part ${i}, `)
        text += `part ${i}, `
        await quiet()
        assert.equal(network.outside.texts('tcp').join(''), before, 'the packet is out')
        await checkpoint()
        await eventually('the packet comes', () => network.outside.texts('tcp').join('') === text)
      }
      await device.teardown('release')
      await network.guest.write('end')
      await eventually('the rest comes', () => network.outside.texts('tcp').join('') === `${text}end`)
    }),
    on('epochs that end before the one before is acknowledged are never let out early, and all in the end', async (network, device) => {
      await device.setup()
      await emit(network, range(0, 10))
      await device.postsuspend(0)
      await emit(network, range(10, 10))
      await device.postsuspend(1)
      await emit(network, range(20, 10))
      await device.postsuspend(2)
      await device.commit(0)
      await eventually('epoch 0 is out', () => seen(network).length === 10)
      await quiet()
      assert.deepEqual(seen(network), range(0, 10))
      await device.commit(2)
      await device.postsuspend(3)
      await device.commit(3)
      await eventually('all are out', () => seen(network).length === 30)
      assert.deepEqual(seen(network), range(0, 30))
      await device.teardown('release')
    }),
    on('packets that are dropped are never seen, and what comes afterwards is', async (network, device) => {
      await device.setup()
      await emit(network, range(0, 20))
      await device.postsuspend(0)
      await emit(network, range(20, 20))
      await device.commit(0)
      await eventually('the epoch is out', () => seen(network).length === 20)
      await device.teardown('drop')
      await quiet()
      await emit(network, [40, 41])
      await eventually('later packets come', () => seen(network).length === 22)
      assert.deepEqual(seen(network), [...range(0, 20), 40, 41])
    }),
    on('what a process that died has left is removed, and its packets are never seen', async (network, dead) => {
      await dead.setup()
      await emit(network, range(0, 10))
      const device = hold(network)
      await device.setup()
      await emit(network, range(10, 10))
      await device.teardown('release')
      await eventually('the packets come', () => seen(network).length === 10)
      assert.deepEqual(seen(network), range(10, 10))
    }),
  ]
}
