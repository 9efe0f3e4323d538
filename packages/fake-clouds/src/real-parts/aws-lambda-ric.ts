import { realpathSync } from 'node:fs'
import path from 'node:path'
import { defineRealPart, type RunningPart } from './real-part.ts'

export interface RuntimeInterfaceClient extends RunningPart {
  /** Of the installed package. */
  readonly folder: string
  /** The Node that it was built for. */
  readonly node: string
}

/** What runs Node functions on Lambda itself. No server: `FakeAws` starts it for each environment. */
export const awsLambdaRic = defineRealPart({
  name: 'aws-lambda-ric',
  programs: ['aws-lambda-ric'],
  install: 'npm install aws-lambda-ric',
  start: async (programs): Promise<RuntimeInterfaceClient> => {
    const folder = path.dirname(realpathSync(programs['aws-lambda-ric']))
    const node = path.join(path.dirname(folder), 'node', 'bin', 'node')
    return { folder, node, close: async () => {} }
  },
})
