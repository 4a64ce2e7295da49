import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/**
 * Refuses anything but a regular file: reading a pipe or a device may never end. Refuses a truncated ELF file, for instance from an
 * interrupted copy: the system's loader would end the process (SIGBUS). Section headers are at the end of such files. Other formats are
 * accepted, since their loaders check this.
 *
 * @throws Error with the number of missing bytes
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
