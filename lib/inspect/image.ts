import { types } from 'node:util'
import { argumentError, checkInteger, shapeError } from '../base/check.js'
import { plainArray } from '../data/storage.js'

/** A picture in memory: bytes from 0 (dark) to 255, row by row from the top, `channels` of them a pixel. */
export interface Image {
  /** Pixels across, at least 1. */
  readonly width: number
  /** Pixels down, at least 1. */
  readonly height: number
  /** 1: grey, 3: red, green, blue. */
  readonly channels: 1 | 3
  /** `height * width * channels` bytes. */
  readonly data: Uint8Array
}

/** The largest picture: 2^28 bytes, about 16,000 × 16,000 grey pixels. */
export const MAX_IMAGE_BYTES = 2 ** 28

/** Refuses anything but a picture, and one whose bytes do not fit its size. */
export function checkImage(argument: string, value: unknown): Image {
  if (value === null || typeof value !== 'object') {
    throw argumentError(argument, 'an image { width, height, channels, data }', value)
  }
  const { width, height, channels, data } = value as Partial<Image>
  const w = checkInteger(`${argument}.width`, width)
  const h = checkInteger(`${argument}.height`, height)
  if (channels !== 1 && channels !== 3) throw argumentError(`${argument}.channels`, '1 or 3', channels)
  if (!types.isUint8Array(data)) throw argumentError(`${argument}.data`, 'a Uint8Array', data)
  const bytes = plainArray(`${argument}.data`, data)
  if (bytes.length !== w * h * channels) {
    throw shapeError(
      `${argument}.data`,
      `${w} × ${h} × ${channels} = ${w * h * channels} bytes`,
      `${bytes.length} bytes`,
    )
  }
  return { width: w, height: h, channels, data: bytes }
}
