import { constants, copyFile, link, readdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type ErrorCode, LayerwiseError } from '../base/errors.js'
import { fileError, withFile } from '../data/read-file.js'
import { writeFileWhole } from '../data/write-file.js'
import { checkpointHeader, isFinished, type ReadHeader } from './checkpoint-file.js'

/** The files of one training: the newest, and those before it beside it, with numbers. */
export class Series {
  #file = ''
  readonly #run: string
  readonly #keep: number
  /** Numbers of the older files of this training, rising. */
  #older: number[] = []

  constructor(run: string, keep: number) {
    this.#run = run
    this.#keep = keep
  }

  /**
   * Looks at what is there.
   *
   * @param file - behind any links
   * @throws {@link LayerwiseError} `ERR_STATE` if it holds something that must not be replaced; `ERR_ARGUMENT` if the system cannot read it
   */
  async open(file: string): Promise<void> {
    this.#file = file
    if (!(await isThere(file))) return
    const found = await headerOf(file, true)
    if (found === undefined) throw taken(file, 'it holds no checkpoint, or a damaged one')
    if (found.header.run === this.#run) {
      for (const number of await numbersBeside(file)) {
        if (await this.#owns(`${file}.${number}`)) this.#older.push(number)
      }
    } else if (!isFinished(found.header)) {
      throw taken(file, 'it holds a training that is not finished: resumeTraining goes on with it')
    }
  }

  /** Writes the newest file, and removes the oldest where there are more than are kept. */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#keep > 1) await this.#setAside()
    await writeFileWhole(this.#file, parts)
    if (this.#older.length < this.#keep) return
    for (const number of this.#older.splice(0, this.#older.length - this.#keep + 1)) {
      const older = `${this.#file}.${number}`
      if (await this.#owns(older)) await unlink(older).catch(() => {})
    }
  }

  /** Gives the newest file so far a second name, under which it stays when it is replaced. */
  async #setAside(): Promise<void> {
    const file = this.#file
    if (!(await this.#owns(file))) return
    for (let number = (this.#older.at(-1) ?? 0) + 1; ; number++) {
      const aside = `${file}.${number}`
      try {
        await secondName(file, aside)
        this.#older.push(number)
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError('write', aside, error)
      }
    }
  }

  async #owns(file: string): Promise<boolean> {
    return (await headerOf(file))?.header.run === this.#run
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/** Fails with EEXIST where the name is in use. */
async function secondName(file: string, name: string): Promise<void> {
  try {
    await link(file, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    // Some file systems give a file one name only.
    await copyFile(file, name, constants.COPYFILE_EXCL)
  }
}

/** The older files beside a checkpoint that can be read whole, the newest first. */
export async function wholeOlder(
  file: string,
  isWhole: (file: string) => Promise<boolean>,
): Promise<string[]> {
  const whole: string[] = []
  for (const number of (await numbersBeside(file)).reverse()) {
    const older = `${file}.${number}`
    if (await isWhole(older)) whole.push(older)
  }
  return whole
}

/** The numbers of files `file.NUMBER`, rising. */
async function numbersBeside(file: string): Promise<number[]> {
  const start = `${basename(file)}.`
  const names = await readdir(dirname(file)).catch(() => [])
  return names
    .filter((name) => name.startsWith(start) && /^[1-9]\d{0,8}$/.test(name.slice(start.length)))
    .map((name) => Number(name.slice(start.length)))
    .sort((a, b) => a - b)
}

/**
 * The header of a checkpoint; undefined where a file is none.
 *
 * @param read - whether it must be readable: of a disk that fails nobody should think that the file is damaged, and delete it
 */
async function headerOf(path: string, read = false): Promise<ReadHeader | undefined> {
  try {
    return await withFile(path, checkpointHeader)
  } catch (error) {
    if (isUnusable(error) && !(read && isOfTheSystem(error))) return undefined
    throw error
  }
}

/** Whether the system could not read a file that is there. */
function isOfTheSystem(error: unknown): boolean {
  const { syscall, code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
  return syscall !== undefined && code !== 'EISDIR'
}

/** Whether an error says that a file is not what it should be. */
export function isUnusable(error: unknown): boolean {
  const codes: readonly string[] = ['ERR_FORMAT', 'ERR_ARGUMENT'] satisfies ErrorCode[]
  return error instanceof LayerwiseError && codes.includes(error.code)
}

function taken(name: string, problem: string): LayerwiseError {
  const remedy = 'move or delete it, or choose another path'
  return new LayerwiseError(
    'ERR_STATE',
    `checkpoint.path: '${name}' is not replaced: ${problem}; ${remedy}`,
    {
      argument: 'checkpoint.path',
      received: name,
    },
  )
}
