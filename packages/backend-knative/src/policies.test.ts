import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsOf } from './config.ts'
import { policiesOf } from './policies.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test.each(policiesOf(settingsOf({})))(
  'the $name stands in the README as it is printed',
  ({ name, document }) => {
    const shown = new RegExp(`<!-- policy: ${name} -->\n\`\`\`json\n([^\`]*)\`\`\``).exec(readme)?.[1]
    expect(JSON.parse(shown ?? 'null')).toEqual(document)
  },
)

test('policies are of the namespace of the config, and of the gateway only where it must be found', () => {
  const policies = policiesOf(settingsOf({ namespace: 'team-a', ingress_endpoint: 'localhost:8080' }))
  expect(policies.map(({ name }) => name)).toEqual(['deployer', 'deployer binding'])
  for (const { document } of policies) expect(JSON.stringify(document)).toContain('"namespace":"team-a"')
})
