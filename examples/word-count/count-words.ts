import { readFileSync } from 'node:fs'

/** A file and the package that it belongs to. */
export interface File {
  readonly path: string
  readonly packageName: string
}

export interface PackageCount {
  files: number
  words: number
  bytes: number
}

/** How often each word occurs, and how much there is in each package. */
export interface WordCount {
  readonly byWord: Map<string, number>
  readonly byPackage: Map<string, PackageCount>
  /** Ids of the processes that counted. */
  readonly processes: Set<number>
  /** Calls that it took. */
  readonly calls: number
}

/** Counts the words of files: runs of letters and digits, without regard to case. */
export function countWords(files: readonly File[]): WordCount {
  const byWord = new Map<string, number>()
  const byPackage = new Map<string, PackageCount>()
  for (const { path, packageName } of files) {
    const content = readFileSync(path)
    let words = 0
    for (const [word] of content
      .toString('utf8')
      .toLowerCase()
      .matchAll(/[\p{L}\p{N}]+/gu)) {
      byWord.set(word, (byWord.get(word) ?? 0) + 1)
      words++
    }
    addPackage(byPackage, packageName, { files: 1, words, bytes: content.length })
  }
  return { byWord, byPackage, processes: new Set([process.pid]), calls: 1 }
}

/** Adds counts up: word by word, and package by package. */
export function addCounts(counts: readonly WordCount[]): WordCount {
  const byWord = new Map<string, number>()
  const byPackage = new Map<string, PackageCount>()
  const processes = new Set([process.pid])
  let calls = 1
  for (const count of counts) {
    calls += count.calls
    for (const id of count.processes) processes.add(id)
    for (const [word, times] of count.byWord) byWord.set(word, (byWord.get(word) ?? 0) + times)
    for (const [name, more] of count.byPackage) addPackage(byPackage, name, more)
  }
  return { byWord, byPackage, processes, calls }
}

function addPackage(byPackage: Map<string, PackageCount>, name: string, more: PackageCount): void {
  const { files, words, bytes } = byPackage.get(name) ?? { files: 0, words: 0, bytes: 0 }
  byPackage.set(name, {
    files: files + more.files,
    words: words + more.words,
    bytes: bytes + more.bytes,
  })
}
