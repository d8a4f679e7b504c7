import type { Json } from '../../bytes/field.ts'
import { headerCodec, libxcCodec, libxlCodec } from '../../frame/catalogue.ts'
import { describeBody, type BodyDescription } from '../../frame/describe.ts'
import { hvmParams } from '../../libxc/hvm-params.ts'
import { XC, xcRecordName } from '../../libxc/record-types.ts'
import { XL2 } from '../../libxl/record-types.ts'
import type { ImageBytes, Place } from '../image-bytes.ts'
import type { Snapshot } from '../snapshot.ts'

type Tree = { [key: string]: Json }

/** Headers of all layers by name. The `xl` file's block is left out: its configuration is compared by itself. */
export function headerTree({ headers }: Snapshot): Json {
  const tree: Tree = {}
  if (headers.xl !== undefined) tree['xl'] = valueOf(describeBody(headerCodec('xl-header'), headers.xl))
  if (headers.libxl !== undefined) tree['libxl'] = valueOf(describeBody(headerCodec('libxl-header'), headers.libxl))
  tree['libxc'] = valueOf(describeBody(headerCodec('image-header'), headers.image))
  tree['domain'] = valueOf(describeBody(headerCodec('domain-header'), headers.domain))
  return tree
}

/**
 * Everything about the guest but its memory and its device model’s own state, by names: the static data, the p2m’s place, the clock, the
 * vCPUs, the virtual hardware, the parameters, the device model’s xenstore keys. A body that has no names is hexadecimal.
 */
export function stateTree(image: ImageBytes, snapshot: Snapshot): Json {
  const tree: Tree = {}
  for (const { type, body } of snapshot.staticData) tree[nameOf(type)] = keyedRows(type, bodyOf(image, type, body))
  snapshot.p2mFrames.forEach((body, i) => (tree[`X86_PV_P2M_FRAMES${i === 0 ? '' : `#${i}`}`] = bodyOf(image, XC.X86_PV_P2M_FRAMES, body)))
  if (snapshot.tsc !== undefined) tree['X86_TSC_INFO'] = bodyOf(image, XC.X86_TSC_INFO, snapshot.tsc)
  if (snapshot.sharedInfo !== undefined) tree['SHARED_INFO'] = bodyOf(image, XC.SHARED_INFO, snapshot.sharedInfo)
  for (const [vcpu, records] of snapshot.vcpus) tree[`vcpu${vcpu}`] = vcpuTree(image, records)
  if (snapshot.hvmContext !== undefined) tree['HVM_CONTEXT'] = keyed(bodyOf(image, XC.HVM_CONTEXT, snapshot.hvmContext), saveRecordKey, (row) => row['value'] ?? row['raw'])
  if (snapshot.params.length > 0) tree['HVM_PARAMS'] = keyed(hvmParams.toJson(snapshot.params), (row) => text(row['name'] ?? row['index']))
  if (snapshot.emulatorXenstore !== undefined) tree['EMULATOR_XENSTORE_DATA'] = xenstoreTree(image, snapshot.emulatorXenstore)
  return tree
}

function vcpuTree(image: ImageBytes, records: ReadonlyMap<number, Place>): Json {
  return Object.fromEntries([...records].map(([type, body]) => [nameOf(type).replace('X86_PV_VCPU_', ''), bodyOf(image, type, body)]))
}

function xenstoreTree(image: ImageBytes, place: Place): Json {
  const value = valueOf(describeBody(libxlCodec(XL2.EMULATOR_XENSTORE_DATA), image.pread(place.at, place.length)))
  const entries = rowOf(value)['entries']
  return entries === undefined ? value : keyed(entries, (row) => text(row['key']))
}

const nameOf = (type: number): string => xcRecordName(type) as string

const bodyOf = (image: ImageBytes, type: number, { at, length }: Place): Json => valueOf(describeBody(libxcCodec(type), image.pread(at, length)))

const valueOf = (description: BodyDescription): Json => ('value' in description ? description.value : description.raw)

/** Policies by leaf or register instead of by their place in the list. */
const keyedRows = (type: number, value: Json): Json => {
  if (type === XC.X86_CPUID_POLICY) return keyed(value, (row) => `${text(row['leaf'])}.${text(row['subleaf'])}`)
  return type === XC.X86_MSR_POLICY ? keyed(value, (row) => text(row['name'] ?? row['index'])) : value
}

const saveRecordKey = (row: Tree): string => `${text(row['name'] ?? row['typecode'])}${text(row['instance'])}`

/** A list as an object, so that its rows are compared by what they are about. A second row of the same key gets a number. */
function keyed(value: Json, keyOf: (row: Tree) => string, partOf: (row: Tree) => Json | undefined = () => undefined): Json {
  if (!Array.isArray(value)) return value
  const tree: Tree = {}
  for (const row of value as readonly Json[]) {
    const key = keyOf(rowOf(row))
    let free = key
    for (let n = 2; Object.hasOwn(tree, free); n++) free = `${key}#${n}`
    tree[free] = partOf(rowOf(row)) ?? row
  }
  return tree
}

const rowOf = (value: Json): Tree => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : {})
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value))
