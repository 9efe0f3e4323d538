import { Storage } from '@lithops/core'

await using storage = new Storage({ backend: 'gcp_storage' })
await storage.createBucket()
await storage.put('greetings/hello.txt', 'hello')
console.log(await storage.get('greetings/hello.txt', { as: 'text' })) // hello
for await (const { key, sizeBytes } of storage.list('greetings/')) console.log(key, sizeBytes)
