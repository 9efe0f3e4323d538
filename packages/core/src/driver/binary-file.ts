import { open } from 'node:fs/promises'

/** What binaries must fit: the platform that workers run on. */
export interface PlatformTarget {
  /** As `process.platform` has it. */
  readonly platform: 'linux'
  /** As `process.arch` has it. */
  readonly arch: 'x64' | 'arm64'
  readonly libc: 'glibc' | 'musl'
  /** Major version of the workers' Node, e.g. 24. */
  readonly nodeMajor: number
  /** The version of glibc there, e.g. '2.34', where it is known: what was built on a newer system needs a newer one. */
  readonly glibc?: string
}

/** Of an ELF file: its head has the machine at this place. From: the ELF specification, "ELF Header". */
const MACHINE_AT = 18
const HEAD_BYTES = 20
const MACHINES: Readonly<Record<PlatformTarget['arch'], number>> = { x64: 62, arm64: 183 }
/** Names of the functions by which Node finds the beginning of an addon: N-API fits every version, the other one. */
const ANY_NODE = 'napi_register_module_v1'
const ONE_NODE = /node_register_module_v(\d+)/
/** Versions of the symbols of glibc that a binary needs. */
const GLIBC = /GLIBC_2\.(\d+)/g
/** NODE_MODULE_VERSION by major version. From: Node's abi_version_registry.json. */
const MODULE_VERSIONS: Readonly<Record<number, number>> = { 20: 115, 22: 127, 24: 137 }

/** Why an addon cannot be loaded on the target; undefined when it can. */
export async function misfitOf(file: string, target: PlatformTarget): Promise<string | undefined> {
  const handle = await open(file)
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
    if (bytesRead < HEAD_BYTES || head.toString('latin1', 0, 4) !== '\x7fELF') return 'is not for Linux'
    const machine = head.readUInt16LE(MACHINE_AT)
    if (machine !== MACHINES[target.arch]) {
      const arch = Object.entries(MACHINES).find(([, number]) => number === machine)?.[0]
      return `is for ${arch ?? `machine ${machine}`}`
    }
    const wanted = MODULE_VERSIONS[target.nodeMajor]
    const text = (await handle.readFile()).toString('latin1')
    const version = text.includes(ANY_NODE) ? undefined : ONE_NODE.exec(text)?.[1]
    if (version !== undefined && wanted !== undefined && Number(version) !== wanted)
      return `is for module version ${version} of Node, and Node ${target.nodeMajor} has ${wanted}`
    const minor = target.glibc?.split('.')[1]
    const needed = Math.max(0, ...[...text.matchAll(GLIBC)].map(found => Number(found[1])))
    if (minor !== undefined && needed > Number(minor))
      return `needs glibc 2.${needed}, and there it is ${target.glibc}`
    return undefined
  } finally {
    await handle.close()
  }
}
