import { Storage } from '@lithops/core'

await using storage = new Storage()
const log = await storage.open('logs/today.txt', 'w')
await log.write('one\n')
await log.write('two\n')
await log.close()

await using file = await storage.open('logs/today.txt')
for await (const line of file.lines()) console.log(line)

console.log((await storage.ls('logs')).map(entry => entry.name))
await storage.remove('logs', { recursive: true })
