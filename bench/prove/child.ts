import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bundles = join(root, 'build', 'prove')

/** The addon that children load: that of `LAYERWISE_BINARY`, or the one built here. */
const addon = process.env.LAYERWISE_BINARY ?? join(root, 'build/Release/layerwise.node')

/**
 * The program `children/NAME.ts` in one file, with the library: it starts in a tenth of the time of many files that are compiled as they are
 * loaded.
 */
export function programOf(name: string): string {
  mkdirSync(bundles, { recursive: true })
  const outfile = join(bundles, `${name}.mjs`)
  const entry = fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url))
  buildSync({
    ...{ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' },
    ...{ packages: 'external', logLevel: 'error' },
  })
  return outfile
}

/** What a child is started with. */
export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly node?: readonly string[]
  /** A program that starts Node, with its arguments. */
  readonly through?: readonly string[]
}

/** A child process, its standard output so far, and how it ends. */
export interface Child {
  readonly process: ChildProcess
  readonly said: () => string
  readonly errors: () => string
  /** How it ended: an exit status or the name of a signal. */
  readonly ended: Promise<number | string>
}

/** Starts a program of {@link programOf}. */
export function start(program: string, args: readonly string[], options: ChildOptions = {}): Child {
  const command = [...(options.through ?? []), process.execPath, ...(options.node ?? []), program, ...args]
  const env = { ...process.env, LAYERWISE_BINARY: addon, ...options.env }
  const child = spawn(command[0]!, command.slice(1), { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
    })
  }
  const ended = once(child, 'close').then(([status, signal]) => (signal ?? status) as number | string)
  return { process: child, said: () => texts.stdout, errors: () => texts.stderr, ended }
}

/** Waits until a child has said something. */
export async function hasSaid(child: Child, word: string): Promise<void> {
  const over = child.ended.then((how) => {
    throw new Error(`the child ended by ${how} before it said '${word}': ${child.errors().slice(-2000)}`)
  })
  over.catch(() => {})
  while (!child.said().includes(word)) await Promise.race([once(child.process.stdout!, 'data'), over])
}

/** Waits for the end of a child that must end well. */
export async function endsWell(child: Child): Promise<string> {
  const how = await child.ended
  if (how !== 0) throw new Error(`the child ended by ${how}: ${child.errors().slice(-2000)}${child.said()}`)
  return child.said().trim()
}

/** Whether a program can be run here. */
export function has(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
