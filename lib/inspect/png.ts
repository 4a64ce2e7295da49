import { encode } from 'fast-png'
import { writeFileWhole } from '../data/write-file.js'
import { checkImage, type Image } from './image.js'

/**
 * The bytes of a PNG file, 8 bits a channel.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but an image, `ERR_SHAPE` if its bytes do not fit its size
 */
export function encodePng(image: Image): Uint8Array {
  const { width, height, channels, data } = checkImage('image', image)
  return encode({ width, height, channels, depth: 8, data }, { zlib: { level: 6 } })
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
