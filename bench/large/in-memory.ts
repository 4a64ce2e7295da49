import { open } from 'node:fs/promises'
import { Matrix } from '../../lib/index.js'
import type { Job } from './job.js'

const ARRAYS = { uint8: Uint8Array, float16: Uint16Array, float32: Float32Array }
/** Bytes of one read. */
const CHUNK = 2 ** 26

/** The rows of a job in memory, stored as they are in the files. */
export async function inMemory({ segments, rows, inputs, type, scale }: Job): Promise<Matrix> {
  const data = new ARRAYS[type](rows * inputs)
  const bytes = new Uint8Array(data.buffer)
  const rowBytes = inputs * data.BYTES_PER_ELEMENT
  let at = 0
  for (const { path, offset, rows: count } of segments) {
    const file = await open(path)
    const end = at + count * rowBytes
    for (let place = offset; at < end; ) {
      const part = bytes.subarray(at, Math.min(at + CHUNK, end))
      const { bytesRead } = await file.read(part, 0, part.length, place)
      if (bytesRead === 0) throw new Error(`${path} ends too early`)
      at += bytesRead
      place += bytesRead
    }
    await file.close()
  }
  return Matrix.from(data, rows, inputs, { type, ...(type === 'uint8' && { scale }) })
}
