import { crc32 } from '@node-rs/crc32'

/** A function that imports a package with a native addon. */
export const checksum = (text: string): number => crc32(text)
