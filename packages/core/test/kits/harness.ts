import assert from 'node:assert/strict'
import { expect } from 'vitest'

export type Cases = Map<string, () => Promise<void>>
export type Register = (test: (name: string, run: () => Promise<void>) => void) => void

/** The cases that a kit registers, by name. */
export function casesOf(register: Register): Cases {
  const cases: Cases = new Map()
  register((name, run) => {
    expect(cases.has(name), `two cases are named ${name}`).toBe(false)
    cases.set(name, run)
  })
  return cases
}

/** Runs one case of a kit and expects it to fail. */
export async function mustFail(register: Register, name: string): Promise<void> {
  const run = casesOf(register).get(name)
  assert.ok(run, `there is no case '${name}'`)
  await expect(run(), `case '${name}' did not see the mistake`).rejects.toThrow()
}
