// What a worker is, in exit codes: for platforms that tell how the instances of a batch ended, and not what they wrote. Both
// halves import this file.

/** `RuntimeMetadata`, as far as numbers can tell it. */
export interface ExitMetadata {
  readonly lithopsVersion: string
  readonly protocolVersion: number
  readonly nodeVersion: string
  readonly platform: string
  readonly arch: string
}

/** Variable of a worker with the argument `metadata` that is to say one number, that of its index, by its exit code. */
export const TELL_BY_EXIT_VARIABLE = 'LITHOPS_TELL_BY_EXIT'
/** How many numbers there are: indices from 0. */
export const EXIT_FACTS = 9

const ARCHITECTURES = ['x64', 'arm64']
const LARGEST_EXIT_CODE = 255
/** Says of an architecture that it is none of these. */
const UNKNOWN = 9
/** Below the exit codes of shells. */
const SUM_MODULUS = 97

/** The numbers of a worker: three of its Node's version, three of its own, its protocol's, one for its architecture, and a sum. */
export function exitFactsOf(metadata: ExitMetadata): number[] {
  const { nodeVersion, lithopsVersion, protocolVersion, arch } = metadata
  const architecture = ARCHITECTURES.indexOf(arch)
  const numbers = [
    ...partsOf(nodeVersion),
    ...partsOf(lithopsVersion),
    protocolVersion,
    architecture < 0 ? UNKNOWN : architecture,
  ]
  const codes = numbers.map(number => Math.min(LARGEST_EXIT_CODE, number))
  return [...codes, sumOf(codes)]
}

/**
 * What workers of these exit codes, by their indices, are; undefined where the codes were not theirs, as when Node ends all of them
 * with 9 because of an option that it does not know. Their platform is Linux: they are containers.
 */
export function metadataOfExits(codes: readonly number[]): ExitMetadata | undefined {
  if (codes.length !== EXIT_FACTS || codes.at(-1) !== sumOf(codes.slice(0, -1))) return undefined
  const [nodeMajor, nodeMinor, nodePatch, major, minor, patch, protocolVersion = 0, arch = UNKNOWN] = codes
  return {
    nodeVersion: `v${nodeMajor}.${nodeMinor}.${nodePatch}`,
    lithopsVersion: `${major}.${minor}.${patch}`,
    protocolVersion,
    platform: 'linux',
    arch: ARCHITECTURES[arch] ?? 'unknown',
  }
}

/** Never 0, which a program that tells nothing ends with. */
function sumOf(codes: readonly number[]): number {
  return (codes.reduce((sum, code) => sum + code, 0) % SUM_MODULUS) + 1
}

function partsOf(version: string): number[] {
  const [, ...parts] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? ['', '0', '0', '0']
  return parts.map(Number)
}
