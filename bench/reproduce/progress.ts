import type { FitProgress } from '../../lib/index.js'

/** A line now and then where a file or a pipe listens; one line, redrawn, where a person watches. */
const SECONDS_BETWEEN = { line: 10, redrawn: 0.2 }

interface Listener {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export class Progress {
  readonly #stream: Listener
  readonly #start = performance.now()
  #last = -Infinity
  #open = false

  constructor(stream: Listener) {
    this.#stream = stream
  }

  readonly say = (line: string): void => {
    if (this.#open) this.#stream.write('\r\x1b[K')
    this.#open = false
    this.#stream.write(`${this.#seconds().toFixed(0).padStart(5)} s  ${line}\n`)
  }

  readonly onProgress = (progress: FitProgress): void => {
    const now = this.#seconds()
    const { isTTY = false } = this.#stream
    if (now - this.#last < (isTTY ? SECONDS_BETWEEN.redrawn : SECONDS_BETWEEN.line)) return
    this.#last = now
    const line = `${now.toFixed(0).padStart(5)} s  ${progressLine(progress)}`
    this.#stream.write(isTTY ? `\r${line}\x1b[K` : `${line}\n`)
    this.#open = isTTY
  }

  #seconds(): number {
    return (performance.now() - this.#start) / 1000
  }
}

const PHASES = { layer: 'layer', fineTune: 'fine-tuning', softmax: 'softmax' }

/** `layer 2: 120 of 400, cost 12.41` */
export function progressLine({ phase, layer, epoch, epochs, cost }: FitProgress): string {
  const name = phase === undefined ? 'training' : PHASES[phase]
  return `${name}${layer === undefined ? '' : ` ${layer}`}: ${epoch} of ${epochs}, cost ${cost.total.toPrecision(4)}`
}
