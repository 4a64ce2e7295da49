import { binding } from '../../lib/native/load.js'
import { partsOfSafetensors, safetensorsOf } from './mutate.js'

const ENTRY = 'layerwise.checkpoint'
const CHECKSUM = 'layerwise.checksum'

interface Described {
  data_offsets?: unknown
}

/** A checkpoint whose checksums are those of its content, so that a change of it gets past them; as it is where it is none. */
export async function sealed(bytes: Buffer): Promise<Buffer> {
  try {
    const { header, numbers } = partsOfSafetensors(bytes)
    const metadata = header.__metadata__ as Record<string, string>
    const entry = JSON.parse(metadata[ENTRY]!) as { checksums?: Record<string, number> }
    const checksums: Record<string, number> = {}
    for (const [name, described] of Object.entries(header)) {
      const offsets = (described as Described).data_offsets
      if (name === '__metadata__' || !Array.isArray(offsets)) continue
      checksums[name] = await binding().checksum(numbers.subarray(offsets[0], offsets[1]), 0)
    }
    metadata[ENTRY] = JSON.stringify({ ...entry, checksums })
    const texts = Object.keys(metadata)
      .filter((name) => name !== CHECKSUM)
      .sort()
      .map((name) => [name, metadata[name]])
    metadata[CHECKSUM] = String(await binding().checksum(Buffer.from(JSON.stringify(texts)), 0))
    return safetensorsOf(header, numbers)
  } catch {
    return bytes
  }
}
