import { Base, Account } from './bank.ts'
import * as bank from './bank.ts'
class Special extends Base { #extra = new Map([['k', 1]]); extra() { return this.#extra.get('k') } }
const account = new Account('ann')
account.deposit(5)
account.deposit(7)
const special = new Special(9)
const both = { account, again: account, list: [new Account('bob')] }
export const cases = [
  { name: 'state travels', fn: () => [account.balance, account.owner, account.history()], expected: [12, 'ann', [5, 7]] },
  { name: 'class identity', fn: () => [account instanceof Account, account instanceof bank.Account, account.constructor === Account], expected: [true, true, true] },
  { name: 'goes on working', fn: () => { account.deposit(1); return account.balance }, expected: 13 },
  { name: 'new ones run their constructor', fn: () => { const fresh = new Account('eve'); fresh.deposit(2); return [fresh.balance, fresh.owner, bank.made()] }, expected: [2, 'eve', 1] },
  { name: 'derived here, private in both', fn: () => [special.seed(), special.extra(), special instanceof Base], expected: [9, 1, true] },
  { name: 'shared references', fn: () => { both.account.deposit(1); return [both.again.balance, both.list[0]!.owner] }, expected: [13, 'bob'] },
]
