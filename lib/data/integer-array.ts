/** Typed arrays that hold whole numbers, but for those of BigInts. */
export type IntegerArray =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
