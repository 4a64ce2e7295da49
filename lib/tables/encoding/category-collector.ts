import { LayerwiseError } from '../../base/errors.js'
import { shorten, show } from '../../base/show.js'
import type { TableColumn } from '../table-batch.js'
import { CategoryPlan } from './category-plan.js'
import { textsOf } from './cells.js'
import type { Collector } from './collector.js'
import { type EncoderSettings, MOST_DISTINCT } from './encoder-options.js'

/** Characters of the longest category: longer texts are no categories, and would fill memory. */
const LONGEST = 1024

/** Counts the categories of a column, as far as they are few. */
export class CategoryCollector implements Collector {
  readonly #name: string
  readonly #settings: EncoderSettings
  readonly #counts = new Map<string, number>()
  #rows = 0
  #hasMissing = false

  constructor(name: string, settings: EncoderSettings) {
    this.#name = name
    this.#settings = settings
  }

  *add(column: TableColumn, from: number, to: number, firstRow: number): Generator<void> {
    const textAt = textsOf(column)
    const counts = this.#counts
    for (let row = from; row < to; row++) {
      const text = textAt(row)
      this.#rows++
      if (text === null) {
        this.#hasMissing = true
        continue
      }
      const count = counts.get(text)
      counts.set(text, (count ?? 0) + 1)
      if (count !== undefined) continue
      if (text.length > LONGEST)
        throw this.#error(
          `row ${firstRow + row} has a text of ${text.length} characters, which is no category`,
        )
      if (counts.size > MOST_DISTINCT)
        throw this.#error(`more than ${MOST_DISTINCT} different values in the first ${this.#rows} rows`)
    }
    yield
  }

  plan(): CategoryPlan {
    const { minimumCount, mostCategories } = this.#settings
    const frequent = [...this.#counts].filter(([, count]) => count >= minimumCount)
    const distinct = this.#counts.size
    if (frequent.length > mostCategories)
      throw this.#error(
        `${frequent.length} categories with at least ${minimumCount} rows each; mostCategories is ${mostCategories}`,
      )
    const covered = frequent.reduce((sum, [, count]) => sum + count, 0)
    if (distinct > mostCategories && covered < this.#rows / 2)
      throw this.#error(
        `${distinct} different values in ${this.#rows} rows, most of them in fewer than ${minimumCount} rows`,
      )
    // By their count, and where it is the same by their code units: never by their order in the data.
    frequent.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    return new CategoryPlan({
      name: this.#name,
      categories: frequent.map(([category]) => category),
      hasOther: frequent.length < distinct,
      hasMissing: this.#hasMissing,
    })
  }

  #error(problem: string): LayerwiseError {
    const name = JSON.stringify(shorten(this.#name))
    const choices = `the encoder's columns: { ${name}: { kind: 'hash', buckets: 32 } } hashes it, { ${name}: 'drop' } leaves it out`
    return new LayerwiseError(
      'ERR_RANGE',
      `column ${show(this.#name)}: ${problem}; ${choices}, its minimumCount and mostCategories change the limits`,
      { argument: 'table', name: shorten(this.#name, 200) },
    )
  }
}
