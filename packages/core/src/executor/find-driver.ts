import { dirname } from 'node:path'
import type { DriverContext } from '../driver/driver.ts'
import type { DriverKind } from '../driver/known-drivers.ts'
import { DriverNotFoundError } from '../errors/index.ts'
import { importDriverLoader } from '../lazy-imports.ts'

/** Drivers are resolved from the folder of the program that was started, and then from where it was started. */
export async function findDriver<K extends DriverKind>(kind: K, name: string, context: DriverContext) {
  const { loadDriver } = await importDriverLoader()
  const here = process.cwd()
  try {
    return await loadDriver(kind, name, context.projectDirectory)
  } catch (error) {
    if (here === context.projectDirectory || !DriverNotFoundError.isInstance(error)) throw error
    return await loadDriver(kind, name, here).catch(second => {
      throw DriverNotFoundError.isInstance(second) ? error : second
    })
  }
}

export function projectDirectory(): string {
  const main = process.argv[1]
  return main === undefined || main.includes('node_modules') ? process.cwd() : dirname(main)
}
