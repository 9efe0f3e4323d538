import { Storage } from '@lithops/core'

await using storage = new Storage()
await storage.put('greetings/en.txt', 'Hello')
await storage.put('greetings/de.txt', new TextEncoder().encode('Grüß Gott'))

console.log(await storage.get('greetings/en.txt', { as: 'text' }))
console.log(await storage.get('greetings/de.txt', { range: { start: 0, end: 4 } }))
for await (const { key, sizeBytes } of storage.list('greetings/')) console.log(key, sizeBytes)

await storage.delete(['greetings/en.txt', 'greetings/de.txt'])
