import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/**
 * Refuses an ELF file whose end is missing, as an interrupted copy leaves it: the system's loader would not fail on it but end the process
 * (SIGBUS). Section headers come last in such files. Other formats, whose loaders look for themselves, pass.
 *
 * @throws Error telling how much is missing
 */
export function checkWhole(path: string): void {
  const header = Buffer.alloc(64)
  const file = openSync(path, 'r')
  try {
    const read = readSync(file, header, 0, header.length, 0)
    const elf64LittleEndian = header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1
    if (read < header.length || !elf64LittleEndian) return
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60)
    const { size } = fstatSync(file)
    if (size < end) throw new Error(`the file is damaged: it has ${size} of at least ${end} bytes`)
  } finally {
    closeSync(file)
  }
}
