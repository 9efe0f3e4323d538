import { type RemoveOptions, removeAll } from './remove-all.ts'

/** `lithops storage empty <bucket>` */
export async function emptyBucket([bucket]: readonly string[], options: RemoveOptions): Promise<boolean> {
  return removeAll(bucket as string, '', options)
}
