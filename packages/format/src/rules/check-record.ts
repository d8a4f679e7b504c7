import type { Soon } from '../bytes/soon.ts'
import { viewOf } from '../bytes/struct.ts'
import { LIBXC_BODY_MAX, PAGE_SIZE } from '../bytes/limits.ts'
import { OPTIONAL_RECORD, XC } from '../libxc/record-types.ts'
import { checkContext } from './check-hvm-context.ts'
import { checkVcpu } from './check-vcpu.ts'
import { checkP2mFrames, checkPvInfo } from './check-pv.ts'
import { needsStaticEnd, type RecordScene } from './scene.ts'

/** How one record type is judged. `length` alone when bodies are not read, then `content`. */
interface RecordRule {
  readonly guest?: 'pv' | 'hvm'
  readonly length?: (scene: RecordScene) => void
  readonly content?: (scene: RecordScene, body: Uint8Array) => void
}

const empty: RecordRule = { length: ({ record, report }) => record.length > 0 && report('XC_BODY_NOT_EMPTY', `${record.name}, ${record.length} bytes`) }

/** One row a record type; PAGE_DATA and CHECKPOINT have more to them, see check-pages.ts and verifier.ts. */
const table = new Map<number, RecordRule>([
  [XC.END, empty],
  [XC.PAGE_DATA, {}],
  [XC.VERIFY, { ...empty, content: ({ image }) => void (image.verifying = true) }],
  [XC.CHECKPOINT, empty],
  [XC.STATIC_DATA_END, { length: (scene) => [empty.length?.(scene), staticEnd(scene)] }],
  [XC.X86_PV_INFO, { guest: 'pv', content: checkPvInfo }],
  [XC.X86_PV_P2M_FRAMES, { guest: 'pv', length: p2mOrder, content: checkP2mFrames }],
  [XC.X86_PV_VCPU_BASIC, { guest: 'pv', content: checkVcpu }],
  [XC.X86_PV_VCPU_EXTENDED, { guest: 'pv', content: checkVcpu }],
  [XC.X86_PV_VCPU_XSAVE, { guest: 'pv', content: checkVcpu }],
  [XC.X86_PV_VCPU_MSRS, { guest: 'pv', content: checkVcpu }],
  [XC.SHARED_INFO, { guest: 'pv', length: sharedInfo }],
  [XC.X86_TSC_INFO, { length: fixed(24, 'XC_TSC_LENGTH'), content: tscReserved }],
  [XC.HVM_CONTEXT, { guest: 'hvm', length: hvmContext, content: checkContext }],
  [XC.HVM_PARAMS, { guest: 'hvm', content: hvmParams }],
  [XC.TOOLSTACK, { length: ({ report }) => report('XC_TOOLSTACK') }],
  [XC.CHECKPOINT_DIRTY_PFN_LIST, { length: ({ report }) => report('XC_DIRTY_LIST_FORWARD') }],
  [XC.X86_CPUID_POLICY, { length: policy(24, 'XC_CPUID_LENGTH') }],
  [XC.X86_MSR_POLICY, { length: policy(16, 'XC_MSR_LENGTH') }],
])

/** Judges a libxc record by its own and by what came before it. */
export function checkRecord(scene: RecordScene, depth: 'headers' | 'rules' | 'data'): Soon<void> {
  const { record, image, report } = scene
  if (record.length > LIBXC_BODY_MAX) report('XC_LENGTH_MAX', `${record.length} bytes`)
  const rule = table.get(record.type)
  if (rule === undefined) return unknown(scene)
  if (rule.guest !== undefined && image.guest !== 'unknown' && rule.guest !== image.guest) {
    report('XC_FOREIGN_RECORD', `${record.name} in ${image.guest === 'pv' ? 'a PV' : 'an HVM'} image`)
  }
  rule.length?.(scene)
  // What a PV guest's records say is needed to judge the order of others, so they are read at any depth; they are small.
  if (rule.content === undefined || (depth === 'headers' && rule.guest !== 'pv') || record.length > LIBXC_BODY_MAX) return
  return checkContent(scene, rule.content)
}

async function checkContent(scene: RecordScene, check: NonNullable<RecordRule['content']>): Promise<void> {
  const body = await scene.record.body.all()
  if (body.length === scene.record.length) check(scene, body)
}

function unknown({ record, buffering, report }: RecordScene): void {
  const type = `type 0x${record.type.toString(16)}`
  if (record.type < OPTIONAL_RECORD) return report('XC_UNKNOWN_MANDATORY', type)
  report('XC_UNKNOWN_OPTIONAL', type)
  if (buffering) report('XC_OPTIONAL_IN_CHECKPOINT', type)
}

function staticEnd({ image, report }: RecordScene): void {
  if (image.version === 2) report('XC_STATIC_END_V2')
  if (image.staticEnd === 'yes') report('XC_STATIC_END_TWICE')
  image.staticEnd = 'yes'
}

function p2mOrder(scene: RecordScene): void {
  needsStaticEnd(scene)
  if (scene.image.width === undefined) scene.report('XC_PV_INFO_MISSING', scene.record.name)
}

function sharedInfo({ image, record, report }: RecordScene): void {
  if (image.width === undefined) report('XC_PV_INFO_MISSING', record.name)
  if (record.length !== PAGE_SIZE) report('XC_SHARED_INFO_LENGTH', `${record.length} bytes`)
}

function fixed(size: number, code: 'XC_TSC_LENGTH') {
  return ({ record, report }: RecordScene): void => {
    if (record.length !== size) report(code, `${record.length} bytes`)
  }
}

function tscReserved({ report }: RecordScene, body: Uint8Array): void {
  if (body.length === 24 && viewOf(body).getUint32(20, true) !== 0) report('XC_TSC_RESERVED')
}

function hvmContext({ image, record, report }: RecordScene): void {
  if (record.length === 0) report('XC_HVM_CONTEXT_EMPTY')
  image.hvmContext = true
}

function hvmParams({ record, report }: RecordScene, body: Uint8Array): void {
  if (body.length < 8) return report('XC_PARAMS_SHORT', `${body.length} bytes`)
  const view = viewOf(body)
  const count = view.getUint32(0, true)
  if (view.getUint32(4, true) !== 0) report('XC_PARAMS_RESERVED')
  if (body.length !== 8 + 16 * count) report('XC_PARAMS_LENGTH', `${count} counted, ${record.length} bytes`)
  else if (count === 0) report('XC_PARAMS_NONE')
}

function policy(entry: number, code: 'XC_CPUID_LENGTH' | 'XC_MSR_LENGTH') {
  return ({ image, record, report }: RecordScene): void => {
    if (record.length === 0 || record.length % entry !== 0) report(code, `${record.length} bytes`)
    if (image.version === 2) report('XC_POLICY_V2', record.name)
    else if (image.staticEnd !== 'no') report('XC_POLICY_LATE', record.name)
  }
}
