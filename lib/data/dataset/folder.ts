import { join } from 'node:path'
import { STORAGE_TYPES } from '../../base/storage-type.js'
import type { DatasetLike } from '../dataset-parts.js'
import type { Segment } from '../file-rows.js'
import { formatError, withFile } from '../read-file.js'
import { inGroups } from './in-groups.js'
import { MANIFEST, type Manifest, readManifest, type Shard } from './manifest.js'
import { identityOfOpen, tensorLayout } from './row-file.js'

/** How often the manifest is read again if another process replaces it while its shards are opened. */
const ATTEMPTS = 20

/**
 * A folder of ours: its manifest, and of each shard the header.
 *
 * @param folder - absolute
 * @throws {@link LayerwiseError} `ERR_FORMAT` if it has no manifest, or one that is damaged or does not match its shards
 */
export async function openFolder(folder: string): Promise<DatasetLike> {
  for (let attempt = 1; ; attempt++) {
    const found = await readManifest(folder)
    if (found === undefined) {
      const advice = `give its files as a list, in the order of their rows: openDataset(['${join(folder, '…')}'])`
      throw formatError(folder, `it has no ${MANIFEST}, so the order of its rows is not known: ${advice}`)
    }
    try {
      return await openShards(folder, found.manifest)
    } catch (error) {
      // A writer may have removed the shards of this manifest after it put another in its place.
      const now = await readManifest(folder)
      if (attempt === ATTEMPTS || now === undefined || now.bytes.equals(found.bytes)) throw error
    }
  }
}

async function openShards(folder: string, manifest: Manifest): Promise<DatasetLike> {
  const { rows, cols, type, scale, columns, shards } = manifest
  const segments = await inGroups(shards, (shard) => openShard(folder, shard, manifest))
  return { rows, cols, type, scale, columns, paths: [folder], segments }
}

async function openShard(folder: string, shard: Shard, { cols, type }: Manifest): Promise<Segment> {
  const path = join(folder, shard.file)
  const { rows, bytes } = shard
  try {
    return await withFile(path, async (file) => {
      const identity = await identityOfOpen(file)
      if (file.size !== bytes)
        throw formatError(path, `it has ${file.size} bytes, and ${MANIFEST} promises ${bytes}`)
      const found = await tensorLayout(file, 'rows')
      if (found.rows !== rows || found.cols !== cols || found.type !== type) {
        const [is, should] = [found, { rows, cols, type }].map(
          (layout) => `${layout.rows} × ${layout.cols} ${layout.type} numbers`,
        )
        throw formatError(path, `it holds ${is}, and ${MANIFEST} promises ${should}`)
      }
      const numbers = rows * cols * STORAGE_TYPES[type].bytes
      const checksum = { crc32c: shard.crc32c, begin: found.offset, bytes: numbers }
      return { path, offset: found.offset, rows, identity, checksum }
    })
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    if (cause?.code !== 'ENOENT') throw error
    throw formatError(path, `it is not there, and ${MANIFEST} names it`, cause)
  }
}
