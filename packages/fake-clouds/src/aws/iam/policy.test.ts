import { expect, test } from 'vitest'
import { isAllowed } from './policy.ts'

const ask = (statement: object | object[], resource = 'arn:aws:s3:::bucket/key', context = {}) =>
  isAllowed([{ Version: '2012-10-17', Statement: statement }], { action: 's3:GetObject', resource, context })
const allow = (more: object) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...more })

test('what no statement allows is refused', () => {
  expect(ask([])).toBe(false)
  expect(ask(allow({}))).toBe(true)
  expect(ask(allow({ Action: ['s3:PutObject', 's3:GetBucket'] }))).toBe(false)
  expect(ask({ Effect: 'Allow', NotAction: 's3:Put*', Resource: '*' })).toBe(true)
  expect(ask({ Effect: 'Allow', NotAction: 's3:Get*', Resource: '*' })).toBe(false)
})

test('patterns have * and ?, actions no case', () => {
  expect(ask(allow({ Action: 'S3:getobj*' }))).toBe(true)
  expect(ask(allow({ Resource: 'arn:aws:s3:::b?cket/*' }))).toBe(true)
  expect(ask(allow({ Resource: 'arn:aws:s3:::bucket' }))).toBe(false)
  // a dot and a bracket are themselves
  expect(ask(allow({ Resource: 'arn.aws.s3...bucket.key' }))).toBe(false)
})

test('a denial wins', () => {
  expect(ask([allow({}), { Effect: 'Deny', Action: 's3:*', Resource: '*/key' }])).toBe(false)
  expect(ask([allow({}), { Effect: 'Deny', Action: 's3:*', Resource: '*/other' }])).toBe(true)
})

test('conditions must hold, and be known', () => {
  const Condition = { StringEquals: { 'iam:PassedToService': ['a', 'b'] } }
  expect(ask(allow({ Condition }), undefined, { 'iam:PassedToService': 'b' })).toBe(true)
  expect(ask(allow({ Condition }), undefined, { 'iam:PassedToService': 'c' })).toBe(false)
  expect(ask(allow({ Condition }))).toBe(false)
  expect(() => ask(allow({ Condition: { IpAddress: { 'aws:SourceIp': '1.2.3.4' } } }))).toThrow(/IpAddress/)
})
