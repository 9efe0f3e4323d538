import { S3Like } from './client.ts'
const client = new S3Like({ region: 'eu' })
client.put('k', 'v')
export const fn = () => [client.get('k'), client.region(), client instanceof S3Like]
export const expected = ['v', 'eu', true]
