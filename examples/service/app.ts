import fastify, { type FastifyInstance } from 'fastify'
import { type AnomalyAnswer, type ExplainedColumn, LayerwiseError } from '../../lib/index.js'
import type { Learner } from './learner.js'
import { COLUMNS } from './orders.js'

/** Most orders of one request: each is scored on the event loop, in some microseconds. */
const MOST_ROWS = 1000
/** How many orders of a request are explained, each in less than a millisecond, and by how many columns. */
const [EXPLAINED, REASONS] = [3, 2]

/** What is said of one order. */
export interface Answer extends AnomalyAnswer {
  /** Of the strangest ones: the columns that are most to blame. */
  readonly because?: readonly ExplainedColumn[]
}

/** What `GET /status` answers. */
export interface Status {
  readonly learned: number
  /** The score above which an order is strange. */
  readonly threshold: number
  /** Why the last try to learn failed; absent if it did not. */
  readonly problem?: string | undefined
}

/** An order that the detector refuses. */
class BadOrder extends Error {
  readonly row: number

  constructor(row: number, cause: LayerwiseError) {
    super(cause.message, { cause })
    this.row = row
  }
}

/**
 * - `POST /score { rows }` answers with an {@link Answer} for each order; with 400, the code and the message of the error for one that cannot be scored.
 * - `POST /learn` begins to learn a new detector from all orders in the database, and answers 202; 409 while one is learned.
 * - `GET /status` answers with {@link Status}.
 */
export function createApp(learner: Learner): FastifyInstance {
  // A misspelt column is refused, and a text is not taken for a number.
  const app = fastify({ ajv: { customOptions: { removeAdditional: false, coerceTypes: false } } })
  const order = {
    type: 'object',
    properties: Object.fromEntries(COLUMNS.map((name) => [name, {}])),
    required: COLUMNS,
    additionalProperties: false,
  }
  const rows = { type: 'array', items: order, minItems: 1, maxItems: MOST_ROWS }
  const body = { type: 'object', properties: { rows }, required: ['rows'], additionalProperties: false }

  app.post<{ Body: { rows: Record<string, unknown>[] } }>('/score', { schema: { body } }, async ({ body }) =>
    answersOf(learner, body.rows),
  )
  app.post('/learn', async (_, reply) => {
    const begun = learner.begin()
    return reply.code(begun ? 202 : 409).send({ begun })
  })
  app.get('/status', async (): Promise<Status> => {
    const { detector, learned, problem } = learner
    return { learned, threshold: detector.threshold.score, problem }
  })

  app.setErrorHandler(async (error: Error & { statusCode?: number; code?: string }, _, reply) => {
    if (error instanceof BadOrder) {
      const { code, message } = error.cause as LayerwiseError
      return reply.code(400).send({ code, message, row: error.row })
    }
    return reply.code(error.statusCode ?? 500).send({ code: error.code, message: error.message })
  })
  return app
}

function answersOf({ detector }: Learner, orders: readonly Record<string, unknown>[]): Answer[] {
  const answers: Answer[] = orders.map((order, row) => {
    try {
      return detector.predictSync(order)
    } catch (error) {
      throw error instanceof LayerwiseError ? new BadOrder(row, error) : error
    }
  })
  const strange = [...answers.keys()].filter((row) => answers[row]!.isAnomaly)
  strange.sort((a, b) => answers[b]!.score - answers[a]!.score)
  for (const row of strange.slice(0, EXPLAINED))
    answers[row] = { ...answers[row]!, because: detector.explain(orders[row]!).slice(0, REASONS) }
  return answers
}
