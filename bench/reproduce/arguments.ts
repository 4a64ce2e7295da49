import { parseArgs } from 'node:util'

export const usage = `npm run reproduce -- NAME [--quick] [--json] [--validate] [--data FOLDER]
  NAME        one of those below; --all in its place runs each of them
  --quick     a subset and a loose goal, in seconds; writes nothing
  --json      one JSON document on standard output instead of text
  --validate  measures on training rows held out, for the choice of settings; no goals, writes nothing
  --data      where Fashion-MNIST's four IDX files are, if not where Debian's dataset-fashion-mnist puts them`

export interface Arguments {
  /** In the order they run; none: list them. */
  readonly names: readonly string[]
  readonly quick: boolean
  readonly json: boolean
  readonly validate: boolean
  readonly folder: string | undefined
}

/** @throws Error for unknown names and options, and for more than one name */
export function parseArguments(args: readonly string[], known: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      validate: { type: 'boolean', default: false },
      data: { type: 'string' },
    },
  })
  const { all, quick, json, validate, data: folder } = values
  if (positionals.length + Number(all) > 1) throw new Error('expected one NAME, or --all')
  const unknown = positionals.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`there is no recipe ${unknown}`)
  return { names: all ? known : positionals, quick, json, validate, folder }
}
