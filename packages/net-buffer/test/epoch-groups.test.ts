import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { EpochGroups } from '../src/epoch-groups.ts'
import { PlugModel } from './plug-model.ts'

const steps = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant('packet') }, fc.constant('end'), fc.constant('acknowledge'), fc.constant('acknowledge all')), { maxLength: 200 })

/** A guest that sends, epochs that end, and acknowledgements that come late, in order. Epoch of each packet: its index in `epochOf`. */
function run(script: readonly string[], check: (plug: PlugModel, epochOf: readonly number[], acknowledged: number) => void): PlugModel {
  const [plug, groups, epochOf] = [new PlugModel(), new EpochGroups(), [] as number[]]
  let [running, acknowledged] = [0, -1]
  const acknowledge = (epoch: number): void => {
    acknowledged = epoch
    for (const action of groups.commit(epoch)) plug.change(action)
  }
  for (const step of script) {
    if (step === 'packet') plug.enqueue(epochOf.push(running) - 1)
    else if (step === 'end') for (const action of groups.end(running++)) plug.change(action)
    else if (acknowledged < running - 1) acknowledge(step === 'acknowledge' ? acknowledged + 1 : running - 1)
    check(plug, epochOf, acknowledged)
  }
  return plug
}

describe('packets of epochs', () => {
  test.prop([steps])('are never let out before their epoch is acknowledged, and always in order', (script) => {
    run(script, (plug, epochOf, acknowledged) => {
      expect(plug.out.map((packet) => epochOf[packet] as number).every((epoch) => epoch <= acknowledged)).toBe(true)
      expect(plug.out).toEqual(plug.out.map((_, i) => i))
    })
  })

  test.prop([fc.array(fc.nat(5), { maxLength: 50 })])('are all let out with their acknowledgement when it comes before the next epoch ends', (counts) => {
    const script = counts.flatMap((count, i) => [...Array.from({ length: count }, () => 'packet'), ...(i === 0 ? [] : ['acknowledge']), 'end'])
    run([...script, 'acknowledge'], () => undefined)
    let [sent, done] = [0, 0]
    const plug = run(script.concat('acknowledge'), (now, epochOf, acknowledged) => {
      sent = epochOf.length
      done = epochOf.filter((epoch) => epoch <= acknowledged).length
      expect(now.out).toHaveLength(done)
    })
    expect(plug.out).toHaveLength(sent)
  })

  test.prop([steps, fc.integer({ min: 1, max: 3 })])('wait for a few epochs at most once acknowledgements keep up', (script, more) => {
    const late = [...script, 'packet', 'end', 'acknowledge all', 'end', 'acknowledge all', ...Array.from({ length: more }, () => ['end', 'acknowledge all']).flat()]
    let epochs: readonly number[] = []
    const plug = run(late, (_, epochOf) => {
      epochs = [...epochOf]
    })
    expect(plug.out).toHaveLength(epochs.length)
  })

  it('of an epoch that ended or was acknowledged before change nothing', () => {
    const groups = new EpochGroups()
    expect([groups.end(0), groups.end(0), groups.commit(0), groups.commit(0), groups.commit(7)]).toEqual([['block'], [], ['release'], [], []])
  })
})
