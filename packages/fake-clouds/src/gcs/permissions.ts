/** What the JSON API asks for. From: Google Cloud Storage, "IAM permissions for JSON methods". */
export type GcsPermission =
  | 'storage.objects.create'
  | 'storage.objects.delete'
  | 'storage.objects.get'
  | 'storage.objects.list'
  | 'storage.buckets.create'
  | 'iam.serviceAccounts.signBlob'

export const ALL_PERMISSIONS: readonly GcsPermission[] = [
  'storage.objects.create',
  'storage.objects.delete',
  'storage.objects.get',
  'storage.objects.list',
  'storage.buckets.create',
  'iam.serviceAccounts.signBlob',
]
