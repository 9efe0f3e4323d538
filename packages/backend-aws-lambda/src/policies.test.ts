import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsOf } from './config.ts'
import { policiesOf } from './policies.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test.each(policiesOf({ region: '*', accountId: '*', settings: settingsOf({ create_role: true }) }))(
  'the policy of the $name stands in the README as it is printed',
  ({ name, document }) => {
    const shown = new RegExp(`<!-- policy: ${name} -->\n\`\`\`json\n([^\`]*)\`\`\``).exec(readme)?.[1]
    expect(JSON.parse(shown ?? 'null')).toEqual(document)
  },
)

test('policies are of the account, the region, the network, the file systems and the buckets of the config', () => {
  const settings = settingsOf({
    execution_role: 'arn:aws:iam::123456789012:role/mine',
    worker_buckets: ['results'],
    vpc: { subnets: ['s'], security_groups: ['g'] },
    efs: [{ access_point: 'arn:of:access-point', mount_path: '/mnt/data' }],
  })
  const [deployer, worker] = policiesOf({ region: 'eu-west-1', accountId: '123456789012', settings })
  const text = JSON.stringify(deployer?.document)
  expect(text).toContain('arn:aws:lambda:eu-west-1:123456789012:function:lithops_v*')
  expect(text).toContain('"Resource":"arn:aws:iam::123456789012:role/mine"')
  expect(text).not.toContain('iam:CreateRole')
  for (const part of ['arn:aws:s3:::results/*', 'ec2:CreateNetworkInterface', 'arn:of:access-point'])
    expect(JSON.stringify(worker?.document)).toContain(part)
})
