// Packs captured streams and the small test vectors into the form in which they stand in the repository.
//
//   node tools/make-fixtures.mjs vectors DIR       DIR holds manifest.json and the .bin files
//   node tools/make-fixtures.mjs corpus DIR        DIR holds captures (*.fwd, *.xl, with or without .skel), unpacked, and their .back files
//   node tools/make-fixtures.mjs image FILE OUT    one image as a skeleton, packed
//
// Build packages/format first: the walk over a stream is its own.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const PAGE = 4096
const packageDir = new URL('../packages/format/', import.meta.url).pathname
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const pack = (bytes) => gzipSync(bytes, { level: 9, memLevel: 9 })
/** Tables of a million page entries pack ten times better so than with gzip. */
const packSmall = (bytes) =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`)

/** What a restorer or the verifier does in the end: an abort and a failing script let no guest in either. */
const verdict = (text) => (text.startsWith('accept') ? 'accept' : 'reject')

function packVectors(dir) {
  const out = join(packageDir, 'vectors')
  mkdirSync(out, { recursive: true })
  const infos = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')).map((entry) => {
    const bytes = readFileSync(join(dir, entry.file))
    if (sha256(bytes) !== entry.sha256) throw new Error(`${entry.file} is not what the manifest says`)
    writeFileSync(join(out, `${entry.name}.bin.gz`), pack(bytes))
    return {
      name: entry.name,
      format: entry.format,
      domain: entry.domain,
      streamType: entry.stream_type,
      wellformed: entry.wellformed,
      xen: verdict(entry.c.verdict),
      verifier: verdict(entry.verdict),
      reason: entry.reason,
      size: entry.size,
      sha256: entry.sha256,
    }
  })
  writeJson(join(out, 'vectors.json'), infos)
  for (const name of readdirSync(dir).filter((file) => file.endsWith('.trace.txt'))) writeFileSync(join(out, name), readFileSync(join(dir, name)))
}

/** Zeroes the contents of ordinary pages in place; page tables stay. Returns what the stream is made of. */
async function skeletonOf(bytes) {
  const at = (path) => import(join(packageDir, 'dist', path))
  const [{ walk }, { ByteReader }, { sourceOfBytes }, { hasContent, tableLevel }] = await Promise.all([
    at('image/walk.js'),
    at('bytes/byte-reader.js'),
    at('bytes/byte-source.js'),
    at('libxc/page-data.js'),
  ])
  const seen = { records: 0, libxc: 0, libxl: 0, checkpoints: 0, pages: 0, contents: 0 }
  for await (const item of walk(new ByteReader(sourceOfBytes(bytes)))) {
    if (item.kind === 'stop') return { ...seen, end: item.reason, inCheckpoint: item.inCheckpoint, endOffset: item.offset }
    if (item.kind !== 'record') continue
    seen.records++
    seen[item.layer]++
    if (item.layer === 'libxc' && item.name === 'CHECKPOINT') seen.checkpoints++
    if (item.pages === undefined) continue
    seen.pages += item.pages.count
    seen.contents += item.pages.contents
    let from = item.offset + 8 + 8 + 8 * item.pages.count
    for (let i = 0; i < item.pages.count; i++) {
      if (!hasContent(item.pages.type(i))) continue
      if (tableLevel(item.pages.type(i)) === 0) bytes.fill(0, Math.min(from, bytes.length), Math.min(from + PAGE, bytes.length))
      from += PAGE
    }
  }
}

async function packCorpus(dir) {
  const out = join(packageDir, 'corpus')
  mkdirSync(out, { recursive: true })
  const infos = []
  for (const file of readdirSync(dir).sort()) {
    const bytes = readFileSync(join(dir, file))
    if (file.endsWith('.back')) {
      writeFileSync(join(out, file), bytes)
      continue
    }
    const name = file.replace(/\.skel$/, '')
    const { end, inCheckpoint, endOffset, ...counts } = await skeletonOf(bytes)
    writeFileSync(join(out, `${name}.skel.br`), packSmall(bytes))
    const back = readdirSync(dir).find((other) => other === name.replace(/fwd$/, 'back') && other !== file) ?? null
    infos.push({ name, back, size: bytes.length, sha256: sha256(bytes), ...counts, end, inCheckpoint, trailing: bytes.length - endOffset })
  }
  writeJson(join(out, 'index.json'), infos)
}

async function packImage(file, out) {
  const bytes = readFileSync(file)
  await skeletonOf(bytes)
  writeFileSync(out, pack(bytes))
}

const [what, ...paths] = process.argv.slice(2)
if (what === 'vectors') packVectors(...paths)
else if (what === 'corpus') await packCorpus(...paths)
else if (what === 'image') await packImage(...paths)
else throw new Error('vectors DIR, corpus DIR or image FILE OUT')
