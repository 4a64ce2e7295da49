import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Ticks of the kernel's CPU accounting a second: 100 wherever Linux shows it to programs. */
const TICKS = 100

/** Seconds of CPU that processes other than this one and its descendants have used, or that a hypervisor took; available on Linux only. */
export function strangersSeconds(): number | undefined {
  if (!existsSync('/proc/stat')) return undefined
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number)
  return (user + nice + system + irq + softirq + steal - familyTicks(process.pid)) / TICKS
}

/** Of a process and all its descendants. */
function familyTicks(root: number): number {
  const parents = new Map<number, number>()
  const ticks = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = statOf(entry)
    if (stat === undefined) continue
    // The name before it may contain anything; the state is the first field after the name.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    parents.set(Number(entry), Number(fields[1]))
    // Its own in user and system mode, and those of its children that have ended.
    const used = fields.slice(11, 15).map(Number)
    ticks.set(
      Number(entry),
      used.reduce((sum, each) => sum + each, 0),
    )
  }
  let sum = 0
  for (const [pid, used] of ticks) {
    let at: number | undefined = pid
    while (at !== undefined && at !== root) at = parents.get(at)
    if (at === root) sum += used
  }
  return sum
}

/** Undefined if it has ended. */
function statOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}
