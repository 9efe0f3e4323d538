import { readFileSync } from 'node:fs'

/** Words of some files and how often each occurs. */
export interface WordCount {
  readonly files: number
  readonly words: number
  readonly bytes: number
  readonly byWord: Map<string, number>
}

/** Counts the words of files: runs of letters and digits, without regard to case. */
export function countWords(paths: readonly string[]): WordCount {
  const byWord = new Map<string, number>()
  let words = 0
  let bytes = 0
  for (const path of paths) {
    const content = readFileSync(path)
    bytes += content.length
    for (const [word] of content
      .toString('utf8')
      .toLowerCase()
      .matchAll(/[\p{L}\p{N}]+/gu)) {
      byWord.set(word, (byWord.get(word) ?? 0) + 1)
      words++
    }
  }
  return { files: paths.length, words, bytes, byWord }
}

/** Adds counts up. */
export function addCounts(counts: readonly WordCount[]): WordCount {
  const byWord = new Map<string, number>()
  let files = 0
  let words = 0
  let bytes = 0
  for (const count of counts) {
    files += count.files
    words += count.words
    bytes += count.bytes
    for (const [word, times] of count.byWord) byWord.set(word, (byWord.get(word) ?? 0) + times)
  }
  return { files, words, bytes, byWord }
}
