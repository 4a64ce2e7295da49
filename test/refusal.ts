import { expect } from 'vitest'
import { LayerwiseError } from '../lib/index.js'
import { giveAway } from './give-away.js'

/** Newer than the library types of the language version we compile for. */
const ResizableBuffer = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer
export const resizable = () => new Float32Array(new ResizableBuffer(24, { maxByteLength: 48 }))

/** Its memory was transferred away. */
export const detached = () => {
  const data = new Float32Array(6)
  giveAway(data)
  return data
}

/** Instances of Float32Array by their prototype, but without memory. */
export const proxied = () => new Proxy(new Float32Array(6), {})
export const hollow = () => Object.create(Float32Array.prototype) as Float32Array

/** An error of ours with just this code, and a message that contains this part. */
export function expectError(error: unknown, code: string, message: string): void {
  expect(error).toBeInstanceOf(LayerwiseError)
  expect((error as LayerwiseError).code).toBe(code)
  expect((error as LayerwiseError).message).toContain(message)
}

/** What a call throws. */
export function thrown(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}

/** What a promise is rejected with. */
export const rejected = (work: Promise<unknown>): Promise<LayerwiseError> =>
  work.then(
    () => expect.fail('it did not reject'),
    (reason) => reason as LayerwiseError,
  )
