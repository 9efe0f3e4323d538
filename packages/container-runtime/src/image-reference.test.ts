import { expect, test } from 'vitest'
import { byDigest, formatImageReference, parseImageReference } from './image-reference.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

test.each([
  ['node', 'docker.io/library/node:latest'],
  ['node:24-bookworm-slim', 'docker.io/library/node:24-bookworm-slim'],
  ['user/worker', 'docker.io/user/worker:latest'],
  ['localhost/worker:1', 'localhost/worker:1'],
  ['127.0.0.1:5000/team/worker', '127.0.0.1:5000/team/worker:latest'],
  ['[::1]:5000/worker:x', '[::1]:5000/worker:x'],
  ['de.icr.io/ns/a__b/c-d:V1.2_3', 'de.icr.io/ns/a__b/c-d:V1.2_3'],
  [`registry.example/w@${digest}`, `registry.example/w@${digest}`],
  [`registry.example/w:1@${digest}`, `registry.example/w:1@${digest}`],
])('%s is %s', (name, whole) => {
  expect(formatImageReference(parseImageReference(name))).toBe(whole)
  expect(formatImageReference(parseImageReference(whole))).toBe(whole)
})

test.each([
  ['Worker', "has 'Worker' where a path"],
  ['', "has '' where a path"],
  ['registry.example/', "has '' where a path"],
  ['registry.example:port/w', "has 'registry.example:port' where a host"],
  ['w:', "has the tag ''"],
  [`w:${'x'.repeat(129)}`, 'has the tag'],
  ['w:a:b', "has the tag 'a:b'"],
  ['w@sha256:12', "has 'sha256:12' where a digest"],
  ['w@a@b', "more than one '@'"],
  ['a//b', "has 'a//b' where a path"],
])('%s is refused', (name, why) => {
  expect(() => parseImageReference(name)).toThrow(expect.objectContaining({ code: 'LITHOPS_CONFIG' }))
  expect(() => parseImageReference(name)).toThrow(why)
})

test('an image is named by its digest alone', () => {
  expect(byDigest('127.0.0.1:5000/w:1', digest)).toBe(`127.0.0.1:5000/w@${digest}`)
})
