import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/**
 * Refuses what is no regular file: reading a pipe or a device may never end. Refuses an ELF file whose end is missing, as an interrupted
 * copy leaves it: the system's loader would not fail on it but end the process (SIGBUS). Section headers come last in such files. Other
 * formats, whose loaders look for themselves, pass.
 *
 * @throws Error telling how much is missing
 */
export function checkWhole(path: string): void {
  if (!statSync(path).isFile()) throw new Error('it is not a regular file')
  const header = new DataView(new ArrayBuffer(64))
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) throw new Error('the file is damaged: it is empty')
    const read = readSync(file, header, 0, header.byteLength, 0)
    const elf64LittleEndian =
      header.getUint32(0) === 0x7f454c46 && header.getUint8(4) === 2 && header.getUint8(5) === 1
    if (read < header.byteLength || !elf64LittleEndian) return
    const end =
      Number(header.getBigUint64(40, true)) + header.getUint16(58, true) * header.getUint16(60, true)
    if (size < end) throw new Error(`the file is damaged: it has ${size} of at least ${end} bytes`)
  } finally {
    closeSync(file)
  }
}
