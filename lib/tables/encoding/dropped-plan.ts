import type { ColumnPlan } from './encoded-column.js'

/** A column that the options leave out. It need not be there later. */
export class DroppedPlan implements ColumnPlan {
  readonly name: string
  readonly cells = 'number'
  readonly columns = []
  readonly reason = 'the option columns drops it'

  constructor(name: string) {
    this.name = name
  }

  encode(): undefined {}

  decode(): null {
    return null
  }

  toJSON(): object {
    return { kind: 'drop', name: this.name }
  }
}
