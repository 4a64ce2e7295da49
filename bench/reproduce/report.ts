import type { Environment } from '../measuring/environment.js'
import { type Figure, type Outcome, type Recipe, reached } from './recipe.js'

/** A recipe that has run. */
export interface Run {
  readonly recipe: Recipe
  readonly outcome: Outcome
  readonly seconds: number
  /** How it can be had again. */
  readonly command: string
  readonly environment: Environment
  readonly threads: number
}

const HEAD = ['', 'ours', 'published', 'goal', '']

/** For a terminal. */
export function reportText({ recipe, outcome, seconds, environment, threads }: Run): string {
  const rows = [HEAD, ...outcome.figures.map(cells)]
  const widths = HEAD.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)))
  return [
    `${recipe.name}: ${recipe.title}`,
    `published: ${recipe.source}`,
    '',
    ...rows.map((row) => `  ${row.map((cell, k) => pad(cell, widths[k]!, k)).join('  ')}`.trimEnd()),
    '',
    ...(outcome.notes ?? []),
    `${seconds.toFixed(0)} s on ${machine(environment, threads)}, commit ${environment.commit}`,
  ].join('\n')
}

/** The recipe's part of docs/results.md. */
export function section({ recipe, outcome, seconds, command, environment, threads }: Run): string {
  const table = [
    HEAD,
    HEAD.map((_, k) => (k === 0 || k === 4 ? '---' : '---:')),
    ...outcome.figures.map(cells),
  ]
  return [
    `## ${recipe.name}`,
    `${recipe.title}. Published: ${recipe.source}.`,
    '',
    ...table.map((row) => `| ${row.join(' | ')} |`),
    '',
    ...(outcome.notes ?? []).flatMap((note) => [note, '']),
    ...Object.keys(outcome.pictures ?? {}).flatMap((file) => [`![${recipe.name}](pictures/${file})`, '']),
    `\`${command}\`: ${seconds.toFixed(0)} s on ${machine(environment, threads)}; ${environment.date.slice(0, 10)}, commit ${environment.commit}.`,
    '',
  ].join('\n')
}

/** For other programs. */
export function reportJson(runs: readonly Run[]): string {
  const plain = runs.map(({ recipe, outcome, ...rest }) => ({
    name: recipe.name,
    title: recipe.title,
    source: recipe.source,
    ...rest,
    figures: outcome.figures.map((figure) => ({ ...figure, reached: reached(figure) })),
    notes: outcome.notes ?? [],
  }))
  return JSON.stringify(plain, null, 2)
}

function cells(figure: Figure): string[] {
  const { label, value, values, published = '', goal } = figure
  const verdict = goal === undefined ? '' : reached(figure) ? 'reached' : 'MISSED'
  return [label, number(value, figure) + spread(values, figure), published, goalText(figure), verdict]
}

function number(value: number, { unit, digits = 2 }: Figure): string {
  return value.toFixed(digits) + (unit === undefined ? '' : unit === '%' ? '%' : ` ${unit}`)
}

function spread(values: readonly number[] | undefined, { digits = 2 }: Figure): string {
  if (values === undefined) return ''
  return ` (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`
}

function goalText(figure: Figure): string {
  const { goal } = figure
  if (goal === undefined) return ''
  return 'atLeast' in goal ? `≥ ${number(goal.atLeast, figure)}` : `≤ ${number(goal.atMost, figure)}`
}

function machine({ cpu }: Environment, threads: number): string {
  return `${cpu}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
