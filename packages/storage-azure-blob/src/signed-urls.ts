import {
  type BlobClient,
  BlobSASPermissions,
  type BlobServiceClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { type StoragePlace, storageFailed } from '@lithops/core/driver'
import { MAX_PRESIGN_MS } from './limits.ts'

/** For the source of a copy, which the service reads at once. */
const COPY_MS = 15 * 60_000
/** Signatures are valid from a little before now, as clocks differ. */
const CLOCK_MS = 5 * 60_000
const TOKEN_SCOPE = 'https://storage.azure.com/.default'

/** A URL that anybody may GET or PUT for that long. A PUT needs the header `x-ms-blob-type: BlockBlob`. */
export async function presign(
  service: BlobServiceClient,
  blob: BlobClient,
  place: StoragePlace,
  options: { readonly method: 'GET' | 'PUT'; readonly expiresInMs: number },
): Promise<string> {
  const { method, expiresInMs } = options
  if (!(expiresInMs > 0 && expiresInMs <= MAX_PRESIGN_MS)) {
    const reason = `a URL is valid for up to 7 days (${MAX_PRESIGN_MS} ms), not for ${expiresInMs} ms`
    throw storageFailed(place, reason, { isRetryable: false })
  }
  const now = Date.now()
  const startsOn = new Date(now - CLOCK_MS)
  const expiresOn = new Date(now + expiresInMs)
  const permissions = BlobSASPermissions.parse(method === 'GET' ? 'r' : 'cw')
  const signing = { permissions, startsOn, expiresOn }
  if (service.credential instanceof StorageSharedKeyCredential) return blob.generateSasUrl(signing)
  // valid for as long as the URL
  const key = await service.getUserDelegationKey(startsOn, expiresOn)
  return blob.generateUserDelegationSasUrl(signing, key)
}

/** The source of a copy as the service may read it: it does not use the rights of the request itself for it. */
export async function signedSource(service: BlobServiceClient, blob: BlobClient) {
  const { credential } = service
  if (credential instanceof StorageSharedKeyCredential) {
    const permissions = BlobSASPermissions.parse('r')
    const expiresOn = new Date(Date.now() + COPY_MS)
    return { url: await blob.generateSasUrl({ permissions, expiresOn }) }
  }
  // a token of the config is in the URL
  if (!('getToken' in credential)) return { url: blob.url }
  const token = await credential.getToken(TOKEN_SCOPE)
  return { url: blob.url, authorization: { scheme: 'Bearer' as const, value: token?.token ?? '' } }
}
