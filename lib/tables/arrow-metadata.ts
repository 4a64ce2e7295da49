/**
 * Checks the metadata of Arrow's IPC format, which are FlatBuffers, before apache-arrow reads them: it believes every length, and a damaged one makes it loop or
 * allocate for as long as the number says.
 */

/** Where a record batch lies in a file. */
export interface ArrowBlock {
  readonly offset: number
  /** Of the message, with its length and padding. */
  readonly metadataLength: number
  readonly bodyLength: number
  /** Whether it is listed as a dictionary, not as a batch of rows. */
  readonly isDictionary: boolean
}

/** Thrown for metadata that are not whole. */
export class MetadataError extends Error {}

/**
 * The length of the body behind a message.
 *
 * @param isDictionary - whether it has to be a dictionary, or has to be a batch of rows; default: any message
 * @throws {@link MetadataError} for a damaged one
 */
export function checkMessage(bytes: Uint8Array, isDictionary?: boolean): number {
  const metadata = new Metadata(bytes)
  const message = metadata.root()
  const kind = metadata.byte(message, 1)
  const bodyLength = metadata.int64(message, 3)
  if (bodyLength < 0) throw new MetadataError('a message has a negative length')
  // apache-arrow goes on looking for a batch of rows, at the same place, where there is another message.
  if (isDictionary !== undefined && kind !== (isDictionary ? DICTIONARY_BATCH : RECORD_BATCH))
    throw new MetadataError('the footer names another kind of message')
  const header = metadata.tableAt(message, 2)
  metadata.keyValues(message, 4)
  if (header === undefined) throw new MetadataError('a message is empty')
  if (kind === SCHEMA) metadata.schema(header)
  else if (kind === RECORD_BATCH) metadata.recordBatch(header, bodyLength)
  else if (kind === DICTIONARY_BATCH) {
    const batch = metadata.tableAt(header, 1)
    if (batch === undefined) throw new MetadataError('a dictionary is empty')
    metadata.recordBatch(batch, bodyLength)
  } else throw new MetadataError('a message is of an unknown kind')
  return bodyLength
}

/** The blocks that the footer of a file names. @throws {@link MetadataError} for a damaged one */
export function checkFooter(bytes: Uint8Array): readonly ArrowBlock[] {
  const metadata = new Metadata(bytes)
  const footer = metadata.root()
  const schema = metadata.tableAt(footer, 1)
  if (schema === undefined) throw new MetadataError('the footer has no schema')
  metadata.schema(schema)
  metadata.keyValues(footer, 4)
  return [...metadata.blocks(footer, 2, true), ...metadata.blocks(footer, 3, false)]
}

const [SCHEMA, DICTIONARY_BATCH, RECORD_BATCH] = [1, 2, 3]
const [TIMESTAMP, UNION] = [10, 14]
const DEEPEST = 64
/** Rows of a batch that has no memory, since all its columns are null. */
const MOST_NULLS = 2 ** 31 - 1

/** A table of a FlatBuffer: its place, and where its fields are listed. */
interface FlatTable {
  readonly at: number
  readonly fields: number
  readonly size: number
}

interface FlatVector {
  readonly at: number
  readonly count: number
}

class Metadata {
  readonly #view: DataView
  /** What may still be visited: each part is visited once, unless places overlap. */
  #left: number

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#left = 2 * bytes.length + 64
  }

  root(): FlatTable {
    return this.#table(this.#uint32(0))
  }

  tableAt(table: FlatTable, field: number): FlatTable | undefined {
    const at = this.#field(table, field)
    return at === undefined ? undefined : this.#table(at + this.#uint32(at))
  }

  byte(table: FlatTable, field: number): number {
    const at = this.#field(table, field)
    return at === undefined ? 0 : this.#view.getUint8(this.#within(at, 1))
  }

  int64(table: FlatTable, field: number): number {
    const at = this.#field(table, field)
    return at === undefined ? 0 : this.#int64(at)
  }

  schema(schema: FlatTable): void {
    this.#fields(schema, 1, 0)
    this.keyValues(schema, 2)
    this.#vector(schema, 3, 8)
  }

  keyValues(table: FlatTable, field: number): void {
    this.#each(table, field, (pair) => {
      this.#vector(pair, 0, 1)
      this.#vector(pair, 1, 1)
    })
  }

  recordBatch(batch: FlatTable, bodyLength: number): void {
    const rows = this.int64(batch, 0)
    const nodes = this.#vector(batch, 1, 16)
    const buffers = this.#vector(batch, 2, 16)
    const isPacked = this.tableAt(batch, 3) !== undefined
    this.#vector(batch, 4, 8)
    // A value takes a bit at least, unless it is compressed.
    const most = isPacked || bodyLength === 0 ? MOST_NULLS : bodyLength * 8
    if (rows < 0 || rows > most) throw new MetadataError(`a batch of ${bodyLength} bytes claims ${rows} rows`)
    for (let i = 0; i < nodes.count; i++) {
      const length = this.#int64(nodes.at + i * 16)
      if (length < 0 || length > Math.max(most, rows))
        throw new MetadataError(`a column claims ${length} values`)
    }
    for (let i = 0; i < buffers.count; i++) {
      const [offset, length] = [this.#int64(buffers.at + i * 16), this.#int64(buffers.at + i * 16 + 8)]
      if (offset < 0 || length < 0 || offset + length > bodyLength)
        throw new MetadataError('a column lies outside of its batch')
    }
  }

  blocks(footer: FlatTable, field: number, isDictionary: boolean): ArrowBlock[] {
    const { at, count } = this.#vector(footer, field, 24)
    return Array.from({ length: count }, (_, i) => {
      const place = at + i * 24
      return {
        offset: this.#int64(place),
        metadataLength: this.#view.getInt32(place + 8, true),
        bodyLength: this.#int64(place + 16),
        isDictionary,
      }
    })
  }

  #fields(table: FlatTable, field: number, depth: number): void {
    if (depth > DEEPEST) throw new MetadataError('columns are nested too deep')
    this.#each(table, field, (one) => {
      this.#vector(one, 0, 1)
      const type = this.tableAt(one, 3)
      const kind = this.byte(one, 2)
      if (type !== undefined && kind === TIMESTAMP) this.#vector(type, 1, 1)
      if (type !== undefined && kind === UNION) this.#vector(type, 1, 4)
      const dictionary = this.tableAt(one, 4)
      if (dictionary !== undefined) this.tableAt(dictionary, 1)
      this.#fields(one, 5, depth + 1)
      this.keyValues(one, 6)
    })
  }

  /** The tables of a vector. */
  #each(table: FlatTable, field: number, visit: (table: FlatTable) => void): void {
    const { at, count } = this.#vector(table, field, 4)
    for (let i = 0; i < count; i++) {
      const place = at + i * 4
      visit(this.#table(place + this.#uint32(place)))
    }
  }

  #vector(table: FlatTable, field: number, size: number): FlatVector {
    const place = this.#field(table, field)
    if (place === undefined) return { at: 0, count: 0 }
    const at = place + this.#uint32(place)
    const count = this.#uint32(at)
    this.#within(at + 4, count * size)
    this.#spend(count)
    return { at: at + 4, count }
  }

  #table(at: number): FlatTable {
    this.#spend(1)
    const fields = at - this.#view.getInt32(this.#within(at, 4), true)
    const size = this.#view.getInt16(this.#within(fields, 4), true)
    this.#within(fields, Math.max(4, size))
    return { at, fields, size }
  }

  /** Where a field lies; undefined if it is absent. */
  #field({ at, fields, size }: FlatTable, field: number): number | undefined {
    const slot = 4 + 2 * field
    // Where a list is said to end within an entry, apache-arrow reads the entry.
    const offset = slot >= size ? 0 : this.#view.getInt16(this.#within(fields + slot, 2), true)
    return offset === 0 ? undefined : this.#within(at + offset, 1)
  }

  #uint32(at: number): number {
    return this.#view.getUint32(this.#within(at, 4), true)
  }

  #int64(at: number): number {
    return Number(this.#view.getBigInt64(this.#within(at, 8), true))
  }

  #within(at: number, length: number): number {
    if (at < 0 || at + length > this.#view.byteLength) throw new MetadataError('its metadata are damaged')
    return at
  }

  #spend(count: number): void {
    this.#left -= count
    if (this.#left < 0) throw new MetadataError('parts of its metadata overlap')
  }
}
