/** Memory that was given away stays: threads that still read it would end the process, if it were freed (docs/errors.md). */
const held: ArrayBufferLike[] = []

/** Transfers the memory of an array to another owner, who keeps it. */
export function giveAway({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  held.push(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }))
}
