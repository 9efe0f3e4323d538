import { ConfigError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { awsLambdaSection, settingsOf } from './config.ts'

const parse = (raw: Record<string, unknown>) => awsLambdaSection.parse(raw, { name: 'the test' }).config
const settings = (raw: Record<string, unknown>) => settingsOf(parse(raw))

test('a config of Lithops (Python) is understood', () => {
  const made = settings({
    execution_role: 'arn:aws:iam::123456789012:role/lithops',
    region: 'eu-west-1',
    runtime_memory: 512,
    runtime_timeout: 60,
    env_vars: [
      { name: 'A', value: 'one' },
      { name: 'B', value: 2 },
    ],
    user_tags: { team: 'data' },
    vpc: { subnets: ['subnet-1'], security_groups: ['sg-1'] },
    efs: [{ access_point: 'arn:aws:elasticfilesystem:…', mount_path: '/mnt/data' }],
    invoke_pool_threads: 64,
    worker_processes: 1,
  })
  expect(made).toMatchObject({
    memoryMiB: 512,
    timeoutMs: 60_000,
    environment: { A: 'one', B: '2' },
    tags: { team: 'data' },
    vpc: { subnets: ['subnet-1'], securityGroups: ['sg-1'] },
    fileSystems: [{ mountPath: '/mnt/data' }],
    architecture: 'x86_64',
    invocation: 'auto',
  })
})

test.each([
  [{ execution_role: 'lithops' }, 'aws_lambda.execution_role must be the ARN of a role'],
  [{ env_vars: 'A=1' }, 'aws_lambda.env_vars must be a mapping'],
  [{ env_vars: { A: {} } }, 'aws_lambda.env_vars.A must be a mapping'],
  [{ vpc: { subnets: ['a'] } }, 'aws_lambda.vpc must have subnets and security_groups'],
  [{ efs: [{ access_point: 'a', mount_path: '/data' }] }, 'aws_lambda.efs[0] must have access_point'],
  [{ access_key_id: 'a' }, 'give both, or none'],
  [{ session_token: 't' }, 'session_token is given without access_key_id'],
  [{ namespace: 'two words' }, 'aws_lambda.namespace must be'],
])('%j is refused before anything is asked of AWS', (raw, message) => {
  expect(() => settings(raw)).toThrow(ConfigError)
  expect(() => settings(raw)).toThrow(message)
})

test('values out of Lambda’s limits, unknown keys and old names are refused', () => {
  expect(() => parse({ runtime_memory: 64 })).toThrow('from 128 to 10240')
  expect(() => parse({ runtime_timeout: 901 })).toThrow('from 1 to 900')
  expect(() => parse({ ephemeral_storage: 100 })).toThrow('from 512 to 10240')
  expect(() => parse({ architecture: 'riscv' })).toThrow("'x86_64' | 'arm64'")
  expect(() => parse({ runtime_memroy: 256 })).toThrow("Did you mean 'runtime_memory'?")
  expect(() => parse({ region_name: 'eu-west-1' })).toThrow("is called 'region' here")
})
