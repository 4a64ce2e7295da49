import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'

/** Interval of messages for a program that reports no progress. */
const SILENCE_MS = 15_000

/** Part of a log that is shown when its program has failed. */
const LAST_LINES = 60

/**
 * Runs a program that takes minutes: its output goes into a log, and only its progress is shown, by CMake's percentages or its running
 * time. Our own code compiles with warnings as errors, so warnings in the log are from third-party code.
 *
 * @param {string} what this is, for the reader
 * @param {{ program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv, log: string }} how
 * @returns {Promise<void>}
 * @throws {Error} with the end of the log, if it fails
 */
export async function runShowing(what, { program, args, cwd, env, log }) {
  const start = performance.now()
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(0)} s`
  const file = createWriteStream(log, { flags: 'a' })
  let text = ''
  let shown = -1
  console.log(`${what} …`)
  const timer = setInterval(() => console.log(`${what}: still at it after ${seconds()}`), SILENCE_MS)
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ part) => {
      file.write(part)
      text += part
      const percent = Number(/.*\[ *(\d+)%\]/s.exec(part)?.[1] ?? -1)
      if (percent < shown + 10) return
      shown = percent
      timer.refresh()
      console.log(`${what}: ${percent}% after ${seconds()}`)
    })
  }
  const ending = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${code ?? signal}`))
  })
  clearInterval(timer)
  await finished(file.end())
  if (ending === undefined) return
  const end = text.trimEnd().split('\n').slice(-LAST_LINES).join('\n')
  throw new Error(`${what}: ${program} ${ending}\n${end}\nAll of it: ${log}`)
}
