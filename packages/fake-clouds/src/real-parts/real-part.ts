import { findProgram } from './find-program.ts'

/** A server that tests started. */
export interface RunningPart {
  /** May be called twice. Nothing of it is left. */
  close(): Promise<void>
}

/** A real server that tests can start, if its programs are on this machine. */
export interface RealPart<P extends RunningPart> {
  readonly name: string
  /** Why it cannot start here; undefined when it can. */
  missing(): string | undefined
  start(): Promise<P>
}

/** `start` gets the full paths of the programs, by their names. */
export function defineRealPart<const N extends string, P extends RunningPart>(definition: {
  readonly name: string
  readonly programs: readonly N[]
  /** How a person gets it, e.g. 'apt-get install radosgw'. */
  readonly install: string
  readonly start: (programs: Readonly<Record<N, string>>) => Promise<P>
}): RealPart<P> {
  const { name, programs, install } = definition
  return {
    name,
    missing() {
      const missing = programs.filter(program => findProgram(program) === undefined)
      if (missing.length === 0) return undefined
      return `real part missing: ${name} (no ${missing.join(', ')}; ${install}, or node scripts/install-real-parts.mjs)`
    },
    start() {
      const found = Object.fromEntries(programs.map(program => [program, findProgram(program)]))
      return definition.start(found as Record<N, string>)
    },
  }
}
