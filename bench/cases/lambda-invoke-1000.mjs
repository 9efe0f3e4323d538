import { lambdaInvokeCase } from '../lib/lambda-invoke.mjs'

export const benchCase = lambdaInvokeCase(1000, { target: { max: 3500 } })
