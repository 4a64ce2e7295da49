import { ownCopy } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import { show } from '../../base/show.js'
import { COLUMN_TYPES, type ColumnType } from '../table-batch.js'
import { BooleanPlan } from './boolean-plan.js'
import { CategoryPlan, HashPlan } from './category-plan.js'
import { DroppedPlan } from './dropped-plan.js'
import { type ColumnPlan, MOST_ENCODED } from './encoded-column.js'
import { checkEncoderOptions, checkEncoding, type EncoderSettings } from './encoder-options.js'
import type { FittedColumn } from './fit-columns.js'
import { CYCLE_PARTS, type CycleFit, NumberPlan } from './number-plan.js'

/** A fitted {@link TableEncoder} as plain data. */
export interface TableEncoderJSON {
  /** Identifies it. */
  kind: 'tableEncoder'
  /** Of this form of data. */
  version: 1
  /** How many rows it was fitted on. */
  rows: number
  /** The options; those of columns as pairs of name and encoding. */
  options: object
  /** What was found about each column of the table. */
  columns: object[]
}

/** Everything that a fitted encoder is made of. */
export interface FittedEncoder {
  readonly settings: EncoderSettings
  readonly rows: number
  readonly columns: readonly FittedColumn[]
}

export function encoderToJSON({ settings, rows, columns }: FittedEncoder): TableEncoderJSON {
  const { numbers, minimumCount, mostCategories } = settings
  return {
    kind: 'tableEncoder',
    version: 1,
    rows,
    options: { numbers, minimumCount, mostCategories, columns: [...settings.columns] },
    columns: columns.map(({ type, plan }) => ({
      type,
      ...(JSON.parse(JSON.stringify(plan.toJSON())) as object),
    })),
  }
}

/** @throws {@link LayerwiseError} `ERR_FORMAT` for anything but the result of {@link encoderToJSON} */
export function encoderFromJSON(value: unknown): FittedEncoder {
  const json = fieldsOf(value, 'it', ['kind', 'version', 'rows', 'options', 'columns'])
  if (json.kind !== 'tableEncoder') throw jsonError('kind', `is ${show(json.kind)}`)
  if (json.version !== 1)
    throw jsonError('version', `is ${show(json.version)}; this version of layerwise reads 1`)
  let width = 0
  const columns = listOf(json.columns, 'columns').map((column, i) => {
    const fitted = columnFromJSON(column, `columns[${i}]`)
    width += fitted.plan.columns.length
    if (width > MOST_ENCODED) throw jsonError('columns', `makes more than ${MOST_ENCODED} encoded columns`)
    return fitted
  })
  if (new Set(columns.map(({ plan }) => plan.name)).size < columns.length)
    throw jsonError('columns', 'has a name twice')
  if (columns.every(({ plan }) => plan.columns.length === 0)) throw jsonError('columns', 'encodes no column')
  return { settings: settingsFromJSON(json.options), rows: countOf(json.rows, 'rows', 1), columns }
}

function settingsFromJSON(value: unknown): EncoderSettings {
  const options = fieldsOf(value, 'options', ['numbers', 'minimumCount', 'mostCategories', 'columns'])
  try {
    const settings = checkEncoderOptions({ ...options, columns: undefined })
    const columns = listOf(options.columns, 'options.columns').map(
      (pair): [string, ReturnType<typeof checkEncoding>] => {
        const [name, encoding, ...rest] = listOf(pair, 'options.columns')
        if (rest.length > 0) throw jsonError('options.columns', 'has an entry that is no pair')
        return [textOf(name, 'options.columns'), checkEncoding('encoding', encoding)]
      },
    )
    return { ...settings, columns: new Map(columns) }
  } catch (error) {
    throw error instanceof LayerwiseError && error.code !== 'ERR_FORMAT'
      ? jsonError('options', `has ${error.message}`)
      : error
  }
}

function columnFromJSON(value: unknown, place: string): FittedColumn {
  const { kind } = ownCopy((value ?? {}) as { kind?: unknown })
  const fields = PLAN_FIELDS.get(kind)
  if (fields === undefined) throw jsonError(`${place}.kind`, `is ${show(kind)}`)
  const json = fieldsOf(value, place, ['kind', 'type', 'name', ...fields.needed], fields.optional)
  const type = json.type as ColumnType
  if (!COLUMN_TYPES.includes(type)) throw jsonError(`${place}.type`, `is ${show(type)}`)
  const name = textOf(json.name, `${place}.name`)
  return { type, plan: fields.plan(name, json, place) }
}

type Fields = Readonly<Record<string, unknown>>

interface PlanFields {
  readonly needed: readonly string[]
  readonly optional: readonly string[]
  readonly plan: (name: string, json: Fields, place: string) => ColumnPlan
}

const PLAN_FIELDS: ReadonlyMap<unknown, PlanFields> = new Map<unknown, PlanFields>([
  ['drop', { needed: [], optional: [], plan: (name) => new DroppedPlan(name) }],
  [
    'number',
    {
      needed: ['isDate', 'cycles', 'hasMissing'],
      optional: ['unit', 'scaling', 'constant'],
      plan: numberFromJSON,
    },
  ],
  ['boolean', { needed: ['hasMissing'], optional: ['share'], plan: booleanFromJSON }],
  ['category', { needed: ['categories', 'hasOther', 'hasMissing'], optional: [], plan: categoryFromJSON }],
  ['hash', { needed: ['buckets', 'hasMissing'], optional: [], plan: hashFromJSON }],
])

function numberFromJSON(name: string, json: Fields, place: string): ColumnPlan {
  const { unit, scaling, constant } = json
  if (scaling !== undefined && constant !== undefined) throw jsonError(place, 'has both scaling and constant')
  const cycles = listOf(json.cycles, `${place}.cycles`).map((part, i) =>
    cycleFromJSON(part, `${place}.cycles[${i}]`),
  )
  if (scaling === undefined && (cycles.length > 0 || unit !== undefined))
    throw jsonError(place, 'has no scaling')
  const order = cycles.map(({ cycle, part }) =>
    CYCLE_PARTS.findIndex((p) => p.cycle === cycle && p.part === part),
  )
  if (order.some((k, i) => k < 0 || (i > 0 && k <= order[i - 1]!)))
    throw jsonError(`${place}.cycles`, 'is out of order')
  return new NumberPlan({
    name,
    isDate: truthOf(json.isDate, `${place}.isDate`),
    hasMissing: truthOf(json.hasMissing, `${place}.hasMissing`),
    cycles,
    ...(unit !== undefined && { unit: positiveOf(unit, `${place}.unit`) }),
    ...(constant !== undefined && { constant: finiteOf(constant, `${place}.constant`) }),
    ...(scaling !== undefined && { scaling: scalingFromJSON(scaling, `${place}.scaling`) }),
  })
}

function scalingFromJSON(value: unknown, place: string) {
  const { center, spread, fill } = fieldsOf(value, place, ['center', 'spread', 'fill'])
  return {
    center: finiteOf(center, `${place}.center`),
    spread: positiveOf(spread, `${place}.spread`),
    fill: finiteOf(fill, `${place}.fill`),
  }
}

function cycleFromJSON(value: unknown, place: string): CycleFit {
  const { cycle, part, mean } = fieldsOf(value, place, ['cycle', 'part', 'mean'])
  return { cycle, part, mean: finiteOf(mean, `${place}.mean`) } as CycleFit
}

function booleanFromJSON(name: string, { share, hasMissing }: Fields, place: string): ColumnPlan {
  const fit = { name, hasMissing: truthOf(hasMissing, `${place}.hasMissing`) }
  if (share === undefined) return new BooleanPlan(fit)
  const number = finiteOf(share, `${place}.share`)
  if (number < 0 || number > 1) throw jsonError(`${place}.share`, `is ${number}`)
  return new BooleanPlan({ ...fit, share: number })
}

function categoryFromJSON(
  name: string,
  { categories, hasOther, hasMissing }: Fields,
  place: string,
): ColumnPlan {
  const texts = listOf(categories, `${place}.categories`).map((text) => textOf(text, `${place}.categories`))
  if (new Set(texts).size < texts.length) throw jsonError(`${place}.categories`, 'has one twice')
  return new CategoryPlan({
    name,
    categories: texts,
    hasOther: truthOf(hasOther, `${place}.hasOther`),
    hasMissing: truthOf(hasMissing, `${place}.hasMissing`),
  })
}

function hashFromJSON(name: string, { buckets, hasMissing }: Fields, place: string): ColumnPlan {
  const count = countOf(buckets, `${place}.buckets`, 2)
  if (count > MOST_BUCKETS) throw jsonError(`${place}.buckets`, `is ${count}`)
  return new HashPlan({ name, buckets: count, hasMissing: truthOf(hasMissing, `${place}.hasMissing`) })
}

const MOST_BUCKETS = 65_536

function fieldsOf(
  value: unknown,
  place: string,
  needed: readonly string[],
  optional: readonly string[] = [],
): Fields {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw jsonError(place, `is ${show(value)}`)
  const found = Object.keys(value)
  const missing = needed.find((name) => !found.includes(name))
  if (missing !== undefined) throw jsonError(place, `has no ${missing}`)
  const unknown = found.find((name) => !needed.includes(name) && !optional.includes(name))
  if (unknown !== undefined) throw jsonError(place, `has an unknown ${show(unknown)}`)
  return ownCopy(value) as Fields
}

function listOf(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw jsonError(place, `is ${show(value)}`)
  return value
}

function textOf(value: unknown, place: string): string {
  if (typeof value !== 'string') throw jsonError(place, `is ${show(value)}`)
  return value
}

function truthOf(value: unknown, place: string): boolean {
  if (typeof value !== 'boolean') throw jsonError(place, `is ${show(value)}`)
  return value
}

function finiteOf(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw jsonError(place, `is ${show(value)}`)
  return value
}

function positiveOf(value: unknown, place: string): number {
  const number = finiteOf(value, place)
  if (number <= 0 || !Number.isFinite(1 / number)) throw jsonError(place, `is ${number}`)
  return number
}

function countOf(value: unknown, place: string, least: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) throw jsonError(place, `is ${show(value)}`)
  return value as number
}

function jsonError(place: string, problem: string): LayerwiseError {
  return new LayerwiseError('ERR_FORMAT', `not a saved table encoder: ${place} ${problem}`)
}
