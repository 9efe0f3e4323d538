// The same program as the runner matrix.
import { cases as jobs } from '../../programs/jobs.ts'

export const cases = jobs
