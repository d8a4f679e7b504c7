import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { xr, xrJson } from '../run-xr.ts'

const CAPABILITIES = '/proc/xen/capabilities'
const here = existsSync(CAPABILITIES) && readFileSync(CAPABILITIES, 'utf8').includes('control_d')

describe.skipIf(here)('on a machine that is no Xen host', () => {
  it('xr doctor says so plainly, with what to do, and exits with 7', async () => {
    const { exit, stdout, stderr } = await xr(['doctor'])
    expect([exit, stderr]).toEqual([7, ''])
    expect(stdout).toMatch(/^PROBLEM {2}control domain: this .*\n {9}fix: .*\n\n1 problem, 0 warnings\n$/)
  })

  it('xr doctor --json is a document with one finding', async () => {
    expect(await xrJson('doctor')).toEqual({
      exit: 7,
      document: { schema: 'xr.doctor/1', host: 'elsewhere', findings: [{ check: 'control domain', verdict: 'problem', found: expect.any(String) as string, fix: expect.any(String) as string }] },
    })
  })

  it('guests of Xen are refused, with where to look', async () => {
    const { exit, stderr } = await xr(['list', '--backend', 'xen'])
    expect(exit).toBe(7)
    expect(stderr).toContain('BACKEND_UNSUPPORTED: this is not the control domain of a Xen host')
    expect(stderr).toContain('xr doctor')
  })

  it('xr plugins lists the backend all the same', async () => {
    expect((await xr(['plugins'])).stdout).toMatch(/backend +xen +@xen-replication\/backend-xen/)
  })
})
