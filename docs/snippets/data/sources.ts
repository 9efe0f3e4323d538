import { objects } from '@lithops/core'

objects('bucket/key.json') // the job's storage: one object,
objects('bucket/folder/') // all below a prefix,
objects('bucket/logs/**/*.gz') // those that match a pattern,
objects('bucket') // or the whole bucket
objects({ bucket: 'bucket', key: 'what [is] this?.txt' }) // taken as it is, no pattern
objects('s3://bucket/key') // also gs://, az://, cos://, minio://, ceph://, redis://, and <config name>://
objects('https://host/file.csv') // a URL
objects('./folder') // files of this machine: ./, ../, ~/, absolute paths and file://
objects(['s3://bucket/a', 'gs://bucket/b', objects('./c.csv', { chunkNumber: 4 })], { chunkSize: '64MB' })
