import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { allThreads, canHold, hold, otherThreads, processors } from '../bench/measuring/processors.js'
import { TakingTurns } from '../bench/measuring/taking-turns.js'

afterEach(() => vi.restoreAllMocks())

describe('a program that runs in turns', () => {
  test('is measured from the first line of each turn to its last', async () => {
    const { program, clock, say, signals } = await warmProgram()
    for (let turn = 0; turn < 3; turn++) {
      clock.seconds += 100
      await say(50)
      program.go()
      clock.seconds += 3
      await say(7)
      for (let i = 0; i < 4; i++) {
        clock.seconds += 0.5
        await say(10)
      }
      program.stop()
    }
    expect(program.rate()).toBeCloseTo(20, 9)
    program.close()
    const turn = ['SIGCONT', 'SIGSTOP']
    expect(signals).toEqual(['SIGSTOP', ...turn, ...turn, ...turn, 'SIGKILL'])
  })

  test('has no rate before its second report', async () => {
    const { program, say } = await warmProgram()
    program.go()
    await say(10)
    expect(() => program.rate()).toThrow('too little time')
    program.close()
  })

  test.each([
    ['says something else', 'error: no rows', 'a training said: error: no rows'],
    ['ends by itself', undefined, 'ended by itself'],
  ])('fails to warm up if it %s', async (_, line, message) => {
    const { process, signals } = fakeProcess()
    const lines = (async function* () {
      if (line !== undefined) yield line
    })()
    const program = new TakingTurns(process, lines, () => [])
    await expect(program.warm()).rejects.toThrow(message)
    expect(signals).toEqual(['SIGKILL'])
  })
})

describe('processors', () => {
  test('are read from a list as Linux writes it', () => {
    expect(processors('3')).toEqual([3])
    expect(processors('0-2,8')).toEqual([0, 1, 2, 8])
  })

  test.runIf(canHold())('can be assigned to the threads of a process, one after another', async () => {
    const child = spawn(process.execPath, ['--eval', 'console.log(1); setInterval(() => {}, 1e6)'])
    try {
      await once(child.stdout, 'data')
      const pid = child.pid!
      expect(allThreads(pid)).toEqual([pid, ...otherThreads(pid)])
      const allowed = processors(held(process.pid))
      for (const number of [1, 2, 3]) {
        hold([pid], number)
        expect(processors(held(pid))).toEqual([allowed[number % allowed.length]])
      }
    } finally {
      child.kill()
    }
  })
})

function held(pid: number): string {
  return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!
}

function fakeProcess(): { process: ChildProcess; signals: unknown[] } {
  const signals: unknown[] = []
  const process = { pid: 1, kill: (signal: unknown) => signals.push(signal) }
  return { process: process as unknown as ChildProcess, signals }
}

/** A program that has printed 20 lines; the clock is set by the test. */
async function warmProgram() {
  const clock = { seconds: 0 }
  vi.spyOn(performance, 'now').mockImplementation(() => 1000 * clock.seconds)
  const { process, signals } = fakeProcess()
  const said: string[] = []
  let tell = () => {}
  let rows = 0
  const lines = (async function* () {
    for (;;) {
      while (said.length > 0) yield said.shift()!
      await new Promise<void>((resolve) => (tell = resolve))
    }
  })()
  const say = async (more: number) => {
    rows += more
    said.push(`${rows}`)
    tell()
    await setImmediate()
  }
  const program = new TakingTurns(process, lines, () => [])
  const warm = program.warm()
  for (let i = 0; i < 20; i++) await say(1)
  await warm
  return { program, clock, say, signals }
}
