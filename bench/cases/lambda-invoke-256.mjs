import { lambdaInvokeCase } from '../lib/lambda-invoke.mjs'

export const benchCase = lambdaInvokeCase(256, { target: { max: 3500 } })
