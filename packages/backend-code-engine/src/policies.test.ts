import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { policiesOf } from './policies.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const logsEndpoint = 'https://YOUR_LOGS_INSTANCE_ID.api.eu-de.logs.cloud.ibm.com'
const region = 'eu-de'

test.each(policiesOf({ region, projectId: undefined, resourceGroupId: undefined, logsEndpoint }))(
  'the $name stands in the README as it is printed',
  ({ name, document }) => {
    const shown = new RegExp(`<!-- policy: ${name} -->\n\`\`\`json\n([^\`]*)\`\`\``).exec(readme)?.[1]
    expect(JSON.parse(shown ?? 'null')).toEqual(document)
  },
)

test('the roles are those of the region or project, and no more than are needed', () => {
  const inProject = policiesOf({ region: 'eu-de', projectId: 'p-1', resourceGroupId: undefined })
  expect(inProject.map(({ name }) => name)).toEqual(['deployer'])
  expect(JSON.stringify(inProject)).toContain('"p-1"')
  const all = policiesOf({ region: 'eu-de', projectId: undefined, resourceGroupId: 'group' })
  expect(all.map(({ name }) => name)).toEqual(['deployer', 'project maker', 'resource group'])
  expect(JSON.stringify(all)).not.toMatch(/Manager|Administrator/)
  expect(JSON.stringify(all[2])).toContain('"group"')
})
