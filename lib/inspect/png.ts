import { pipeline, Readable } from 'node:stream'
import { crc32, createDeflate, deflateSync } from 'node:zlib'
import { transferredError } from '../base/data-errors.js'
import type { PlainUint8Array } from '../base/precision.js'
import { checkPath, filePath } from '../data/read-file.js'
import { rowSlices, SCANNED } from '../data/slices.js'
import { writeFileWhole } from '../data/write-file.js'
import { checkImage, type Image } from './image.js'

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** PNG's colour types by number of channels. */
const COLOUR_TYPES = { 1: 0, 3: 2 } as const

/**
 * The bytes of a PNG file, 8 bits a channel.
 *
 * Compressed on the calling thread: some 30 ms for a million bytes of pixels. {@link writePng} leaves the event loop free.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but an image, `ERR_SHAPE` if its bytes do not fit its size
 */
export function encodePng(image: Image): PlainUint8Array {
  const { data, height, ...form } = checkImage('image', image)
  const rows = deflateSync(unfilteredRows(data, data.length / height, 0, height))
  return Uint8Array.from(Buffer.concat(file({ height, ...form }, [rows])))
}

/**
 * Writes a PNG file completely or not at all. Compressed off the JavaScript thread; the image must not be written or transferred until the
 * promise settles.
 *
 * @throws (rejects) {@link LayerwiseError} as {@link encodePng}; `ERR_ARGUMENT`, with the system's error as `cause`, if the file cannot
 *   be written; `ERR_STATE` if the image's buffer is transferred during the call
 */
export async function writePng(path: string | URL, image: Image): Promise<void> {
  checkPath('path', path)
  const place = filePath('write', path)
  const checked = checkImage('image', image)
  const deflated: Buffer[] = []
  // A failure ends the stream that is read here, with its error.
  const stream = pipeline(Readable.from(rowsOf(checked, checked.data.length)), createDeflate(), () => {})
  for await (const piece of stream) deflated.push(piece)
  await writeFileWhole(place, file(checked, deflated))
}

/** @param length - of `data`, in bytes, before any transfer */
async function* rowsOf({ data, height }: Image, length: number): AsyncGenerator<Uint8Array, void> {
  const width = length / height
  for await (const [from, to] of rowSlices(height, width, SCANNED)) {
    if (data.length !== length) throw transferredError('image')
    yield unfilteredRows(data, width, from, to)
  }
}

/** Some rows, each after a byte that names its filter: 0, none. */
function unfilteredRows(data: Uint8Array, width: number, from: number, to: number): Uint8Array {
  const rows = new Uint8Array((to - from) * (width + 1))
  for (let y = from; y < to; y++) {
    rows.set(data.subarray(y * width, (y + 1) * width), (y - from) * (width + 1) + 1)
  }
  return rows
}

/** The parts of a file in order, made from the compressed pieces of its rows. */
function file(
  { width, height, channels }: Omit<Image, 'data'>,
  deflated: readonly Uint8Array[],
): Uint8Array[] {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Deflate, the five filters and no interlacing are the zeros that follow.
  header.set([8, COLOUR_TYPES[channels]], 8)
  return [
    SIGNATURE,
    ...chunk('IHDR', header),
    ...deflated.flatMap((piece) => chunk('IDAT', piece)),
    ...chunk('IEND', new Uint8Array()),
  ]
}

/** A part of the file: its length and name, its contents, and their checksum. */
function chunk(name: string, contents: Uint8Array): Uint8Array[] {
  const start = Buffer.alloc(8)
  start.writeUInt32BE(contents.length, 0)
  start.write(name, 4, 'latin1')
  const end = Buffer.alloc(4)
  end.writeUInt32BE(crc32(contents, crc32(start.subarray(4))))
  return [start, contents, end]
}
