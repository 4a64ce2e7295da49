import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorsOf, errorsWithoutNode, hovers, writeDeclarations } from './published-declarations.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const entry = writeDeclarations(folder)
const published = hovers(entry)
/** A member that exists only with some libraries of TypeScript is that of a mapped type, which keeps no text. */
const MAPPED = ['Disposing.asyncDispose']
const silent = (all: typeof published) =>
  all.filter(({ name, text }) => text.trim() === '' && !MAPPED.includes(name)).map(({ name }) => name)

describe('the published declarations', () => {
  test('include the models, their options, results and errors', () => {
    const names = published.map(({ name }) => name)
    expect(names.length).toBeGreaterThan(500)
    expect(names).toEqual(
      expect.arrayContaining([
        ...['SparseAutoencoder.fit', 'SparseAutoencoderOptions.hidden', 'KlSparsity.target', 'Adam.beta1'],
        ...[
          'CosineSchedule.rate',
          'Autoencoder.encode',
          'new Pca',
          'EpochRecord.cost',
          'LayerwiseError.code',
        ],
      ]),
    )
    expect(names.filter((name) => name.includes('Native'))).toEqual([])
  })

  test('have a text for each member', () => {
    expect(silent(published)).toEqual([])
  })

  test('give the default of every optional option', () => {
    const options = published.filter(({ optional }) => optional)
    expect(options.length).toBeGreaterThan(80)
    expect(options.filter(({ text }) => !/\bdefault\b/i.test(text)).map(({ name }) => name)).toEqual([])
  })

  test('need no types of Node, which newer compilers take only where they are asked for', () => {
    expect(errorsWithoutNode(entry)).toEqual([])
  })

  test('give more about an option than its default', () => {
    const bare = published.filter(({ text }) => /^default\b[^.]*\.?$/i.test(text.trim()))
    expect(bare.map(({ name }) => name)).toEqual([])
  })
})

test('a member without a text is found at every place', () => {
  const there = join(folder, 'silent')
  mkdirSync(there)
  const index = join(there, 'index.d.ts')
  writeFileSync(index, "export { f, type Both, type Reached, Shown } from './inner.js'\n")
  writeFileSync(
    join(there, 'inner.d.ts'),
    `interface Unreached { silent: 1 }
/** t */
interface Base {
  /** t */
  inherited: 1
  alone: 1
}
/** t */
export interface Reached extends Base {
  /** t */
  said?: 1 | undefined
  nested: {
    /** t */
    a: 1
    b: 1
  }
}
/** t */
export type Both =
  | {
      /** t */
      kind: 'a'
      x: 1
    }
  | {
      kind: 'b'
      /** t */
      x: 1
    }
/** t */
export declare class Shown implements Pick<Base, 'inherited'> {
  constructor(from: Far[])
  inherited: 1
  private own: 1
  protected ours: 1
  #ours: 1
  static make(): Shown
}
/** t */
interface Far {
  far: 1
}
/** t */
export declare function f(a: 1): void
export declare function f(a: 2, b: Promise<readonly Farther[]>): void
interface Farther {
  /** t */
  m(): 1
  m(a: 1): 1
}`,
  )
  expect(silent(hovers(index)).sort()).toEqual([
    ...['Base.alone', 'Both.kind', 'Both.x', 'Far.far', 'Farther', 'Farther.m'],
    ...['Reached.nested', 'Reached.nested.b', 'Shown.make', 'f', 'new Shown'],
  ])
})

describe('a wrong option gives a short compile error:', () => {
  const declared = `
import type { FitOptions, SparseAutoencoderOptions } from './index.js'
declare const either: boolean
declare const maybe: AbortSignal | undefined
declare function fit(options: FitOptions): void
declare function make(options: Omit<SparseAutoencoderOptions, 'inputs' | 'hidden'>): void
`
  const mistakes = [
    ["fit({ epochs: '5' })", "Type 'string' is not assignable to type 'number'"],
    ['fit({ signal: 5 })', "Type 'number' is not assignable to type 'AbortSignal'"],
    ['fit({ batchsize: 3 })', "Did you mean to write 'batchSize'?"],
    ["fit({ batchSize: 'all', shuffle: true })", "is not assignable to type 'undefined'"],
    ["fit({ optimizer: { kind: 'lbfgs' }, epochs: 5 })", `Type '"lbfgs"' is not assignable to type`],
    ["fit({ optimizer: { kind: 'sgd' } })", `Type '"sgd"' is not assignable to type`],
    ["fit({ optimizer: { kind: 'adam', momentum: 1 } })", "'momentum' does not exist in type 'Adam'"],
    ["fit({ earlyStopping: { patience: '3' } })", "Type 'string' is not assignable to type 'number'"],
    ["fit({ learningRate: { kind: 'cosine' } })", "Property 'rate' is missing"],
    ["make({ sparsity: { kind: 'kl', target: 0.1 } })", "Property 'weight' is missing"],
    ["make({ sparsity: { kind: 'l1', target: 0.1, weight: 1 } })", "does not exist in type 'L1Sparsity'"],
    ["make({ sparsity: { kind: 'KL', target: 0.1, weight: 1 } })", `Did you mean '"kl"'?`],
    ["const o = { epochs: '5', batchSize: 3 }\nfit(o)", "Types of property 'epochs' are incompatible"],
    ['const o = { epochs: 5, signal: 5 }\nfit(o)', "Types of property 'signal' are incompatible"],
  ] as const
  const taken = `
fit({ signal: maybe, epochs: either ? 3 : undefined, earlyStopping: either ? { patience: 3 } : undefined })
fit({ epochs: 3, ...(either && { earlyStopping: { patience: 3 } }) })
fit({ optimizer: either ? { kind: 'adam' } : { kind: 'lbfgs', maxIterations: 50 } })
fit({ onEpoch: async (event) => void event.cost, batchSize: 'all' })`
  const texts = [...mistakes.map(([mistake]) => mistake), taken]
  const errors = errorsOf(
    folder,
    texts.map((text) => declared + text),
  )

  test.each(mistakes.map(([mistake, said], i) => [mistake, said, i] as const))('%s', (_, said, i) => {
    expect(errors[i]).toHaveLength(1)
    expect(errors[i]![0]).toContain(said)
    expect(errors[i]![0]!.split('\n').length).toBeLessThanOrEqual(6)
  })

  test('but no error for values that are undefined or decided at run time', () => {
    expect(errors.at(-1)).toEqual([])
  })
})
