/**
 * Repeats published experiments: `npm run reproduce` lists them.
 *
 *   npm run reproduce -- NAME [--quick] [--json] [--validate] [--data FOLDER]
 *
 * The report goes to standard output, everything else to standard error. Exit status 1: a goal was missed, or a run failed; 2: bad
 * arguments. A full run writes its section of docs/results.md, and its pictures.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runtime } from '../../lib/index.js'
import { environment } from '../measuring/environment.js'
import { setUp } from '../measuring/set-up.js'
import { type Arguments, parseArguments, usage } from './arguments.js'
import { Progress } from './progress.js'
import { type Recipe, reached } from './recipe.js'
import { recipes } from './recipes.js'
import { type Run, reportJson, reportText, section } from './report.js'
import { withSection } from './results.js'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const names = recipes.map(({ name }) => name)

function parsed(): Arguments {
  try {
    return parseArguments(process.argv.slice(2), names)
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}\n${list()}`)
    process.exit(2)
  }
}

function list(): string {
  return recipes.map(({ name, title }) => `  ${name.padEnd(18)}${title}`).join('\n')
}

async function runRecipe(recipe: Recipe, given: Arguments): Promise<Run> {
  const { quick, validate, folder } = given
  const progress = new Progress(process.stderr)
  progress.say(`${recipe.name}: ${recipe.title}`)
  const before = environment()
  const start = performance.now()
  const { say, onProgress } = progress
  const outcome = await recipe.run({ quick, validate, folder, say, onProgress })
  const seconds = (performance.now() - start) / 1000
  const command = `npm run reproduce -- ${[recipe.name, ...flags(given)].join(' ')}`
  const { threads } = runtime()
  return {
    recipe,
    outcome: validate ? withoutGoals(outcome) : outcome,
    seconds,
    command,
    environment: before,
    threads,
  }
}

function flags({ quick, validate, folder }: Arguments): string[] {
  return [
    ...(quick ? ['--quick'] : []),
    ...(validate ? ['--validate'] : []),
    ...(folder === undefined ? [] : ['--data FOLDER']),
  ]
}

/** Goals are for the test rows. */
function withoutGoals(outcome: Run['outcome']): Run['outcome'] {
  return { ...outcome, figures: outcome.figures.map(({ goal: _, ...figure }) => figure) }
}

async function record(run: Run): Promise<void> {
  const pictures = `${docs}pictures/`
  await mkdir(pictures, { recursive: true })
  for (const [file, content] of Object.entries(run.outcome.pictures ?? {})) {
    await writeFile(pictures + file, content)
  }
  const path = `${docs}results.md`
  const document = existsSync(path) ? readFileSync(path, 'utf8') : ''
  await writeFile(path, withSection(document, names, run.recipe.name, section(run)))
}

async function reproduce(given: Arguments): Promise<boolean> {
  const wanted = recipes.filter(({ name }) => given.names.includes(name))
  const needs = given.folder === undefined ? wanted.flatMap((recipe) => recipe.needs ?? []) : []
  setUp('--data', ...needs)
  const runs: Run[] = []
  let failures = 0
  for (const recipe of wanted) {
    try {
      const run = await runRecipe(recipe, given)
      runs.push(run)
      if (!given.json) console.log(`${reportText(run)}\n`)
      if (!given.quick && !given.validate) await record(run)
    } catch (error) {
      failures++
      console.error(`${recipe.name}: ${(error as Error).stack}`)
    }
  }
  if (given.json) console.log(reportJson(runs))
  return failures === 0 && runs.every(({ outcome }) => outcome.figures.every(reached))
}

const given = parsed()
if (given.names.length === 0) console.log(`${usage}\n\n${list()}`)
else if (!(await reproduce(given))) process.exitCode = 1
