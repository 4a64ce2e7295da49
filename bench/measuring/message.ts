import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** The next message of a process. @throws Error if it ends first */
export async function message<T>(child: ChildProcess): Promise<T> {
  const done = new AbortController()
  const { signal } = done
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the process ended with ${code}`)
  })
  try {
    const [said] = (await Promise.race([once(child, 'message', { signal }), ended])) as [T]
    return said
  } finally {
    done.abort()
    // The event that did not happen is aborted.
    ended.catch(() => {})
  }
}
