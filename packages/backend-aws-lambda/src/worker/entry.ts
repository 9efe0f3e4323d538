import { makeHandler } from './handler.ts'

/** The handler of the default runtime. */
export const handler = await makeHandler({})
