import { crc32, deflateSync } from 'node:zlib'
import { writeFileWhole } from '../data/write-file.js'
import { checkImage, type Image } from './image.js'

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** PNG's codes of what a pixel is, by its number of channels. */
const COLOUR_TYPES = { 1: 0, 3: 2 } as const

/**
 * The bytes of a PNG file, 8 bits a channel.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but an image, `ERR_SHAPE` if its bytes do not fit its size
 */
export function encodePng(image: Image): Uint8Array {
  const { width, height, channels, data } = checkImage('image', image)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Deflate, the five filters and no interlacing are the zeros that follow.
  header.set([8, COLOUR_TYPES[channels]], 8)
  const rows = deflateSync(unfilteredRows(data, height))
  const parts = [SIGNATURE, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND')]
  return Uint8Array.from(Buffer.concat(parts))
}

/** Each row after a byte that names its filter: 0, none. */
function unfilteredRows(data: Uint8Array, height: number): Uint8Array {
  const length = data.length / height
  const rows = new Uint8Array(data.length + height)
  for (let y = 0; y < height; y++) rows.set(data.subarray(y * length, (y + 1) * length), y * (length + 1) + 1)
  return rows
}

/** A part of the file: its length, its name and contents, and their checksum. */
function chunk(name: string, contents: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Buffer.alloc(contents.length + 12)
  bytes.writeUInt32BE(contents.length, 0)
  bytes.write(name, 4, 'latin1')
  bytes.set(contents, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), contents.length + 8)
  return bytes
}

/**
 * Writes a PNG file: whole, or not at all.
 *
 * @throws (rejects) {@link LayerwiseError} as {@link encodePng}; `ERR_ARGUMENT`, with the system's error as `cause`, if the file
 * cannot be written
 */
export async function writePng(path: string | URL, image: Image): Promise<void> {
  await writeFileWhole(path, [encodePng(image)])
}
