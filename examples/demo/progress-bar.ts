import type { EpochEvent, FitProgress } from '../../lib/index.js'

/** One line redrawn where a person watches, a line an epoch where a file or a pipe does. */
export function progressBar(stream: { isTTY: boolean; write(text: string): boolean }): {
  onProgress: (progress: FitProgress) => void
  onEpoch: (event: EpochEvent) => void
} {
  let epochs = 0
  const redraw = (progress: FitProgress) => stream.write(`\r${progressLine(progress)}\x1b[K`)
  return {
    onProgress: (progress) => {
      epochs = progress.epochs
      if (stream.isTTY) redraw(progress)
    },
    onEpoch: (event) => {
      if (!stream.isTTY) stream.write(`${epochLine(event, epochs)}\n`)
      else if (event.epoch === epochs) stream.write('\n')
    },
  }
}

/** `█████░░░░░ epoch 10/20  cost 15.31  54,000 samples/s  0:12 left` */
export function progressLine(progress: FitProgress, width = 24): string {
  const { epoch, epochs, step, steps, cost, samplesPerSecond, secondsLeft } = progress
  const done = Math.round((width * (epoch - 1 + step / steps)) / epochs)
  const bar = '█'.repeat(done) + '░'.repeat(width - done)
  return `${bar} epoch ${epoch}/${epochs}  cost ${cost.total.toFixed(2)}  ${rate(samplesPerSecond)}  ${clock(secondsLeft)} left`
}

function epochLine({ epoch, cost, samplesPerSecond, seconds }: EpochEvent, epochs: number): string {
  const place = `epoch ${`${epoch}`.padStart(`${epochs}`.length)}/${epochs}`
  return `${place}  cost ${cost.total.toFixed(2).padStart(6)}  ${rate(samplesPerSecond)}  ${seconds.toFixed(1)} s`
}

function rate(samplesPerSecond: number): string {
  return `${Math.round(samplesPerSecond).toLocaleString('en')} samples/s`
}

/** Minutes and seconds. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds)
  return Number.isFinite(whole) ? `${Math.floor(whole / 60)}:${`${whole % 60}`.padStart(2, '0')}` : '–:––'
}
