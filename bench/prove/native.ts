import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { levelsOfProcessor } from '../../scripts/vector-levels.mjs'
import { has } from './child.js'
import { eachRound, type Proof, Skipped } from './proof.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The kernel of OpenBLAS for processors of a level's time: its later ones have instructions that valgrind does not know. */
const CORES: Readonly<Record<string, string>> = { avx512: 'SKYLAKEX', avx2: 'HASWELL', baseline: 'NEHALEM' }

/** What the sanitizers and valgrind report ends a test program with this status. */
const FOUND = 99

type Environment = Readonly<Record<string, string>>

/** Runs a program whose output is shown, and which must end by one of these statuses. */
function runs(command: readonly string[], env: Environment = {}, good: readonly number[] = [0]): void {
  const { status, signal, error } = spawnSync(command[0]!, command.slice(1), {
    ...{ cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
  })
  if (status === null || !good.includes(status))
    throw new Error(`${command.join(' ')} ended by ${error?.message ?? signal ?? status}`)
}

function built(...options: string[]): void {
  runs([process.execPath, 'scripts/build-native.mjs', ...options])
}

function mustHaveLevel(level: string): void {
  if (!levelsOfProcessor().includes(level))
    throw new Skipped(`this processor lacks the vector level ${level}`)
}

/** With the kernels of a level, ours and OpenBLAS's. */
const ofLevel = (level: string): Environment => ({
  LAYERWISE_VECTORS: level,
  OPENBLAS_CORETYPE: CORES[level]!,
})

/** A proof that is one run of the C++ tests, or of others, in which nothing may be found. */
function run(name: string, promise: string, once: () => void): Proof {
  return {
    ...{ name, promise, rounds: 'run', count: 1, quick: 0 },
    async prove() {
      once()
      return 'nothing was found'
    },
  }
}

/** Parts of the C++ tests, of which each runs alone: all of them take two hours under valgrind. */
const PARTS = 20

const valgrind: Proof = {
  name: 'valgrind at avx2',
  promise: 'no C++ test reads what is not written or not its own',
  rounds: `of ${PARTS} parts of the tests`,
  count: PARTS,
  quick: 0,
  async prove(rounds) {
    if (!has('valgrind', '--version')) throw new Skipped('there is no valgrind')
    mustHaveLevel('avx2')
    built('--level=avx2')
    const options = ['--quiet', `--error-exitcode=${FOUND}`, '--max-stackframe=8000000', '--fair-sched=yes']
    const command = ['valgrind', ...options, 'build-avx2/layerwise_tests', '--gtest_brief=1']
    const part = (round: number) => ({
      GTEST_TOTAL_SHARDS: String(PARTS),
      GTEST_SHARD_INDEX: String(round % PARTS),
    })
    // Status 1: a test failed. Valgrind has a long double of 64 bits, which is too short for the differences that check gradients, and does
    // not flush denormal numbers.
    await eachRound(rounds, async (round) => runs(command, { ...ofLevel('avx2'), ...part(round) }, [0, 1]))
    return 'valgrind found nothing'
  },
}

/** Tests of files, hostile arrays and interrupted calls: where memory is handed between JavaScript and threads. */
const NODE_TESTS = [
  'data-',
  'dataset-',
  'checkpoint-',
  'transferred',
  'hostile',
  'interrupted',
  'rows-of-files',
  'aborts',
]

const addressInNode = run(
  'ASan in Node',
  `the addon in Node passes the tests of ${NODE_TESTS.join(', ')} and the quick proofs under ASan and UBSan`,
  () => {
    const library = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout?.trim()
    if (!library?.startsWith('/')) throw new Skipped('gcc has no libasan.so that can be preloaded')
    built('--sanitize=address', '--addon')
    const env = {
      ...{ LD_PRELOAD: library, LAYERWISE_BINARY: join(root, 'build-address-addon/Release/layerwise.node') },
      // Node itself is not instrumented: what it keeps to its end would be reported as lost. Tests ask for more memory than there is.
      ...{
        ASAN_OPTIONS: 'detect_leaks=0:quarantine_size_mb=32:allocator_may_return_null=1',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    }
    const tsx = ['--import', 'tsx', 'bench/prove/run.ts']
    runs(
      [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', '--testTimeout=300000', ...NODE_TESTS],
      env,
    )
    runs([process.execPath, ...tsx, '--quick', 'kill', 'fail', 'writes', 'damaged', 'workers', 'once'], env)
  },
)

function sanitized(kind: 'address' | 'thread', title: string, level: string): Proof {
  return run(`${title} at ${level}`, 'the sanitizer finds nothing in the C++ tests', () => {
    mustHaveLevel(level)
    built(`--sanitize=${kind}`, `--level=${level}`)
    // TSan cannot place its shadow memory where the kernel randomises addresses widely. The kernels start no threads.
    const still = kind === 'thread' && has('setarch', '-R', 'true') ? ['setarch', '-R'] : []
    const filter = kind === 'thread' ? ['--gtest_filter=-Vector*'] : []
    const tests = [`build-${kind}-${level}/layerwise_tests`, '--gtest_brief=1', ...filter]
    runs([...still, ...tests], { ...ofLevel(level), TSAN_OPTIONS: `exitcode=${FOUND}` })
  })
}

const LEVELS = Object.keys(CORES)

/** Tools that watch every access to memory. They build what they need, and take an hour or more. */
export const native: readonly Proof[] = [
  valgrind,
  addressInNode,
  ...LEVELS.map((level) => sanitized('address', 'ASan and UBSan', level)),
  ...LEVELS.map((level) => sanitized('thread', 'TSan', level)),
]
