function account(balance: number) {
  const log: string[] = []
  const record = (text: string) => { log.push(text) }
  return {
    deposit(n: number) { balance += n; record(`+${n}`) },
    withdraw: (n: number) => { balance -= n; record(`-${n}`) },
    report: () => ({ balance, log: [...log] }),
  }
}
const mine = account(10)
mine.deposit(5)
const yours = account(100)
const { withdraw } = mine

export const fn = () => {
  withdraw(3)
  mine.deposit(1)
  yours.deposit(1)
  return [mine.report(), yours.report()]
}
export const expected = [{ balance: 13, log: ['+5', '-3', '+1'] }, { balance: 101, log: ['+1'] }]
