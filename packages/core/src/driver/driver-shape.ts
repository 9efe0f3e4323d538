import { DriverContractError } from '../errors/index.ts'
import type { DriverKind } from './known-drivers.ts'

const SPEC_VERSION = 1

/** Checks what core needs of a driver object, from a package or given in code. */
export function checkDriverShape(kind: DriverKind, where: string, driver: object): void {
  const { specVersion, name, create } = driver as Record<string, unknown>
  if (specVersion !== SPEC_VERSION) {
    throw new DriverContractError(
      `${where}: the ${kind} driver has specVersion ${String(specVersion)}, and this core needs ${SPEC_VERSION}. Update the package or @lithops/core.`,
    )
  }
  if (typeof name !== 'string')
    throw new DriverContractError(`${where}: the ${kind} driver has no name (a text).`)
  if (typeof create !== 'function') {
    throw new DriverContractError(`${where}: the ${kind} driver has no create(config, context).`)
  }
}
