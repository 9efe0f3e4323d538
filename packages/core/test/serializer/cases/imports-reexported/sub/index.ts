export * as deep from '../a.ts'
