import { rm, writeFile } from 'node:fs/promises'
import { Storage } from '@lithops/core'

await using storage = new Storage()
await writeFile('data.csv', 'city,people\nTarragona,138262\n')

await storage.uploadFile('data.csv', 'cities.csv')
await storage.downloadFile('cities.csv', 'copy/cities.csv', {
  onProgress: ({ doneBytes, totalBytes }) => console.log(`${doneBytes} of ${totalBytes}`),
})

await storage.delete('cities.csv')
for (const path of ['data.csv', 'copy']) await rm(path, { recursive: true })
