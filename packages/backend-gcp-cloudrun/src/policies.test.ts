import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsOf } from './config.ts'
import { policiesOf } from './policies.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test.each(policiesOf(settingsOf({ region: 'us-east1' })))(
  'the policy $name stands in the README as it is printed',
  ({ name, document }) => {
    const shown = new RegExp(`<!-- policy: ${name} -->\n\`\`\`json\n([^\`]*)\`\`\``).exec(readme)?.[1]
    expect(JSON.parse(shown ?? 'null')).toEqual(document)
  },
)

test('so does that of jobs', () => {
  const [deployer] = policiesOf(settingsOf({ region: 'us-east1', workload: 'jobs' }))
  const shown = /<!-- policy: deployer of jobs -->\n```json\n([^`]*)```/.exec(readme)?.[1]
  expect(JSON.parse(shown ?? 'null')).toEqual(deployer?.document)
})

test('policies name the project and the service account of the config', () => {
  const account = 'workers@my-project.iam.gserviceaccount.com'
  const policies = policiesOf(
    settingsOf({ region: 'us-east1', project_name: 'my-project', service_account: account }),
  )
  const text = JSON.stringify(policies)
  expect(text).toContain('projects/my-project/roles/lithopsDeployer')
  expect(text).toContain(account)
})
