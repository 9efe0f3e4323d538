import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'

const server = withRealPart(minio) // started before the tests of this file, ended after them
server.test('answers', async () => {
  await fetch(server.part.endpoint)
})
