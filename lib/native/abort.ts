const followersOf = new WeakMap<AbortSignal, Followers>()

/**
 * Calls `aborted` when the signal is aborted. A signal has one listener for any number of calls: Node regards more than ten as a leak and
 * warns.
 *
 * @param aborted - a function that is registered at most once for this signal; must not throw
 * @returns a function that ends it
 */
export function onAbort(signal: AbortSignal, aborted: () => void): () => void {
  let followers = followersOf.get(signal)
  if (!followers) {
    followers = new Followers(signal)
    followersOf.set(signal, followers)
  }
  return followers.add(aborted)
}

/**
 * Awaits something that cannot be stopped. After an abort its result is ignored.
 *
 * @throws `signal.reason` when the signal is aborted; what it rejects with
 */
export async function unlessAborted<T>(waited: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return waited
  let unfollow = () => {}
  const aborted = new Promise<never>((_, reject) => {
    const end = () => reject(signal.reason)
    // By the source itself, say.
    if (signal.aborted) end()
    else unfollow = onAbort(signal, end)
  })
  try {
    return await Promise.race([waited, aborted])
  } finally {
    unfollow()
  }
}

class Followers {
  readonly #signal: AbortSignal
  readonly #functions = new Set<() => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(aborted: () => void): () => void {
    if (this.#functions.size === 0) this.#signal.addEventListener('abort', this.#tell)
    this.#functions.add(aborted)
    return () => {
      this.#functions.delete(aborted)
      if (this.#functions.size === 0) this.#signal.removeEventListener('abort', this.#tell)
    }
  }

  readonly #tell = (): void => {
    for (const aborted of [...this.#functions]) aborted()
  }
}
