import type { GivenJob, Overrides } from '../jobs/job-template.ts'
import { json, type Rule, rule } from './rule.ts'

const JOBS = `/v2/projects/[^/]+/locations/[^/]+/jobs`
const JOB = `${JOBS}/([^/:]+)`
const EXECUTIONS = `${JOB}/executions`
const EXECUTION = `${EXECUTIONS}/([^/:]+)`

/** Methods of jobs, executions and tasks, by path. From: the discovery document of run v2. */
export const JOB_RULES: readonly Rule[] = [
  rule('POST', JOBS, ['create job', 'run.jobs.create'], ({ jobs }, call) =>
    jobs.create(call.query.get('jobId') ?? '', json<GivenJob>(call)),
  ),
  rule('GET', JOBS, ['list jobs', 'run.jobs.list'], ({ jobs }, { query }) =>
    jobs.list(query.get('pageToken') ?? ''),
  ),
  rule('GET', JOB, ['get job', 'run.jobs.get'], ({ jobs }, { groups }) => jobs.read(groups[0] ?? '')),
  rule('PATCH', JOB, ['update job', 'run.jobs.update'], ({ jobs }, call) =>
    jobs.update(call.groups[0] ?? '', json<GivenJob>(call)),
  ),
  rule('DELETE', JOB, ['delete job', 'run.jobs.delete'], ({ jobs }, { groups }) =>
    jobs.remove(groups[0] ?? ''),
  ),
  // with overrides a right of its own is needed
  rule('POST', `${JOB}:run`, ['run job', 'run.jobs.runWithOverrides'], ({ jobs }, call) =>
    jobs.run(call.groups[0] ?? '', json<{ readonly overrides?: Overrides }>(call).overrides ?? {}),
  ),
  rule(
    'GET',
    EXECUTIONS,
    ['list executions', 'run.executions.list'],
    ({ executions }, { groups: [job = ''], query }) => executions.list(job, query.get('pageToken') ?? ''),
  ),
  rule(
    'GET',
    EXECUTION,
    ['get execution', 'run.executions.get'],
    ({ executions }, { groups: [, name = ''] }) => executions.read(name),
  ),
  rule(
    'DELETE',
    EXECUTION,
    ['delete execution', 'run.executions.delete'],
    ({ executions }, { groups: [, name = ''] }) => executions.remove(name),
  ),
  rule(
    'POST',
    `${EXECUTION}:cancel`,
    ['cancel execution', 'run.executions.cancel'],
    ({ executions }, { groups: [, name = ''] }) => executions.cancel(name),
  ),
  rule(
    'GET',
    `${EXECUTION}/tasks`,
    ['list tasks', 'run.tasks.list'],
    ({ executions }, { groups: [, name = ''], query }) =>
      executions.listTasks(name, query.get('pageToken') ?? ''),
  ),
]
