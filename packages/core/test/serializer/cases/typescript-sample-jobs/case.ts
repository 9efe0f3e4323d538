// The same program as the runner matrix.
import { jobs } from '../../programs/jobs.ts'

export const cases = jobs
