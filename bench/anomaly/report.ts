import { type Outcome, overTables } from './contestants.js'
import { type Figures, keyOf, type Protocol, protocols, type Reference } from './tables.js'

const pair = (figures: Figures | undefined) =>
  figures === undefined ? '     –     ' : `${short(figures.auroc)} / ${short(figures.precision)}`
const short = (value: number) => value.toFixed(3).replace(/^0/, ' ').trimStart().padStart(4)

/** A line for each table and protocol. */
export function tableText(
  outcomes: readonly Outcome[],
  reference: Reference,
  tables: readonly string[],
): string {
  const shown = ['pyod-ae', 'pyod-knn', 'pyod-iforest'].filter((name) => reference.has(name))
  const titles = [...outcomes.map(({ name }) => name), ...shown]
  const heads = titles.map((title, k) => `${k + 1}: ${title}`).join('\n')
  const lines = protocols.flatMap((protocol: Protocol) =>
    tables.map((table) => {
      const key = keyOf(protocol, table)
      const all = [
        ...outcomes.map(({ figures }) => figures.get(key)),
        ...shown.map((name) => reference.get(name)!.get(key)),
      ]
      return [protocol.padEnd(13), table.padEnd(18), ...all.map((one) => pair(one).padEnd(14))].join('')
    }),
  )
  const columns = [''.padEnd(31), ...titles.map((_, k) => `${k + 1}`.padEnd(14))].join('')
  return [heads, columns, ...lines].join('\n')
}

/** Its means, and how long it took. */
export function outcomeText({ name, figures, fitSeconds, scoreSeconds }: Outcome, tables: readonly string[]) {
  const said = protocols.map((protocol) => {
    const time = `fit ${fitSeconds[protocol].toFixed(2)} s, score ${scoreSeconds[protocol].toFixed(3)} s`
    return `${protocol} ${pair(overTables(figures, protocol, tables))} (${time})`
  })
  return `  ${name.padEnd(46)}${said.join('   ')}`
}

/** The means of the reference. */
export function referenceText(reference: Reference, tables: readonly string[]): string {
  const lines = [...reference].map(([name, figures]) => {
    const said = protocols.map((protocol) => `${protocol} ${pair(overTables(figures, protocol, tables))}`)
    return `  ${name.padEnd(46)}${said.join('   ')}`
  })
  return ['reference.csv, where it has all tables', ...lines].join('\n')
}
