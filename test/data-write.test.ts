import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { createTemporary } from '../lib/data/temporary-file.js'
import { writeFileWhole } from '../lib/data/write-file.js'
import { type Image, Matrix, Pca, SparseAutoencoder, writeNpy, writePng } from '../lib/index.js'
import { giveAway } from './give-away.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const isRoot = process.getuid?.() === 0
const isWindows = process.platform === 'win32'
const fresh = () => mkdtempSync(join(root, 'folder-'))
const temporaries = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.tmp'))

describe('a file that replaces another', () => {
  it.skipIf(isWindows).each([0o600, 0o640, 0o444, 0o755])(
    'has the permissions of the old file, %o',
    async (mode) => {
      const path = join(fresh(), 'file')
      writeFileSync(path, 'old')
      chmodSync(path, mode)
      await writeFileWhole(path, [Buffer.from('new')])
      expect(readFileSync(path, 'utf8')).toBe('new')
      expect(statSync(path).mode & 0o777).toBe(mode)
    },
  )

  it.skipIf(isWindows)('is readable by its owner only until it has these permissions', async () => {
    const folder = fresh()
    const path = join(folder, 'file')
    writeFileSync(path, 'old')
    chmodSync(path, 0o600)
    const modes: number[] = []
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (const part of ['se', 'cret']) {
        yield Buffer.from(part)
        modes.push(statSync(join(folder, temporaries(folder)[0]!)).mode & 0o777)
      }
    }
    await writeFileWhole(path, parts())
    expect(modes).toEqual([0o600, 0o600])
  })

  it.skipIf(isWindows || !isRoot)(
    'has the owner and group of the old file, if the process may change them',
    async () => {
      const path = join(fresh(), 'file')
      writeFileSync(path, 'old')
      chmodSync(path, 0o640)
      chownSync(path, 1234, 2345)
      await new SparseAutoencoder({ inputs: 2, hidden: 1 }).save(path)
      expect(statSync(path)).toMatchObject({ uid: 1234, gid: 2345 })
      expect(statSync(path).mode & 0o777).toBe(0o640)
    },
  )

  it.skipIf(isWindows)(
    'is written to the target of symbolic links, which stay, whether the target exists or not',
    async () => {
      const folder = fresh()
      mkdirSync(join(folder, 'a'))
      mkdirSync(join(folder, 'b'))
      symlinkSync('../b/middle', join(folder, 'a', 'link'))
      symlinkSync('file', join(folder, 'b', 'middle'))
      symlinkSync('a', join(folder, 'way'))
      for (const content of ['first', 'second']) {
        await writeFileWhole(join(folder, 'way', 'link'), [Buffer.from(content)])
        expect(readFileSync(join(folder, 'b', 'file'), 'utf8')).toBe(content)
        expect(readlinkSync(join(folder, 'a', 'link'))).toBe('../b/middle')
        expect(lstatSync(join(folder, 'b', 'file')).isFile()).toBe(true)
        expect(readdirSync(join(folder, 'a'))).toEqual(['link'])
      }
    },
  )

  it.skipIf(isWindows)('is refused if links form a cycle or lead to a folder', async () => {
    const folder = fresh()
    symlinkSync('b', join(folder, 'a'))
    symlinkSync('a', join(folder, 'b'))
    symlinkSync('.', join(folder, 'here'))
    for (const name of ['a', 'here', '', '.', 'new/']) {
      const error = await rejection(writeFileWhole(`${folder}/${name}`, [Buffer.from('new')]))
      expect(error).toMatchObject({ name: 'LayerwiseError', code: 'ERR_ARGUMENT' })
    }
    expect(readdirSync(folder).sort()).toEqual(['a', 'b', 'here'])
  })

  it.skipIf(process.platform !== 'linux' || !isRoot || !canMount())(
    'is refused if the file is mounted by itself, with advice',
    async () => {
      const folder = fresh()
      const [path, other] = [join(folder, 'file'), join(folder, 'other')]
      writeFileSync(path, 'old')
      writeFileSync(other, 'mounted')
      execFileSync('mount', ['--bind', other, path])
      try {
        const error = await rejection(writeFileWhole(path, [Buffer.from('new')]))
        expect(error).toMatchObject({
          code: 'ERR_ARGUMENT',
          message: expect.stringContaining('Mount its folder instead'),
          cause: { code: 'EBUSY' },
        })
        expect(readFileSync(path, 'utf8')).toBe('mounted')
      } finally {
        execFileSync('umount', [path])
      }
      expect(temporaries(folder)).toEqual([])
    },
  )
})

/** Whether this process may mount, as in few containers. */
function canMount(): boolean {
  const [a, b] = [join(fresh(), 'a'), join(fresh(), 'b')]
  writeFileSync(a, '')
  writeFileSync(b, '')
  try {
    execFileSync('mount', ['--bind', a, b], { stdio: 'ignore' })
    execFileSync('umount', [b], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('memory that is transferred away while it is written is refused with ERR_STATE, and the old file stays', () => {
  const large = 2 ** 21
  const image = (): Image => ({ width: 1024, height: 2048, channels: 1, data: new Uint8Array(large) })
  const matrix = (scale = 1) => Matrix.from(new Uint8Array(large).fill(7), 1024, large / 1024, { scale })
  const pca = async () => await new Pca().fit(Matrix.from(new Float32Array(40).map(Math.sin), 10, 4))

  it.each<[string, (path: string) => Promise<{ written: Promise<void>; buffer: ArrayBuffer }>]>([
    [
      'by writeNpy',
      async (path) => {
        const x = matrix()
        return { written: writeNpy(path, x), buffer: x.data.buffer as ArrayBuffer }
      },
    ],
    [
      'by writeNpy of scaled bytes',
      async (path) => {
        const x = matrix(0.5)
        return { written: writeNpy(path, x), buffer: x.data.buffer as ArrayBuffer }
      },
    ],
    [
      'by writePng',
      async (path) => {
        const picture = image()
        return { written: writePng(path, picture), buffer: picture.data.buffer as ArrayBuffer }
      },
    ],
    [
      'by save',
      async (path) => {
        const model = await pca()
        return { written: model.save(path), buffer: model.components.data.buffer as ArrayBuffer }
      },
    ],
  ])('%s', async (_, write) => {
    const folder = fresh()
    const path = join(folder, 'file')
    writeFileSync(path, 'old')
    const { written, buffer } = await write(path)
    giveAway({ buffer })
    expect(await rejection(written)).toMatchObject({ name: 'LayerwiseError', code: 'ERR_STATE' })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['file'])
  })

  it('at the last of several parts, after the others are written', async () => {
    const folder = fresh()
    const path = join(folder, 'file')
    const last = new Uint8Array(10)
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      setImmediate(() => giveAway(last))
      yield last
    }
    const error = await rejection(writeFileWhole(path, parts())).catch(() => undefined)
    // It may be written before it is gone: then it is whole.
    if (error === undefined) expect(statSync(path).size).toBe(20)
    else expect(error).toMatchObject({ code: 'ERR_STATE' })
    expect(temporaries(folder)).toEqual([])
  })

  it('in toBytes, which has no file', async () => {
    const model = await pca()
    const bytes = model.toBytes()
    const buffer = model.components.data.buffer as ArrayBuffer
    giveAway({ buffer })
    const outcome = await bytes.catch((error: unknown) => error)
    if (!(outcome instanceof Uint8Array)) expect(outcome).toMatchObject({ code: 'ERR_STATE' })
    else expect((await Pca.fromBytes(outcome)).components.data.length).toBe(16)
  })

  it('but with ERR_ARGUMENT if it was transferred before', async () => {
    const x = matrix()
    giveAway(x.data)
    const path = join(fresh(), 'file')
    expect(await rejection(writeNpy(path, x))).toMatchObject({ code: 'ERR_ARGUMENT' })
    expect(existsSync(path)).toBe(false)
  })
})

describe('the temporary file of a process that was killed while it saved', () => {
  const running: ReturnType<typeof spawn>[] = []
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
  })

  /** A process amid a save: it has written one part, and waits for a word before it writes the next. */
  async function saving(path: string) {
    const module = fileURLToPath(new URL('../lib/data/write-file.ts', import.meta.url))
    const code = `
      import { once } from 'node:events'
      import { writeFileWhole } from ${JSON.stringify(module)}
      async function* parts() {
        yield Buffer.alloc(1000)
        console.log('amid')
        await once(process.stdin, 'data')
        yield Buffer.alloc(1000)
      }
      await writeFileWhole(${JSON.stringify(path)}, parts())
      process.exit()`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code])
    running.push(child)
    child.stderr.pipe(process.stderr)
    await once(child.stdout, 'data')
    return child
  }

  it('is removed by the next save into the folder', async () => {
    const folder = fresh()
    const child = await saving(join(folder, 'one'))
    expect(temporaries(folder)).toHaveLength(1)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(temporaries(folder)).toHaveLength(1)
    await new SparseAutoencoder({ inputs: 2, hidden: 1 }).save(join(folder, 'other'))
    expect(readdirSync(folder)).toEqual(['other'])
  })

  it('is distinguished from that of a running process', async () => {
    const folder = fresh()
    const child = await saving(join(folder, 'one'))
    await new SparseAutoencoder({ inputs: 2, hidden: 1 }).save(join(folder, 'other'))
    expect(temporaries(folder)).toHaveLength(1)
    child.stdin.write('go on')
    await once(child, 'exit')
    expect(readdirSync(folder).sort()).toEqual(['one', 'other'])
    expect(statSync(join(folder, 'one')).size).toBe(2000)
  })

  it('is removed after an hour if its writer is unknown, and nothing else is', async () => {
    const folder = fresh()
    const id = '0123456789abcdef'
    const others = [
      `.layerwise-4711-${id}.tmp`,
      `.layerwise-00000000-1-0-${id}.tmp`,
      `.layerwise-00000000-1-5-${id}.tmp`,
    ]
    const kept = ['.layerwise-notes.tmp', 'layerwise-1-0.tmp', `.layerwise-1-${id}.tmp.old`, 'model']
    for (const name of [...others, ...kept]) writeFileSync(join(folder, name), '')
    const save = () => writeFileWhole(join(folder, 'model'), [Buffer.from('new')])
    await save()
    expect(readdirSync(folder)).toHaveLength(others.length + kept.length)
    for (const name of [...others, ...kept])
      utimesSync(join(folder, name), 0, (Date.now() - 3_700_000) / 1000)
    await save()
    expect(readdirSync(folder).sort()).toEqual([...kept].sort())
  })

  it.skipIf(process.platform !== 'linux')(
    'is recognised by its writer’s start time if another process has its number',
    async () => {
      const folder = fresh()
      const { path, handle } = await createTemporary(folder, true)
      await handle.close()
      // The same process number, of a process that began at another time.
      const before = path.replace(/-(\d+)-([0-9a-f]{16}\.tmp)$/, '-1$1-$2')
      writeFileSync(before, '')
      await writeFileWhole(join(folder, 'model'), [Buffer.from('new')])
      expect(existsSync(before)).toBe(false)
      expect(existsSync(path)).toBe(true)
      unlinkSync(path)
    },
  )
})
