import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset } from '../dataset.js'
import { createTemporaryFolder, sweepTemporaries, temporaryError } from '../temporary-file.js'
import type { RowBatches } from './source-batches.js'
import { type WriteDatasetOptions, writeDataset } from './write-dataset.js'

/**
 * Datasets that are needed while a call runs. They lie in one folder, which only this user may read and which is created with the first of them.
 * What a killed process left is removed by the next that creates one.
 */
export class TemporaryDatasets {
  readonly #parent: string
  #folder: Promise<string> | undefined
  #count = 0

  /** @param parent - where the folder is created */
  constructor(parent: string) {
    this.#parent = parent
  }

  /**
   * Writes another.
   *
   * @throws {@link LayerwiseError} as writeDataset; `ERR_ARGUMENT` if the folder cannot be created
   */
  async write(batches: RowBatches, options?: WriteDatasetOptions): Promise<Dataset> {
    this.#folder ??= created(this.#parent)
    return writeDataset(join(await this.#folder, String(this.#count++)), batches, options)
  }

  /** Removes all of them, as far as the system allows it. */
  async remove(): Promise<void> {
    const folder = await this.#folder?.catch(() => undefined)
    if (folder !== undefined)
      await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
  }
}

async function created(parent: string): Promise<string> {
  await sweepTemporaries(parent)
  try {
    return await createTemporaryFolder(parent)
  } catch (error) {
    throw temporaryError(error)
  }
}
