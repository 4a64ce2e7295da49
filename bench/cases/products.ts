/** Every way of making a layer's products, timed at each vector level: `npm run bench -- products`. */
import { spawnSync } from 'node:child_process'
import type { Environment } from '../measuring/environment.js'
import { buildProgram, pathOf } from '../measuring/limits.js'
import { environmentText } from './report.js'

/** Rows of one layer. `share`: of their elements that are not zero, here and there. */
export interface Shape {
  readonly rows: number
  readonly inputs: number
  readonly outputs: number
  readonly share: number
}

/** One product of a shape. */
export interface ProductTimes {
  readonly shape: Shape
  readonly precision: 'float32' | 'float64'
  /** `forward`, `backward`, `gradient`; `rows`: forward and gradient of dense rows or of groups; `row`: a single row. */
  readonly product: string
  /** Microseconds of each way, the best turn of each. */
  readonly times: Readonly<Record<string, number>>
  /** The way that the table of thresholds chooses. */
  readonly chosen: string
}

export interface LevelTimes {
  readonly level: string
  readonly openblas: string
  readonly kernel: string
  readonly products: readonly ProductTimes[]
}

/** The kernel of OpenBLAS that a processor has whose best vectors are those of a level. */
const KERNELS: Readonly<Record<string, string>> = {
  baseline: 'Nehalem',
  avx2: 'Haswell',
  avx512: 'SkylakeX',
}
const LEVELS = Object.keys(KERNELS)

const PRECISIONS = ['float32', 'float64'] as const

function shape(rows: number, inputs: number, outputs: number, share = 1): Shape {
  return { rows, inputs, outputs, share }
}

/** On either side of every threshold, and the layers of the other benchmarks. */
export const SHAPES: readonly Shape[] = [
  shape(32, 64, 25),
  shape(256, 64, 25),
  shape(256, 64, 64),
  shape(256, 96, 64),
  shape(256, 128, 128),
  shape(256, 784, 196),
  shape(256, 196, 784),
  shape(250, 784, 1000),
  shape(250, 1000, 1000),
  shape(256, 1024, 256),
  shape(256, 1024, 300),
  shape(256, 2048, 1024),
  ...[0.05, 0.15, 0.25, 0.4].map((share) => shape(256, 784, 196, share)),
  ...[32, 64, 128].map((rows) => shape(rows, 784, 196, 0.1)),
  ...[0.5, 0.8, 0.95].flatMap((share) => [shape(1, 784, 196, share), shape(1, 784, 1000, share)]),
]

/** The lines of an answer of `bench/native/products.cc`. @throws Error if it is not one */
export function parseAnswer(line: string): Pick<ProductTimes, 'product' | 'times' | 'chosen'>[] {
  return line.split('; ').map((part) => {
    const [product = '', ...words] = part.split(' ')
    const pairs = words.map((word) => word.split('=') as [string, string])
    const chosen = pairs.pop()
    const times = Object.fromEntries(pairs.map(([way, time]) => [way, Number(time)]))
    if (chosen?.[0] !== 'chosen' || !Object.values(times).every((time) => time > 0))
      throw new Error(`layerwise_products: not an answer: ${line}`)
    return { product, times, chosen: chosen[1] }
  })
}

/** Sends lines to the program at one vector level; its answers. @throws Error if it cannot answer one */
function ask(level: string | undefined, questions: readonly string[]): string[] {
  const env: NodeJS.ProcessEnv = { ...process.env, OPENBLAS_NUM_THREADS: '1' }
  if (level !== undefined) {
    env.LAYERWISE_VECTORS = level
    if (KERNELS[level] !== undefined) env.OPENBLAS_CORETYPE = KERNELS[level]
  }
  const input = questions.map((question) => `${question}\n`).join('')
  const { stdout, status, error } = spawnSync(pathOf('layerwise_products'), {
    env,
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answers = stdout?.trimEnd().split('\n') ?? []
  const failed = answers.find((answer) => answer.startsWith('error '))
  if (error || status !== 0 || failed || answers.length !== questions.length)
    throw new Error(`layerwise_products: ${error?.message ?? failed ?? `exit status ${status}`}`)
  return answers
}

/** @param seconds - about as long at each level */
export function measureProducts(seconds: number): LevelTimes[] {
  buildProgram('layerwise_products')
  const best = ask(undefined, ['describe'])[0]!.split(' ')[2]!
  const levels = LEVELS.includes(best) ? LEVELS.slice(0, LEVELS.indexOf(best) + 1) : [best]
  return levels.map((level) => {
    console.error(`bench: products by ${level} vectors`)
    const cases = PRECISIONS.flatMap((precision) => SHAPES.map((of) => ({ shape: of, precision })))
    const questions = cases.map(({ shape: of, precision }) => {
      const sizes = of.rows === 1 ? `row ${precision}` : `layer ${precision} ${of.rows}`
      return `${sizes} ${of.inputs} ${of.outputs} ${of.share} ${seconds / cases.length}`
    })
    const [described = '', ...answers] = ask(level, ['describe', ...questions])
    const [openblas = '', kernel = '', used = ''] = described.split(' ')
    if (used !== level) throw new Error(`layerwise_products: vectors are ${used}, not ${level}`)
    const products = answers.flatMap((answer, i) =>
      parseAnswer(answer).map((times) => ({ ...cases[i]!, ...times })),
    )
    return { level, openblas, kernel, products }
  })
}

/** Up to this ratio two ways count as equally fast: windows of one run differ by as much. */
const NOISE = 1.03

/** Markdown, a table a level. */
export function productsText(where: Environment, levels: readonly LevelTimes[]): string {
  const tables = levels.map(({ level, openblas, kernel, products }) => {
    const head = `## ${level}\n\nOpenBLAS ${openblas}, kernel ${kernel}.\n`
    const columns =
      '| rows × inputs → outputs | precision | product | fastest | the others, times as long | chosen |'
    return [head, columns, '|---|---|---|---|---|---|', ...products.map(lineOf)].join('\n')
  })
  return ['```', environmentText(where), '```', '', ...tables].join('\n\n')
}

function lineOf({ shape: of, precision, product, times, chosen }: ProductTimes): string {
  const [first, ...others] = Object.entries(times).sort((a, b) => a[1] - b[1])
  const [fastest, least] = first!
  const ratios = others.map(([way, time]) => `${way} ${(time / least).toFixed(2)}`)
  const share = of.share < 1 ? `, ${of.share} not zero` : ''
  const slower = times[chosen]! / least
  const verdict = slower > NOISE ? `**${chosen}: ${slower.toFixed(2)}**` : chosen
  const size = `${of.rows} × ${of.inputs} → ${of.outputs}${share}`
  const time = `${fastest} ${least.toPrecision(3)} µs`
  return `| ${size} | ${precision} | ${product} | ${time} | ${ratios.join(', ')} | ${verdict} |`
}
