import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { LayerwiseError, type Matrix, type Precision, type SparseAutoencoder } from '../../lib/index.js'

/** Most rows of one request. */
const MOST_ROWS = 1000

interface RowsBody {
  readonly rows: number[][]
}

/** How many requests were cancelled because their client had disconnected. */
export interface Counts {
  left: number
}

/**
 * A service around a trained model.
 *
 * - `POST /encode { rows }` answers `{ codes }`, `POST /score { rows }` answers `{ scores }`: squared reconstruction errors, which are large
 *   for rows unlike those of the training.
 * - `POST /train` begins to train the model further, in the background, and answers 202; 409 while it trains. `GET /train` says how far it is.
 *
 * Computing stops when the client disconnects. While the model trains, responses use its parameters after the last complete epoch.
 */
export function createApp(
  model: SparseAutoencoder<Precision>,
  digits: Matrix,
  counts: Counts = { left: 0 },
): FastifyInstance {
  const app = fastify({ bodyLimit: 16 * 2 ** 20 })
  const { inputs } = model.layers[0]!
  const row = { type: 'array', items: { type: 'number' }, minItems: inputs, maxItems: inputs }
  const rows = { type: 'array', items: row, minItems: 1, maxItems: MOST_ROWS }
  const schema = {
    body: { type: 'object', required: ['rows'], properties: { rows }, additionalProperties: false },
  }

  app.post<{ Body: RowsBody }>('/encode', { schema }, async ({ body }, reply) => {
    const codes = await model.encode(body.rows, { signal: untilClientLeaves(reply) })
    return { codes: codes.toArray() }
  })
  app.post<{ Body: RowsBody }>('/score', { schema }, async ({ body }, reply) => {
    const scores = await model.reconstructionError(body.rows, { signal: untilClientLeaves(reply) })
    return { scores: Array.from(scores) }
  })

  let training: { epoch: number; cost: number } | undefined
  app.post('/train', async (_, reply) => {
    if (training) return reply.code(409).send({ error: 'the model is being trained already' })
    training = { epoch: 0, cost: Number.NaN }
    void model
      .fit(digits, {
        epochs: 3,
        batchSize: 100,
        onEpoch: ({ epoch, cost }) => {
          training = { epoch, cost: cost.total }
        },
      })
      .catch((error: unknown) => app.log.error(error))
      .finally(() => {
        training = undefined
      })
    return reply.code(202).send({ started: true })
  })
  app.get('/train', async () => ({ running: training !== undefined, ...training }))

  app.setErrorHandler(async (error: Error & { statusCode?: number }, _, reply) => {
    if (error.name === 'AbortError') {
      counts.left++
      return reply.hijack()
    }
    const refused =
      error instanceof LayerwiseError && error.code !== 'ERR_MEMORY' && error.code !== 'ERR_LOAD'
    return reply.code(error.statusCode ?? (refused ? 400 : 500)).send({ error: error.message })
  })
  return app
}

/** Aborts when the connection closes before the response was written. */
function untilClientLeaves(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  if (reply.raw.destroyed) controller.abort()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}
