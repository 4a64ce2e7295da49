import { writeFileSync } from 'node:fs'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import { nativeData } from '../lib/data/storage.js'
import { type Matrix, type StorageType, writeNpy } from '../lib/index.js'

/** The bytes of a matrix's numbers, as they are stored. */
export function bytesIn({ data, type }: Matrix): Buffer {
  const { buffer, byteOffset, byteLength } = nativeData(data, type)
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}

const DTYPES: Record<StorageType, string> = {
  uint8: 'U8',
  int8: 'I8',
  uint16: 'U16',
  int16: 'I16',
  uint32: 'U32',
  int32: 'I32',
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
}

/** A safetensors file made by hand, as Python's package writes it: arrays one after another, a header padded to 8 bytes. */
export function safetensorsBytes(arrays: readonly (readonly [name: string, x: Matrix])[]): Buffer {
  const header: Record<string, unknown> = {}
  let end = 0
  for (const [name, x] of arrays) {
    const begin = end
    end += bytesIn(x).length
    header[name] = { dtype: DTYPES[x.type], shape: [x.rows, x.cols], data_offsets: [begin, end] }
  }
  const text = Buffer.from(JSON.stringify(header))
  const padded = Math.ceil(text.length / 8) * 8
  const start = Buffer.alloc(8 + padded, ' ')
  start.writeBigUInt64LE(BigInt(padded))
  start.set(text, 8)
  return Buffer.concat([start, ...arrays.map(([, x]) => bytesIn(x))])
}

/** An IDX file of bytes. */
export function idxBytes(x: Matrix, dimensions: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length)
  header.set([0, 0, x.type === 'int8' ? 9 : 8, dimensions.length])
  for (const [k, size] of dimensions.entries()) header.writeUInt32BE(size, 4 + 4 * k)
  return Buffer.concat([header, bytesIn(x)])
}

/** Writes a matrix as a file or folder of a format, and says how it is opened. */
export const FORMATS: Record<string, (path: string, x: Matrix) => Promise<object>> = {
  npy: async (path, x) => {
    await writeNpy(path, x)
    return {}
  },
  safetensors: async (path, x) => {
    writeFileSync(path, safetensorsBytes([['x', x]]))
    return {}
  },
  'one of several tensors': async (path, x) => {
    writeFileSync(
      path,
      safetensorsBytes([
        ['before', x],
        ['x', x],
        ['after', x],
      ]),
    )
    return { tensor: 'x' }
  },
  raw: async (path, x) => {
    writeFileSync(path, Buffer.concat([Buffer.alloc(7), bytesIn(x)]))
    return { raw: { type: x.type, cols: x.cols, offset: 7 } }
  },
  'folder of one shard': async (path, x) => {
    await writeShards(path, [x], {}, 2 ** 20)
    return {}
  },
  'folder of a shard a row': async (path, x) => {
    await writeShards(path, [x], {}, 1)
    return {}
  },
}
