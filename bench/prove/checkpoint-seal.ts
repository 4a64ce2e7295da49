import { partsOfSafetensors, safetensorsOf } from './mutate.js'

const ENTRY = 'layerwise.checkpoint'
const CHECKSUM = 'layerwise.checksum'

interface Described {
  data_offsets?: unknown
}

/** CRC32C of each byte. */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0)
  return remainder
})

/** CRC32C of a few bytes, without a change of threads. */
export function crc32c(bytes: Uint8Array): number {
  let checksum = -1
  for (const byte of bytes) checksum = (checksum >>> 8) ^ REMAINDERS[(checksum ^ byte) & 255]!
  return ~checksum >>> 0
}

/** A checkpoint whose checksums are those of its content, so that a change of it gets past them; as it is where it is none. */
export function sealed(bytes: Buffer): Buffer {
  try {
    const { header, numbers } = partsOfSafetensors(bytes)
    const metadata = header.__metadata__ as Record<string, string>
    const entry = JSON.parse(metadata[ENTRY]!) as { checksums?: Record<string, number> }
    const checksums: Record<string, number> = {}
    for (const [name, described] of Object.entries(header)) {
      const offsets = (described as Described).data_offsets
      if (name === '__metadata__' || !Array.isArray(offsets)) continue
      checksums[name] = crc32c(numbers.subarray(offsets[0], offsets[1]))
    }
    metadata[ENTRY] = JSON.stringify({ ...entry, checksums })
    const texts = Object.keys(metadata)
      .filter((name) => name !== CHECKSUM)
      .sort()
      .map((name) => [name, metadata[name]])
    metadata[CHECKSUM] = String(crc32c(Buffer.from(JSON.stringify(texts))))
    return safetensorsOf(header, numbers)
  } catch {
    return bytes
  }
}
