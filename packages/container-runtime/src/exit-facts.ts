// What a worker is, in exit codes: for platforms that tell how the instances of a batch ended, and not what they wrote. Both
// halves import this file.

/** `RuntimeMetadata`, as far as numbers can tell it. */
export interface ExitMetadata {
  readonly lithopsVersion: string
  readonly protocolVersion: number
  readonly nodeVersion: string
  readonly platform: string
  readonly arch: string
  /** Hashes of the functions that its image brings. Absent: none. */
  readonly functions?: readonly string[]
}

/** What the first numbers tell: which functions there are is told by further ones. */
export interface ExitHead extends Omit<ExitMetadata, 'functions'> {
  readonly functionCount: number
}

/** Variable of a worker with the argument `metadata` that is to say one number, that of its index, by its exit code. */
export const TELL_BY_EXIT_VARIABLE = 'LITHOPS_TELL_BY_EXIT'
/** How many numbers tell what a worker is: indices from 0. */
export const EXIT_FACTS = 10

const ARCHITECTURES = ['x64', 'arm64']
const LARGEST_EXIT_CODE = 255
/** Says of an architecture that it is none of these. */
const UNKNOWN = 9
/** Below the exit codes of shells. */
const SUM_MODULUS = 97
/** A hash is 32 hexadecimal digits: so many pairs of decimal ones, each of which is an exit code that no shell has. */
const PAIRS_OF_HASH = 20
const HASH_DIGITS = 32

/**
 * The numbers of a worker: three of its Node's version, three of its own, its protocol's, one for its architecture, how many
 * functions its image brings, and a sum; then, where there are functions, their hashes, and the sum of those.
 */
export function exitFactsOf(metadata: ExitMetadata): number[] {
  const { nodeVersion, lithopsVersion, protocolVersion, arch, functions = [] } = metadata
  const architecture = ARCHITECTURES.indexOf(arch)
  const numbers = [
    ...partsOf(nodeVersion),
    ...partsOf(lithopsVersion),
    protocolVersion,
    architecture < 0 ? UNKNOWN : architecture,
    functions.length,
  ]
  const head = withSum(numbers.map(number => Math.min(LARGEST_EXIT_CODE, number)))
  return functions.length === 0 ? head : [...head, ...withSum(functions.flatMap(pairsOf))]
}

/**
 * What workers of these exit codes, by their indices from 0 to EXIT_FACTS, are; undefined where the codes were not theirs, as when
 * Node ends all of them with 9 because of an option that it does not know. Their platform is Linux: they are containers.
 */
export function metadataOfExits(codes: readonly number[]): ExitHead | undefined {
  if (codes.length !== EXIT_FACTS || !hasItsSum(codes)) return undefined
  const [
    nodeMajor,
    nodeMinor,
    nodePatch,
    major,
    minor,
    patch,
    protocolVersion = 0,
    arch = UNKNOWN,
    functionCount = 0,
  ] = codes
  return {
    nodeVersion: `v${nodeMajor}.${nodeMinor}.${nodePatch}`,
    lithopsVersion: `${major}.${minor}.${patch}`,
    protocolVersion,
    platform: 'linux',
    arch: ARCHITECTURES[arch] ?? 'unknown',
    functionCount,
  }
}

/** Indices of the workers that tell the hashes of so many functions. */
export function functionFacts(functionCount: number): number[] {
  const length = functionCount === 0 ? 0 : functionCount * PAIRS_OF_HASH + 1
  return Array.from({ length }, (_, i) => EXIT_FACTS + i)
}

/** The hashes that workers of `functionFacts` have told by these exit codes; undefined where the codes were not theirs. */
export function functionsOfExits(codes: readonly number[]): string[] | undefined {
  const pairs = codes.slice(0, -1)
  if (pairs.length === 0 || pairs.length % PAIRS_OF_HASH !== 0 || !hasItsSum(codes)) return undefined
  return Array.from({ length: pairs.length / PAIRS_OF_HASH }, (_, i) => {
    const digits = pairs
      .slice(i * PAIRS_OF_HASH, (i + 1) * PAIRS_OF_HASH)
      .map(pair => String(pair).padStart(2, '0'))
    return BigInt(digits.join('')).toString(16).padStart(HASH_DIGITS, '0')
  })
}

function withSum(codes: readonly number[]): number[] {
  return [...codes, sumOf(codes)]
}

function hasItsSum(codes: readonly number[]): boolean {
  return codes.at(-1) === sumOf(codes.slice(0, -1))
}

/** Never 0, which a program that tells nothing ends with. */
function sumOf(codes: readonly number[]): number {
  return (codes.reduce((sum, code) => sum + code, 0) % SUM_MODULUS) + 1
}

function partsOf(version: string): number[] {
  const [, ...parts] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? ['', '0', '0', '0']
  return parts.map(Number)
}

function pairsOf(hash: string): number[] {
  const digits = BigInt(`0x${hash}`)
    .toString()
    .padStart(2 * PAIRS_OF_HASH, '0')
  return (digits.match(/../g) ?? []).map(Number)
}
