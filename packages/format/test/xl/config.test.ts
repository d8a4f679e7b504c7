import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { configKind, summariseConfig } from '../../src/xl/config.ts'

const guest = {
  c_info: { type: 'hvm', name: 'h1', uuid: '3000d173-bf69-4c7d-8697-2601a906047e' },
  b_info: { max_vcpus: 4, avail_vcpus: [0, 1], max_memkb: 32768, target_memkb: 16384, 'type.hvm': { bios: 'seabios' }, kernel: '/boot/vmlinuz' },
  disks: [
    { pdev_path: '/tmp/h1.img', vdev: 'hda', backend: 'qdisk', format: 'raw', readwrite: 1 },
    { vdev: 'hdc', readwrite: 'False' },
    { readwrite: 'perhaps' },
  ],
  nics: [{ mac: '00:16:3e:00:00:01', bridge: 'xenbr0', model: 'e1000' }],
  on_reboot: 'restart',
  on_crash: 'preserve',
}

describe('a configuration in libxl’s JSON', () => {
  it('tells what the domain is made of', () => {
    expect(summariseConfig(`${JSON.stringify(guest)}\0`)).toMatchObject({
      kind: 'json',
      name: 'h1',
      uuid: '3000d173-bf69-4c7d-8697-2601a906047e',
      type: 'hvm',
      memoryKiB: 16384,
      maxMemoryKiB: 32768,
      vcpus: 2,
      maxVcpus: 4,
      kernel: '/boot/vmlinuz',
      firmware: 'seabios',
      onReboot: 'restart',
      onCrash: 'preserve',
      disks: [
        { vdev: 'hda', path: '/tmp/h1.img', backend: 'qdisk', format: 'raw', writable: true },
        { vdev: 'hdc', writable: false },
        { writable: undefined },
      ],
      nics: [{ mac: '00:16:3e:00:00:01', bridge: 'xenbr0', model: 'e1000' }],
    })
  })
  it('keeps the type with the build information in older versions', () => {
    expect(summariseConfig('{"b_info": {"type": "pv", "type.pv": {"kernel": "/k", "cmdline": "quiet"}}}')).toMatchObject({ type: 'pv', kernel: '/k', cmdline: 'quiet' })
  })
  it.each([
    ['is empty', '{}'],
    ['is cut', '{"c_info": {"na'],
    ['has values of other kinds', '{"c_info": {"name": 1, "type": "arm", "uuid": null}, "b_info": [1], "disks": {}, "nics": 7}'],
    ['has names of the language’s own', '{"__proto__": {"c_info": {"name": "x"}}, "c_info": {"constructor": "y"}}'],
    ['has numbers out of reach', '{"b_info": {"target_memkb": 1e999, "max_vcpus": 0.5}}'],
  ])('tells nothing but does not fail when it %s', (_, text) => {
    expect(JSON.parse(JSON.stringify(summariseConfig(text)))).toEqual({ kind: 'json', disks: [], nics: [] })
  })
  it('may have lists of anything', () => {
    expect(summariseConfig('{"disks": [null, 1, "x", [], {"readwrite": 0}], "nics": [false]}')).toMatchObject({ disks: [{}, {}, {}, {}, { writable: false }], nics: [{}] })
  })
  it('does not fail however deep it is', () => {
    expect(summariseConfig('{"a":'.repeat(200_000)).kind).toBe('json')
  })
})

describe('a configuration as xl.cfg text', () => {
  it('tells what stands on single lines', () => {
    const text = '# a guest\nname = "web"\nuuid=\'u\'\ntype="pvh"\nmemory = 512\nmaxmem=1024 # MiB\nvcpus = "2"\nmaxvcpus=4\nkernel="/k"\nextra="quiet"\ndisk = [\n  "phy:/dev/x,xvda,w" ]\n = 1\nrubbish'
    expect(summariseConfig(text)).toMatchObject({
      kind: 'text',
      name: 'web',
      uuid: 'u',
      type: 'pvh',
      memoryKiB: 512 * 1024,
      maxMemoryKiB: 1024 * 1024,
      vcpus: 2,
      maxVcpus: 4,
      kernel: '/k',
      cmdline: 'quiet',
      disks: [],
      nics: [],
    })
  })
  it('may say builder instead of type, and bios instead of firmware', () => {
    expect(summariseConfig('builder="HVM"\nbios="ovmf"\ncmdline="x"')).toMatchObject({ type: 'hvm', firmware: 'ovmf', cmdline: 'x' })
  })
  it('tells nothing of lines that are not plain settings', () => {
    expect(JSON.parse(JSON.stringify(summariseConfig('name = web\nuuid = "u\nmemory = lots\nvcpus =\nmaxmem = 1234567890123')))).toEqual({ kind: 'text', disks: [], nics: [] })
  })
  it('does not fail whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(summariseConfig(text).kind).toBe(configKind(text))
    }))
  })
})
