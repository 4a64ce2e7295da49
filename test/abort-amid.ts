import { expect, vi } from 'vitest'
import type { NativeRun } from '../lib/native/binding.js'
import { binding } from '../lib/native/load.js'
import { rejection } from './sample.js'

/** The native calls that compute and can be stopped. */
const STOPPABLE = [
  ...(['forward', 'evaluate', 'scan', 'trainSpan'] as const),
  ...(['covariance', 'eigen', 'leadingDirections'] as const),
]

/** Milliseconds that other threads than JavaScript's have worked before the abort. */
const WORKED = 3

/** A native call that is under way, or what became of it. */
interface NativeCall {
  readonly name: (typeof STOPPABLE)[number]
  /** The flags shared by JavaScript and native code. */
  readonly flags: Int32Array
  readonly since: {
    readonly cpu: NodeJS.CpuUsage
    readonly loop: ReturnType<typeof performance.eventLoopUtilization>
  }
  ended?: 'finished' | 'cancelled'
}

/** A call with a signal, and whether it would end by itself. */
export interface Abortable {
  readonly start: (signal: AbortSignal) => Promise<unknown>
  readonly endless: boolean
}

/**
 * Starts a call and aborts it after native code has computed for a while on its own threads. Expects that the call rejects with the reason;
 * and, if it would have ended by itself, that native code stopped before.
 */
export async function expectStopped({ start, endless }: Abortable): Promise<void> {
  const reason = new Error('enough')
  const controller = new AbortController()
  const seen: NativeCall[] = []
  const spies = STOPPABLE.map((name) => watch(name, seen))
  try {
    let over = false
    const outcome = rejection(start(controller.signal)).finally(() => {
      over = true
    })
    while (!over && !seen.some(isComputing)) await new Promise((resolve) => setTimeout(resolve, 1))
    const underWay = seen.filter(hasBegun)
    controller.abort(reason)
    expect(await outcome).toBe(reason)
    expect(underWay).not.toHaveLength(0)
    if (!endless) expect(underWay.map(({ ended }) => ended)).toContain('cancelled')
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

function watch(name: (typeof STOPPABLE)[number], seen: NativeCall[]) {
  const native = binding() as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  const original = native[name]!
  return vi.spyOn(native, name).mockImplementation((...args) => {
    const { flags } = args.at(-1) as NativeRun
    const since = { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization() }
    const call: NativeCall = { name, flags, since }
    const result = original.apply(native, args)
    seen.push(call)
    result.then(
      (value) => {
        const parts = Array.isArray(value) ? (value as { cancelled?: boolean }[]) : []
        call.ended = parts.some(({ cancelled }) => cancelled === true) ? 'cancelled' : 'finished'
      },
      (error) => {
        call.ended = (error as { code?: string }).code === 'CANCELLED' ? 'cancelled' : 'finished'
      },
    )
    return result
  })
}

/** It has begun and is not finished. */
function hasBegun({ flags, ended }: NativeCall): boolean {
  return flags[1] === 1 && ended === undefined
}

/**
 * The process has worked for longer than its event loop was busy: the difference is other threads'. A scan of the rows takes about as
 * long as that, and may end before an abort reaches it.
 */
function isComputing(call: NativeCall): boolean {
  const { user, system } = process.cpuUsage(call.since.cpu)
  const { active } = performance.eventLoopUtilization(call.since.loop)
  return call.name !== 'scan' && hasBegun(call) && (user + system) / 1000 - active > WORKED
}
