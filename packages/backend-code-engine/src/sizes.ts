/**
 * Sizes of instances that there are: memory in G, by processors. From: "Supported memory and CPU combinations",
 * https://cloud.ibm.com/docs/codeengine?topic=codeengine-mem-cpu-combo, looked up in November 2026.
 */
const MEMORY_BY_CPU: readonly (readonly [cpu: number, memory: readonly number[]])[] = [
  [0.125, [0.25, 0.5, 1]],
  [0.25, [0.5, 1, 2]],
  [0.5, [1, 2, 4]],
  [1, [2, 4, 8]],
  [2, [4, 8, 16]],
  [4, [8, 16, 32]],
  [6, [12, 24, 48]],
  [8, [16, 32]],
  [10, [20, 40]],
  [12, [24, 48]],
]
/** Lithops counts 1024 MB where the platform says 1 G. */
const MIB_PER_G = 1024

/** Size of an instance, as the platform is told. */
export interface InstanceSize {
  readonly cpu: number
  readonly memoryMiB: number
  /** `scale_cpu_limit` */
  readonly cpuLimit: string
  /** `scale_memory_limit` */
  readonly memoryLimit: string
}

/**
 * The size with this memory, and with these processors or, where none are given, the fewest that the platform gives with so
 * much memory.
 *
 * @returns the size, or what is wrong and which ones there are
 */
export function sizeOf(memoryMiB: number, cpu: number | undefined): InstanceSize | string {
  const memory = memoryMiB / MIB_PER_G
  const withMemory = MEMORY_BY_CPU.filter(([, all]) => all.includes(memory)).map(([one]) => one)
  const [fewest] = withMemory
  if (fewest === undefined) {
    const all = [...new Set(MEMORY_BY_CPU.flatMap(([, some]) => some))].sort((a, b) => a - b)
    return `a memory of ${memoryMiB} MB does not exist; there are ${all.map(g => g * MIB_PER_G).join(', ')}`
  }
  const chosen = cpu ?? fewest
  if (!withMemory.includes(chosen)) {
    const [, memories = []] = MEMORY_BY_CPU.find(([one]) => one === chosen) ?? []
    const other =
      memories.length === 0
        ? ''
        : `, and with ${chosen} CPU ${memories.map(g => g * MIB_PER_G).join(', ')} MB`
    return `${chosen} CPU with ${memoryMiB} MB do not exist; with ${memoryMiB} MB there are ${withMemory.join(', ')} CPU${other}`
  }
  return { cpu: chosen, memoryMiB, cpuLimit: String(chosen), memoryLimit: `${memory}G` }
}
