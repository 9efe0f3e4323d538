import { nearest } from '../errors/nearest.ts'

/** Helpers for checking what programs give as options; each problem is half a sentence of one error. */

type Options = Readonly<Record<string, unknown>>

/** Returns a check of one option, which adds to `problems` when the option is there and not what it must be. */
export function checker(
  options: Options,
  problems: string[],
): (name: string, what: string, isGood: (value: unknown) => boolean) => void {
  return (name, what, isGood) => {
    const value = options[name]
    if (value !== undefined && !isGood(value)) problems.push(`${name} must be ${what}, not ${show(value)}`)
  }
}

/** The problem of an option that is not known, with the name that was most likely meant; none of a known one. */
export function unknownOption(
  key: string,
  known: readonly string[],
  renamed: Readonly<Record<string, string>> = {},
): string[] {
  if (known.includes(key)) return []
  if (Object.hasOwn(renamed, key)) return [`'${key}' is called ${renamed[key]} here`]
  const meant = nearest(key, known)
  return [
    `there is no option '${key}'${meant === undefined ? `, only ${known.join(', ')}` : `: did you mean '${meant}'?`}`,
  ]
}

export const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
export const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0
export const isPositiveInteger = (value: unknown): boolean => isPositive(value) && Number.isInteger(value)
export const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every(text => typeof text === 'string')
/** By its shape: that of another realm or a library is as good. */
export const isSignal = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value

/** A value in the words of an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
