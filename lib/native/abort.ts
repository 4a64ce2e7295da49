const followersOf = new WeakMap<AbortSignal, Followers>()

/**
 * Calls `aborted` when the signal is aborted. However many calls are given one signal, it has one listener: Node takes more than
 * ten for a leak and warns.
 *
 * @param aborted - a function that follows this signal once at a time; must not throw
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
