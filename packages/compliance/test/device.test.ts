import { deviceCases, type DeviceBench } from '@xen-replication/compliance'
import { describe, expect, it } from 'vitest'
import { tinyDevice } from './tiny/tiny-device.ts'

const open = (fault = '') => (): Promise<DeviceBench> => Promise.resolve(tinyDevice(fault))

describe('a device that keeps its promises', () => {
  for (const one of deviceCases) it(one.name, () => one.run(open()))
})

/** For each case a way to break it. */
const mutants: Readonly<Record<string, string>> = {
  'a device that nobody holds back is seen at once': 'always-holds',
  'nothing is seen before its epoch is committed': 'early',
  'a commit lets out its epoch in order, and nothing of the next': 'reversed one-epoch',
  'an epoch may be committed while the next ones are already over': 'commits-last',
  'a later commit stands for the earlier ones': 'commits-exactly',
  'committing again, or something older, changes nothing': 'commits-all-again',
  'an epoch in which nothing happened may be committed': 'refuses-empty',
  'what is dropped in the end is never seen': 'never-drops',
  'what is released in the end is seen, in order, and so is what comes after': 'holds-on',
  'a device can be held back again, and epochs count from 0 again': 'epochs-go-on keeps-dropped',
}

describe('a device that breaks a promise is caught', () => {
  it.each(Object.entries(mutants).flatMap(([name, faults]) => faults.split(' ').map((fault) => [fault, name] as const)))('%s by: %s', async (fault, name) => {
    await expect(deviceCases.find((one) => one.name === name)?.run(open(fault))).rejects.toThrow()
  })

  it('whichever it is', () => expect(deviceCases.map(({ name }) => name)).toEqual(Object.keys(mutants)))
})
