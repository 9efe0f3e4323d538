import { builtFile } from '../built-file.ts'

/** Path of the built worker of the localhost backend. */
export const slotMainFile = (): string => builtFile('localhost/slot-main.cjs')
